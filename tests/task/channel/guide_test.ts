import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { outputOf } from "../../child.ts";
import { guide, programs } from "../../guide.ts";

describe("the guide to channels", () => {
  const all = programs(guide("channels.md"));

  it("has a loop that loses its place and one that does not, and four others", () => {
    assertEquals(all.length, 6);
  });

  all.forEach(({ source, printed }, i) => {
    it(`prints what it says, in its program ${i + 1}`, () => {
      assert(printed.length > 0);
      assertEquals(outputOf(source).split("\n"), printed);
    });
  });
});
