/** `dot` and `sum` of arrays in the caches, beside what the machine can load and a loop in TypeScript. */
import { addressOf, pointerTo } from "../../ffi/mod.ts";
import { cpu } from "../../lib/jit/cpu.ts";
import { load } from "../../lib/jit/load.ts";
import { dot, sum } from "../../lib/vector/mod.ts";
import type { KernelLevel } from "../../lib/vector/kernels/lanes.ts";
import { dotCode, sumCode } from "../../lib/vector/kernels/reduce.ts";
import { compare, type Contender, equals, timed } from "../compare.ts";
import { fmaPeak, loadPeak, multiplyAdds, repeat } from "./peaks.ts";

const LOOP = "a loop in TypeScript";
const LOADS = "loads alone";
const TURNS = 1000;

function dotLoop(x: Float32Array, y: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i] * y[i];
  return total;
}

function sumLoop(x: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i];
  return total;
}

function tools(level: KernelLevel) {
  const array = { parameters: ["buffer!", "usize"], result: "void" } as const;
  const repeated = { parameters: ["buffer!", "buffer!", "usize", "usize"], result: "f64" } as const;
  return load({
    fmaPeak: { signature: { parameters: ["usize"], result: "void" }, code: fmaPeak(level) },
    loadPeak: { signature: array, code: loadPeak(level) },
    dot: {
      signature: { parameters: ["buffer!", "buffer!", "usize"], result: "f64" },
      code: dotCode(level),
    },
    sum: { signature: { parameters: ["buffer!", "usize"], result: "f64" }, code: sumCode(level) },
    repeatLoads: { signature: repeated, code: repeat(level, "loadPeak", "x") },
    repeatDot: { signature: repeated, code: repeat(level, "dot", "x, y") },
    repeatSum: { signature: repeated, code: repeat(level, "sum", "x") },
  }).symbols;
}

/** One of the two, over `bytes` of arrays that lie in a cache. */
interface Subject {
  readonly name: string;
  readonly bytes: number;
  readonly expected: number;
  /** From machine code, so often. */
  repeat(turns: number): number;
  /** From TypeScript, once. */
  call(): number;
  loop(): number;
  /** Loads of all the bytes, from machine code, so often. */
  repeatLoads(turns: number): void;
}

/** From the start of a cache line: a load that crosses two costs two, and `loadPeak` would show half the peak. */
function aligned(bytes: number): Float32Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(bytes + 64);
  const address = Number(addressOf(pointerTo(new Uint8Array(buffer))) % 64n);
  return new Float32Array(buffer, (64 - address) % 64, bytes / 4);
}

/** Over small integers, whose sums are exact. */
function subjects(level: KernelLevel, bytes: number): Subject[] {
  const { repeatDot, repeatLoads, repeatSum } = tools(level);
  const both = aligned(bytes);
  both.forEach((_, i) => both[i] = i % 8 - 3);
  const [x, y] = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)];
  const loads = {
    bytes,
    repeatLoads: (turns: number): void => {
      repeatLoads(both, both, both.length, turns);
    },
  };
  return [
    {
      ...loads,
      name: "dot",
      expected: dotLoop(x, y),
      repeat: (turns) => repeatDot(x, y, x.length, turns),
      call: () => dot(x, y),
      loop: () => dotLoop(x, y),
    },
    {
      ...loads,
      name: "sum",
      expected: sumLoop(both),
      repeat: (turns) => repeatSum(both, both, both.length, turns),
      call: () => sum(both),
      loop: () => sumLoop(both),
    },
  ];
}

function contender<T>(name: string, bytes: number, run: () => T, expected: T, quick: boolean): Contender {
  return timed({ name, quick, run, check: equals(name, expected), figure: (ns) => bytes / ns });
}

/** What `dot` would read in the time of as many multiply-adds. */
function multiplyAddsAlone(level: KernelLevel, quick: boolean): Contender {
  const { fmaPeak } = tools(level);
  const bytes = 8 * multiplyAdds(level) * TURNS;
  return contender("multiply-adds alone, at 8 bytes each", bytes, () => fmaPeak(TURNS), undefined, quick);
}

async function compareSubject(
  subject: Subject,
  cache: string,
  level: KernelLevel,
  quick: boolean,
): Promise<void> {
  const { name, bytes, expected, repeat, call, loop, repeatLoads } = subject;
  const turns = Math.max(1, Math.round((quick ? 2 ** 16 : 2 ** 22) / bytes));
  const [fromCode, fromTypeScript] = [`${name}, called by machine code`, `${name}, called from TypeScript`];
  const called = contender(fromTypeScript, bytes, call, expected, quick);
  await compare({
    title: `${name} of ${bytes / 1024} KiB in the ${cache}, ${level}`,
    units: ["GB/s"],
    baseline: LOADS,
    contenders: [
      contender(LOADS, turns * bytes, () => repeatLoads(turns), undefined, quick),
      ...(name === "dot" ? [multiplyAddsAlone(level, quick)] : []),
      contender(fromCode, turns * bytes, () => repeat(turns), expected, quick),
      called,
    ],
    quick,
    targets: [{ name: fromCode, atLeast: 0.8 }],
  });
  await compare({
    title: `${name} of ${bytes / 1024} KiB in the ${cache}, beside a loop`,
    units: ["GB/s"],
    baseline: LOOP,
    contenders: [contender(LOOP, bytes, loop, expected, quick), called],
    quick,
    targets: [{ name: fromTypeScript, atLeast: 8 }],
  });
}

/** Prints how much of what can be loaded is, in the first cache and in the second. */
export async function compareCached(level: KernelLevel, quick: boolean): Promise<void> {
  for (const { level: number, size } of cpu().caches.filter(({ type }) => type !== "instruction")) {
    if (number > 2) continue;
    // Less than half, in whole blocks of the loads.
    const bytes = 2 ** Math.floor(Math.log2(size / 2));
    for (const subject of subjects(level, bytes)) {
      await compareSubject(subject, `L${number} cache`, level, quick);
    }
  }
}
