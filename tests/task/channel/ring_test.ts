import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Ring } from "../../../lib/task/channel/ring.ts";
import { Pending } from "../../../lib/task/mod.ts";

describe("a channel's ring", () => {
  it("gives in order what was pushed, however it grows and empties", () => {
    // Pushes where positive, else takes.
    const bursts = fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 20 });
    fc.assert(fc.property(bursts, (bursts) => {
      const ring = new Ring<number>();
      let [pushed, taken] = [0, 0];
      for (const burst of bursts) {
        for (let i = 0; i < burst; i++) ring.push(pushed++);
        for (let i = 0; i > burst; i--) assertStrictEquals(ring.shift(), taken < pushed ? taken++ : Pending);
        assertEquals(ring.length, pushed - taken);
      }
    }));
  });

  it("is empty once it was cleared, and takes values again", () => {
    const ring = new Ring<string>();
    for (const value of ["a", "b"]) ring.push(value);
    ring.clear();
    assertEquals(ring.length, 0);
    assertStrictEquals(ring.shift(), Pending);
    ring.push("c");
    assertEquals(ring.shift(), "c");
  });
});
