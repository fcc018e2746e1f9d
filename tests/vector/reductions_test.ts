import { describe } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import type { Kernels } from "../../lib/vector/kernel.ts";
import { portable } from "../../lib/vector/portable.ts";
import { tiered } from "../tier.ts";
import { implementations, itHolds, withVnni } from "./implementations.ts";
import { sumOf } from "./oracle.ts";

/** The bound that `dot` and `sum` state. */
const C = 18;
const RUNS = tiered({ quick: 60, full: 2000, soak: 100_000 });

const moderate = fc.float({ min: Math.fround(-1e18), max: Math.fround(1e18), noNaN: true });
const any = fc.float();

/** Two arrays of one length, which start anywhere in a cache line. */
const pair = fc.integer({ min: 0, max: 20 }).chain((offset) =>
  fc.array(fc.tuple(moderate, moderate), { maxLength: 700, size: "max" }).map((pairs) => {
    const [x, y] = [0, 1].map((side) => {
      const array = new Float32Array(offset + pairs.length).subarray(offset);
      pairs.forEach((pair, i) => array[i] = pair[side]);
      return array;
    });
    return { x, y };
  })
);

function checkDot({ dot }: Kernels, x: Float32Array, y: Float32Array): void {
  const { sum, magnitude } = sumOf(x.values().map((value, i) => value * y[i]));
  const bound = C * 2 ** -23 * magnitude + x.length * 2 ** -149;
  const actual = dot(x, y, x.length);
  assert(Math.abs(actual - sum) <= bound, `dot is ${actual}, not ${sum} within ${bound}`);
}

function checkSum({ sum }: Kernels, x: Float32Array): void {
  const exact = sumOf(x);
  const bound = C * 2 ** -23 * exact.magnitude;
  const actual = sum(x, x.length);
  assert(Math.abs(actual - exact.sum) <= bound, `sum is ${actual}, not ${exact.sum} within ${bound}`);
}

/** Deterministic, with no pattern that a kernel's lanes could share. */
function noise(length: number, scale: (random: number) => number): Float32Array<ArrayBuffer> {
  let state = 12345;
  return Float32Array.from({ length }, () => {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    return scale((state >>> 8) / 2 ** 24);
  });
}

describe("dot and sum", () => {
  itHolds("are within their bounds for arrays of all kinds", (kernels) => {
    fc.assert(
      fc.property(pair, ({ x, y }) => {
        if (x.length === 0) return;
        checkDot(kernels, x, y);
        checkSum(kernels, x);
      }),
      { numRuns: RUNS },
    );
  });

  itHolds("are within their bounds where every rounding goes the same way", (kernels) => {
    for (const length of [127, 128, 4095, 4096, 4097, 300_001]) {
      for (const value of [0.1, 1 + 2 ** -23, 1 - 2 ** -24, 16777215]) {
        const x = new Float32Array(length).fill(value);
        checkDot(kernels, x, x);
        checkSum(kernels, x);
      }
      const skewed = noise(length, (random) => random ** 8 * 1000);
      checkDot(kernels, skewed, skewed);
      checkSum(kernels, skewed);
    }
  });

  itHolds("lose nothing to products that are subnormal", (kernels) => {
    const x = noise(1000, (random) => random * 1e-22);
    checkDot(kernels, x, x);
    checkSum(kernels, new Float32Array(999).fill(1e-45));
  });

  itHolds("are exact where the sums are", ({ dot, sum }) => {
    const x = Float32Array.from({ length: 10_000 }, (_, i) => i % 17 - 8);
    assertStrictEquals(sum(x, x.length), portable.sum(x, x.length));
    assertStrictEquals(dot(x, x, x.length), portable.dot(x, x, x.length));
  });

  itHolds("give what is no number as arithmetic does", ({ dot, sum }) => {
    for (const length of [1, 7, 16, 17, 200]) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const x = new Float32Array(length).fill(1);
        const ones = x.slice();
        x[length >> 1] = value;
        assertStrictEquals(sum(x, length), value);
        assertStrictEquals(dot(x, ones, length), value);
        assertStrictEquals(dot(x, new Float32Array(length), length), NaN);
      }
      if (length > 1) {
        const x = new Float32Array(length);
        [x[0], x[length - 1]] = [Infinity, -Infinity];
        assertStrictEquals(sum(x, length), NaN);
      }
    }
  });

  itHolds("stay within their bounds however long the array is", ({ sum, dot }) => {
    const length = tiered({ quick: 2 ** 22, full: 2 ** 28, soak: 2 ** 28 });
    const x = new Float32Array(length).fill(0.1);
    const exact = length * Math.fround(0.1);
    const actual = sum(x, length);
    assert(Math.abs(actual - exact) <= C * 2 ** -23 * exact, `sum is ${actual}, not ${exact}`);
    const squares = dot(x, x, length);
    const exactSquares = length * Math.fround(0.1) ** 2;
    assert(Math.abs(squares - exactSquares) <= C * 2 ** -23 * exactSquares, `dot is ${squares}`);
  });
});

describe("max", () => {
  itHolds("is Math.max of any elements, NaN and the sign of 0 included", ({ max }) => {
    const few = fc.constantFrom(NaN, -NaN, 0, -0, Infinity, -Infinity, 1, -1, 1e-45, -1e-45);
    const arrays = fc.array(fc.oneof(any, few, fc.constantFrom(-0, -1)), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(arrays, (elements) => {
        const x = Float32Array.from(elements);
        assertStrictEquals(max(x, x.length), x.reduce((a, b) => Math.max(a, b), -Infinity));
      }),
      { numRuns: RUNS * 5 },
    );
  });

  itHolds("sees NaN of either sign at any place", ({ max }) => {
    for (const bits of [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0xffffffff]) {
      for (let place = 0; place < 70; place++) {
        for (const other of [1, -1]) {
          const x = new Float32Array(70).fill(other);
          new Uint32Array(x.buffer)[place] = bits;
          assertStrictEquals(max(x, x.length), NaN);
        }
      }
    }
  });

  itHolds("takes 0 before -0", ({ max }) => {
    for (let place = 0; place < 40; place++) {
      const x = new Float32Array(40).fill(-0);
      assertStrictEquals(max(x, x.length), -0);
      x[place] = 0;
      assertStrictEquals(max(x, x.length), 0);
    }
  });
});

describe("axpy", () => {
  itHolds("rounds each element once", ({ axpy }) => {
    fc.assert(
      fc.property(moderate, pair, (alpha, { x, y }) => {
        if (x.length === 0) return;
        const out = y.slice();
        axpy(alpha, x, out, x.length);
        out.forEach((actual, i) => {
          const exact = alpha * x[i] + y[i];
          const bound = Math.max(2 ** -23 * Math.abs(exact), 2 ** -148) * 0.5000001;
          assert(
            Math.abs(actual - exact) <= bound || Math.abs(exact) > 3.4e38,
            `element ${i} is ${actual}, not ${exact}`,
          );
        });
      }),
      { numRuns: RUNS },
    );
  });
});

describe("dotInt8", () => {
  itHolds("is exact", ({ dotInt8 }) => {
    const bytes = fc.array(
      fc.tuple(fc.integer({ min: -128, max: 127 }), fc.integer({ min: -128, max: 127 })),
      {
        minLength: 1,
        maxLength: 600,
        size: "max",
      },
    );
    fc.assert(
      fc.property(bytes, (pairs) => {
        const [x, y] = [0, 1].map((side) => Int8Array.from(pairs, (pair) => pair[side]));
        assertStrictEquals(dotInt8(x, y, x.length), pairs.reduce((sum, [a, b]) => sum + a * b, 0));
      }),
      { numRuns: RUNS },
    );
  }, [...implementations, ...withVnni]);

  itHolds("is exact beyond what 32 bits hold, at the ends of the range", ({ dotInt8 }) => {
    const length = tiered({ quick: 1_300_003, full: 40_000_003, soak: 40_000_003 });
    for (const [a, b] of [[-128, -128], [127, -128], [-128, 127], [127, 127]]) {
      const [x, y] = [a, b].map((value) => new Int8Array(length).fill(value));
      assertStrictEquals(dotInt8(x, y, length), length * a * b);
    }
  }, [...implementations, ...withVnni]);

  itHolds("adds nothing for nothing", ({ dotInt8 }) => {
    assertEquals(dotInt8(new Int8Array(1000), new Int8Array(1000).fill(-128), 1000), 0);
    assertEquals(dotInt8(new Int8Array(1000).fill(-128), new Int8Array(1000), 1000), 0);
  }, [...implementations, ...withVnni]);
});
