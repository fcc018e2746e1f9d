import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ln } from "../../examples/search/logarithm.ts";

/** The bits of a number, for a comparison to the last of them. */
function bits(x: number): string {
  return new BigUint64Array(Float64Array.of(x).buffer)[0].toString(16);
}

describe("ln()", () => {
  it("is the natural logarithm to within 1e-15 of its size", () => {
    fc.assert(fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
      assert(Math.abs(ln(x) - Math.log(x)) <= 1e-15 * Math.max(Math.abs(Math.log(x)), 0.1), `ln(${x})`);
    }));
  });

  it("gives the same bits on every host", () => {
    const golden = {
      1: "0",
      2: "3fe62e42fefa39ef",
      3: "3ff193ea7aad030a",
      10: "40026bb1bbb55515",
      0.1: "c0026bb1bbb55515",
      1.317: "3fd19f708ba02ba1",
      12345.678: "4022d79559791e31",
      1e-9: "c034b927f32bffb8",
    };
    for (const [x, expected] of Object.entries(golden)) assertEquals(bits(ln(Number(x))), expected);
  });
});
