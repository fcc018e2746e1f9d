import { describe } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { tiered } from "../tier.ts";
import { itHolds } from "./implementations.ts";
import { normal, patterns, ulpsOff } from "./oracle.ts";

const STRIDE = tiered({ quick: 40_009, full: 61, soak: 3 });

/** The element of all patterns that is furthest off, by `off`. */
function worst(
  run: (x: Float32Array, out: Float32Array, length: number) => void,
  off: (actual: number, x: number) => number,
  stride = STRIDE,
): { x: number; actual: number; by: number } {
  const found = { x: 0, actual: 0, by: 0 };
  for (const x of patterns(stride)) {
    const out = new Float32Array(x.length);
    run(x, out, x.length);
    for (let i = 0; i < x.length; i++) {
      const by = off(out[i], x[i]);
      if (!(by <= found.by)) Object.assign(found, { x: x[i], actual: out[i], by });
    }
  }
  return found;
}

describe("exp", () => {
  itHolds("is within 2 units in the last place for every magnitude", ({ exp }) => {
    const { x, actual, by } = worst(exp, (actual, x) => ulpsOff(actual, Math.exp(x)));
    assert(by <= 2, `exp(${x}) is ${actual}, ${by} units off`);
  });

  itHolds("is exact where it must be", ({ exp }) => {
    const x = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 88.8, -104, 3.4e38, -3.4e38, 1e-45);
    const out = new Float32Array(x.length);
    exp(x, out, x.length);
    assertEquals([...out], [1, 1, Infinity, 0, NaN, Infinity, 0, Infinity, 0, 1]);
  });

  itHolds("does not fall from the edges of one reduction to the next", ({ exp }) => {
    const edges = Float32Array.from({ length: 250 }, (_, n) => (n - 150 + 0.5) * Math.LN2);
    const bits = new Uint32Array(edges.buffer);
    for (const off of [-2, -1, 0, 1, 2]) {
      const x = new Float32Array(Uint32Array.from(bits, (bits) => bits + off).buffer);
      const out = new Float32Array(x.length);
      exp(x, out, x.length);
      out.forEach((actual, i) => assert(ulpsOff(actual, Math.exp(x[i])) <= 2, `exp(${x[i]}) is ${actual}`));
    }
  });
});

/** In units in the last place from -1 on, and of 2^-23 below: 2 is the bound of both. */
function geluOff(actual: number, x: number): number {
  const exact = x === -Infinity ? 0 : x * normal(x);
  return x < -1 ? Math.abs(actual - exact) / 2 ** -23 : ulpsOff(actual, exact);
}

describe("gelu", () => {
  itHolds("is within 2 units in the last place from -1 on, and within 2^-22 below", ({ gelu }) => {
    const { x, actual, by } = worst(gelu, geluOff, STRIDE * 5);
    assert(by <= 2, `gelu(${x}) is ${actual}, ${by} units off`);
  });

  itHolds("is within its bounds densely around its edges", ({ gelu }) => {
    for (const edge of [-1, 1, -1.25, 1.25, -5, 5, -0.5, 0.5, -0.7518]) {
      const x = Float32Array.from(
        { length: tiered({ quick: 2000, full: 400_000, soak: 400_000 }) },
        (_, i) => edge * (1 + (i - 1000) * 2 ** -23),
      );
      const out = new Float32Array(x.length);
      gelu(x, out, x.length);
      out.forEach((actual, i) => {
        const off = geluOff(actual, x[i]);
        assert(off <= 2, `gelu(${x[i]}) is ${actual}, ${off} units off`);
      });
    }
  });

  itHolds("is within its bounds where it is used", ({ gelu }) => {
    const count = tiered({ quick: 100_000, full: 5_000_000, soak: 100_000_000 });
    for (let from = 0; from < count; from += 50_000) {
      // Steps of the golden ratio fill the range from -2 to 7 evenly, with all magnitudes near 0.
      const x = Float32Array.from(
        { length: 50_000 },
        (_, i) => ((from + i) * 0.6180339887498949 % 1 * 9 - 2),
      );
      x.forEach((value, i) => x[i] = i % 2 === 0 ? value : value * value / 16);
      const out = new Float32Array(x.length);
      gelu(x, out, x.length);
      out.forEach((actual, i) => assert(geluOff(actual, x[i]) <= 2, `gelu(${x[i]}) is ${actual}`));
    }
  });

  itHolds("has its limits", ({ gelu }) => {
    const x = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 3e38, -3e38, -20, 1e-45);
    const out = new Float32Array(x.length);
    gelu(x, out, x.length);
    assertEquals([...out], [0, -0, Infinity, -0, NaN, Math.fround(3e38), -0, -0, 0]);
  });
});
