import { describe } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { tiered } from "../tier.ts";
import { itHolds } from "./implementations.ts";
import { sumOf } from "./oracle.ts";

const RUNS = tiered({ quick: 100, full: 3000, soak: 100_000 });

interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly x: Float32Array<ArrayBuffer>;
}

/** Rows of any kind of element, which start anywhere in a cache line. */
function rowsOf(element: fc.Arbitrary<number>): fc.Arbitrary<Rows> {
  return fc.record({
    rows: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 90 }),
    offset: fc.integer({ min: 0, max: 16 }),
  }).chain(({ rows, columns, offset }) =>
    fc.array(element, { minLength: rows * columns, maxLength: rows * columns }).map((elements) => {
      const x = new Float32Array(offset + elements.length).subarray(offset);
      x.set(elements);
      return { rows, columns, x };
    })
  );
}

function forEachRow({ rows, columns, x }: Rows, check: (row: Float32Array, from: number) => void): void {
  for (let i = 0; i < rows; i++) check(x.subarray(i * columns, (i + 1) * columns), i * columns);
}

function checkSoftmax(given: Rows, out: Float32Array): void {
  forEachRow(given, (row, from) => {
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const { sum } = sumOf(row.values().map((value) => Math.exp(value - most)));
    row.forEach((value, i) => {
      const exact = Math.exp(value - most) / sum;
      const bound = exact === 0 ? 0 : (8 + Math.abs(value - most)) * 2 ** -24 * exact + 2 ** -149;
      const actual = out[from + i];
      assert(Math.abs(actual - exact) <= bound, `element ${from + i} is ${actual}, not ${exact}`);
    });
  });
}

describe("softmax", () => {
  itHolds("is within its bound for each element", ({ softmax }) => {
    for (const [min, max] of [[-4, 4], [-60, 60], [-200, 100], [-1e30, 1e30]]) {
      const element = fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });
      fc.assert(
        fc.property(rowsOf(element), (given) => {
          const out = new Float32Array(given.x.length);
          softmax(given.x, out, given.rows, given.columns);
          checkSoftmax(given, out);
        }),
        { numRuns: RUNS },
      );
    }
  });

  itHolds("is within its bound for a long row", ({ softmax }) => {
    const columns = 150_001;
    const x = Float32Array.from({ length: columns }, (_, i) => (i * 0.6180339887498949 % 1) * 20 - 10);
    const out = new Float32Array(columns);
    softmax(x, out, 1, columns);
    checkSoftmax({ rows: 1, columns, x }, out);
  });

  itHolds("gives 0 for minus infinity, and NaN where no quotient is", ({ softmax }) => {
    for (const columns of [2, 8, 17]) {
      const rest = Array<number>(columns - 1).fill(0);
      const cases: readonly [element: number, others: number, first: number, last: number][] = [
        [-Infinity, 0, 0, 1 / (columns - 1)],
        [NaN, 0, NaN, NaN],
        [Infinity, 0, NaN, NaN],
        [-Infinity, -Infinity, NaN, NaN],
        [500, -500, 1, 0],
      ];
      for (const [element, others, first, last] of cases) {
        const x = Float32Array.of(element, ...rest.map(() => others));
        softmax(x, x, 1, columns);
        assertEquals([x[0], x[columns - 1]], [first, Math.fround(last)]);
      }
    }
  });
});

interface Scale {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly epsilon: number;
}

function checkLayerNorm(given: Rows, { gamma, beta, epsilon }: Scale, out: Float32Array): void {
  forEachRow(given, (row, from) => {
    const mean = sumOf(row).sum / row.length;
    const variance = sumOf(row.values().map((value) => (value - mean) ** 2)).sum / row.length;
    const most = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    row.forEach((value, i) => {
      const scale = gamma[i] / Math.sqrt(variance + epsilon);
      const scaled = (value - mean) * scale;
      const exact = scaled + beta[i];
      const ofMean = (row.length + 32) * 2 ** -53 * most * Math.abs(scale);
      const bound = 6 * 2 ** -24 * (Math.abs(scaled) + Math.abs(exact)) + ofMean +
        2 ** -148 * (1 + Math.abs(scale));
      const actual = out[from + i];
      assert(Math.abs(actual - exact) <= bound, `element ${from + i} is ${actual}, not ${exact} ± ${bound}`);
    });
  });
}

function scaleFor(columns: number, epsilon: number): Scale {
  return {
    gamma: Float32Array.from({ length: columns }, (_, i) => (i * 7 % 11 - 5) / 3),
    beta: Float32Array.from({ length: columns }, (_, i) => (i * 5 % 13 - 6) / 7),
    epsilon,
  };
}

describe("layerNorm", () => {
  const kinds: readonly [name: string, element: fc.Arbitrary<number>][] = [
    ["around 0", fc.float({ min: -8, max: 8, noNaN: true })],
    ["far from 0", fc.float({ min: 1_000_000, max: 1_000_064, noNaN: true })],
    ["large", fc.float({ min: Math.fround(-1e37), max: Math.fround(1e37), noNaN: true })],
    ["small", fc.float({ min: Math.fround(-1e-35), max: Math.fround(1e-35), noNaN: true })],
  ];
  for (const [name, element] of kinds) {
    itHolds(`is within its bound for elements ${name}`, ({ layerNorm }) => {
      fc.assert(
        fc.property(rowsOf(element), fc.constantFrom(1e-5, 1e-12, 1), (given, epsilon) => {
          const { x, rows, columns } = given;
          const scale = scaleFor(columns, epsilon);
          const out = new Float32Array(x.length);
          layerNorm(x, out, scale.gamma, scale.beta, rows, columns, epsilon);
          checkLayerNorm(given, scale, out);
        }),
        { numRuns: RUNS },
      );
    });
  }

  itHolds("is within its bound for a long row that lies far from 0", ({ layerNorm }) => {
    const columns = 100_003;
    const x = Float32Array.from({ length: columns }, (_, i) => 4096 + (i * 0.6180339887498949 % 1));
    const scale = scaleFor(columns, 1e-12);
    const out = new Float32Array(columns);
    layerNorm(x, out, scale.gamma, scale.beta, 1, columns, scale.epsilon);
    checkLayerNorm({ rows: 1, columns, x }, scale, out);
  });

  itHolds("gives beta for a row of equal elements", ({ layerNorm }) => {
    const { gamma, beta } = scaleFor(19, 1e-5);
    const x = new Float32Array(19).fill(0.1);
    layerNorm(x, x, gamma, beta, 1, 19, 1e-5);
    x.forEach((value, i) => assert(Math.abs(value - beta[i]) < 1e-5, `element ${i} is ${value}`));
  });

  itHolds("keeps NaN to its row", ({ layerNorm }) => {
    const { gamma, beta } = scaleFor(9, 1e-5);
    const x = Float32Array.from({ length: 27 }, (_, i) => i === 13 ? NaN : i);
    layerNorm(x, x, gamma, beta, 3, 9, 1e-5);
    assertEquals(Array.from(x, Number.isNaN), Array.from(x, (_, i) => i >= 9 && i < 18));
  });
});
