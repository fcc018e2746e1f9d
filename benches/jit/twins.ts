/** The other vector functions beside their twins in TypeScript, as large as a transformer or a search has them. */
import { implementation } from "../../lib/vector/implementation.ts";
import type { Kernels } from "../../lib/vector/kernel.ts";
import { topK, vectorLevel } from "../../lib/vector/mod.ts";
import { portable } from "../../lib/vector/portable.ts";
import { compare, type Contender, timed } from "../compare.ts";

const ROWS = 32;
const COLUMNS = 384;
const LENGTH = ROWS * COLUMNS;
const TWIN = "in TypeScript";

const x = Float32Array.from({ length: LENGTH }, (_, i) => (i * 0.6180339887498949 % 1) * 8 - 4);
const gamma = x.slice(0, COLUMNS);
const beta = x.slice(COLUMNS, 2 * COLUMNS);
const out = new Float32Array(LENGTH);
const bytes = Int8Array.from({ length: LENGTH }, (_, i) => i * 91);
const halves = Uint16Array.from({ length: LENGTH }, (_, i) => i * 5 % 31_000);
const scores = Float32Array.from({ length: 100_000 }, (_, i) => i * 0.6180339887498949 % 1);

/** Each gives a number by which it is checked. */
const cases: Readonly<Record<string, (kernels: Kernels) => number>> = {
  max: ({ max }) => max(x, LENGTH),
  [`softmax, rows of ${COLUMNS}`]: ({ softmax }) => {
    softmax(x, out, ROWS, COLUMNS);
    return out[LENGTH - 1];
  },
  [`layerNorm, rows of ${COLUMNS}`]: ({ layerNorm }) => {
    layerNorm(x, out, gamma, beta, ROWS, COLUMNS, 1e-12);
    return out[LENGTH - 1];
  },
  f16ToF32: ({ f16ToF32 }) => {
    f16ToF32(halves, out, LENGTH);
    return out[LENGTH - 1];
  },
  bf16ToF32: ({ bf16ToF32 }) => {
    bf16ToF32(halves, out, LENGTH);
    return out[LENGTH - 1];
  },
  dotInt8: ({ dotInt8 }) => dotInt8(bytes, bytes, LENGTH),
};

function near(name: string, expected: number): (result: number) => void {
  return (result) => {
    if (!(Math.abs(result - expected) <= 1e-5 * Math.abs(expected))) {
      throw new Error(`${name} gave ${result}, and ${expected} is right`);
    }
  };
}

function contender(
  name: string,
  run: () => number,
  expected: number,
  elements: number,
  quick: boolean,
): Contender {
  return timed({ name, quick, run, check: near(name, expected), figure: (ns) => ns / elements });
}

function topKBySorting(): number {
  return Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a])[9];
}

/** Prints what an element costs. */
export async function compareTwins(quick: boolean): Promise<void> {
  const { kernels } = implementation();
  for (const [name, run] of Object.entries(cases)) {
    const expected = run(portable);
    await compare({
      title: `${name}, ${LENGTH} elements`,
      units: ["ns an element"],
      baseline: TWIN,
      contenders: [
        contender(TWIN, () => run(portable), expected, LENGTH, quick),
        contender(vectorLevel(), () => run(kernels), expected, LENGTH, quick),
      ],
      quick,
    });
  }
  const expected = topKBySorting();
  await compare({
    title: `the best 10 of ${scores.length} scores`,
    units: ["ns a score"],
    baseline: "sorted",
    contenders: [
      contender("sorted", topKBySorting, expected, scores.length, quick),
      contender("topK", () => topK(scores, 10).indices[9], expected, scores.length, quick),
    ],
    quick,
  });
}
