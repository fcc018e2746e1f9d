import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";

describe("docs/tls.md", () => {
  const all = programs(guide("tls.md"));

  it("has programs", () => assert(all.length === 2));

  for (const [i, { source, printed }] of all.entries()) {
    it(`prints what program ${i + 1} says`, () => {
      assertEquals(outputOf(source).split("\n"), [...printed]);
    });
  }
});
