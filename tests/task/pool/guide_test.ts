import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../../child.ts";
import { guide, programs } from "../../guide.ts";

describe("the guide to pools", () => {
  const all = programs(guide("pool.md"));

  it("has programs", () => {
    assert(all.length > 3);
  });

  for (const [i, { source, printed }] of all.entries()) {
    it(`prints what program ${i + 1} says that it prints`, () => {
      assert(printed.length > 0);
      assertEquals(outputOf(source).split("\n"), printed);
    });
  }
});
