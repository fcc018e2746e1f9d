import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { guide, programs } from "../guide.ts";

describe("the guide to files", () => {
  const all = programs(guide("fs.md"));

  it("has a program for each thing that it shows", () => {
    assertEquals(all.length, 3);
  });

  all.forEach(({ source, printed }, i) => {
    it(`prints what it says, in its program ${i + 1}`, () => {
      assert(printed.length > 0);
      assertEquals(outputOf(source).split("\n"), printed);
    });
  });
});
