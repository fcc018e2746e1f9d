import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { find } from "../../ffi/mod.ts";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";
import { skipping } from "../skip.ts";

const text = guide("ffi.md");

/** The table of what is written and what it ends in. */
function misuses(): { written: string; error: string }[] {
  return [...text.matchAll(/^\| `(.+?)` +\| `(\w*Error)` +\|$/gm)].map(([, written, error]) => ({
    written,
    error,
  }));
}

describe("the guide", () => {
  function missing(source: string): string | false {
    const needed = ["libz.so.1", "libsqlite3.so.0"].find((name) =>
      source.includes(name) && !find([name]).some(({ outcome }) => outcome === "chosen")
    );
    return needed === undefined ? false : `${needed} is not installed`;
  }

  for (const [i, { source, printed }] of programs(text).entries()) {
    it(`has a program ${i + 1} that prints what it says`, { skip: skipping(missing(source)) }, () => {
      const lines = outputOf(source).split("\n").filter((line) => line !== "");
      assertEquals(lines, printed);
    });
  }

  it("tells of each misuse what it ends in, and that is no signal", () => {
    const preamble = programs(text).find(({ source }) => source.includes("const kept ="))?.source;
    const rows = misuses();
    assert(rows.length > 20);
    const attempts = rows.map(({ written }) =>
      `try { ${written}; console.log("nothing"); } catch (error) { console.log(error.name); }`
    );
    const lines = outputOf([preamble, ...attempts].join("\n")).split("\n");
    assertEquals(rows.map(({ written }, i) => ({ written, error: lines[i] })), rows);
  });
});
