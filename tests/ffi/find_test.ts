import { afterEach, describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { below, candidates, environment, ofProject, openCandidate } from "../../ffi/find.ts";

const VARIABLE = "OXBOW_LIBRARY_PATH";
const before = process.env[VARIABLE];

function set(value: string | undefined): void {
  if (value === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = value;
}

afterEach(() => set(before));

describe("candidates", () => {
  it("come from the variable's folders first, then as the loader finds them, then from the given folders", () => {
    set("/first:/second");
    assertEquals(candidates(["a.so.2", "a.so"], ["/last"]), [
      ...["/first/a.so.2", "/first/a.so", "/second/a.so.2", "/second/a.so"],
      ...["a.so.2", "a.so", "/last/a.so.2", "/last/a.so"],
    ]);
  });

  it("take an empty variable, and empty folders in it, as none", () => {
    for (const value of [undefined, "", ":", "::"]) {
      set(value);
      assertEquals(candidates(["a.so"], []), ["a.so"]);
    }
  });
});

describe("environment", () => {
  it("gives a variable's value, and undefined where it is unset or empty", () => {
    set("here");
    assertEquals(environment(VARIABLE), "here");
    set("");
    assertEquals(environment(VARIABLE), undefined);
    set(undefined);
    assertEquals(environment(VARIABLE), undefined);
  });
});

describe("folders", () => {
  it("lie below a root, and nowhere where the root is unknown", () => {
    assertEquals(below("/opt/mkl", "lib", "lib/intel64"), ["/opt/mkl/lib", "/opt/mkl/lib/intel64"]);
    assertEquals(below(undefined, "lib"), []);
  });

  it("of the project lie beside ffi/", () => {
    assertEquals(ofProject("x/y"), [new URL("../../x/y", import.meta.url).pathname]);
  });
});

describe("openCandidate", () => {
  it("lists every path that it tried, a broken library's too, with the loader's reason", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-find-"));
    try {
      writeFileSync(join(folder, "liboxbow-none.so"), "no library");
      set(folder);
      const error = assertThrows(
        () => openCandidate(["liboxbow-none.so"], ["/none"], {}),
        Error,
        "none of 3 loads",
      );
      assertStringIncludes(error.message, `\n  ${folder}/liboxbow-none.so: `);
      assertStringIncludes(error.message, "\n  /none/liboxbow-none.so: ");
      assert(/invalid ELF header|file too short/.test(error.message), error.message);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("goes on to the next where one does not load", () => {
    set("/none");
    const table = { abs: { parameters: ["i32"], result: "i32" } } as const;
    using library = openCandidate(["liboxbow-none.so", "libc.so.6"], [], table);
    assertEquals(library.path, "libc.so.6");
    assertEquals(library.symbols.abs(-3), 3);
  });
});
