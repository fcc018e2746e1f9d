import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { topK } from "../../lib/vector/mod.ts";
import { tiered } from "../tier.ts";

/** By sorting all of them. */
function oracle(scores: Float32Array, k: number): { indices: number[]; values: number[] } {
  const indices = Array.from(scores.keys())
    .filter((index) => !Number.isNaN(scores[index]))
    .sort((a, b) => scores[a] < scores[b] ? 1 : scores[a] > scores[b] ? -1 : a - b)
    .slice(0, k);
  return { indices, values: indices.map((index) => scores[index]) };
}

function check(scores: Float32Array, k: number): void {
  const { indices, values } = topK(scores, k);
  assertEquals({ indices: Array.from(indices), values: Array.from(values) }, oracle(scores, k));
}

describe("topK", () => {
  it("gives what sorting gives, for any scores and any k", () => {
    const score = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, 2, NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(fc.array(score, { maxLength: 300 }), fc.nat(320), (scores, k) => {
        check(Float32Array.from(scores), k);
      }),
      { numRuns: tiered({ quick: 300, full: 10_000, soak: 1_000_000 }) },
    );
  });

  it("gives what sorting gives over many blocks", () => {
    const length = 50_003;
    const orders: readonly ((i: number) => number)[] = [
      (i) => i * 0.6180339887498949 % 1,
      (i) => i,
      (i) => -i,
      (i) => i % 7,
      () => 3,
      (i) => i % 1000 === 0 ? NaN : i * 0.7548776662466927 % 1,
      () => -Infinity,
      () => NaN,
    ];
    for (const order of orders) {
      const scores = Float32Array.from({ length }, (_, i) => order(i));
      for (const k of [0, 1, 10, 1000, length, length + 1]) check(scores, k);
    }
  });

  it("prefers the earlier of equal scores", () => {
    assertEquals(Array.from(topK(new Float32Array(20_000).fill(1), 3).indices), [0, 1, 2]);
    assertEquals(Array.from(topK(Float32Array.of(0, -0, 0), 3).indices), [0, 1, 2]);
  });

  it("never gives NaN", () => {
    assertEquals(topK(Float32Array.of(NaN, 1, NaN, 2), 4), {
      indices: Uint32Array.of(3, 1),
      values: Float32Array.of(2, 1),
    });
  });

  it("refuses a k that is no count", () => {
    const scores = new Float32Array(3);
    for (const k of [-1, 1.5, NaN, Infinity]) {
      assertThrows(() => topK(scores, k), RangeError, `topK: k is ${k}`);
    }
    assertThrows(
      () => Reflect.apply(topK, undefined, [scores, "1"]),
      TypeError,
      "topK: k is 1, not a number",
    );
    assertThrows(
      () => Reflect.apply(topK, undefined, [[1, 2], 1]),
      TypeError,
      "topK: scores is no Float32Array",
    );
  });
});
