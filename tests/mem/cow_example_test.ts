import { describe, it } from "node:test";
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";

describe("the example of Cow", () => {
  const lines = outputOf(`await import("${moduleUrl("examples/cow.ts")}");`).split("\n");
  const [withCopy, without] = [lines.slice(0, 10), lines.slice(10)];

  /** The four addresses of the block whose title is at `from`: slice, input, slice[1], input[1]. */
  function addresses(block: readonly string[], from: number): bigint[] {
    const names = ["slice", "input", "slice[1]", "input[1]"];
    return names.map((name, i) => {
      const line = block[from + 1 + i];
      assertMatch(line, /^\S+ +0x[0-9a-f]+$/);
      assertEquals(line.split(/ +/)[0], name);
      return BigInt(line.split(/ +/)[1]);
    });
  }

  it("prints both of the seed's cases", () => {
    assertEquals(lines.length, 20);
    assertEquals([withCopy[0], withCopy[5]], ["[0,-1,2] before", "[0,-1,2] after: [0,1,2], owned"]);
    assertEquals([without[0], without[5]], ["[0,1,2] before", "[0,1,2] after: [0,1,2], borrowed"]);
  });

  it("shows a Cow at its slice's address before", () => {
    for (const block of [withCopy, without]) {
      const [slice, input, slice1, input1] = addresses(block, 0);
      assertEquals([input, slice1, input1], [slice, slice + 4n, slice + 4n]);
    }
  });

  it("shows it elsewhere after a change, and the slice where it was", () => {
    const [slice] = addresses(withCopy, 0);
    const [sliceAfter, input, slice1, input1] = addresses(withCopy, 5);
    assertEquals([sliceAfter, slice1, input1], [slice, slice + 4n, input + 4n]);
    assertNotEquals(input, slice);
  });

  it("shows it at the same address where nothing changed", () => {
    assertEquals(addresses(without, 5), addresses(without, 0));
  });
});
