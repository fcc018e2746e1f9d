/**
 * x·Φ(x). Around 0 it is x/2 + x·(Φ(x) - 1/2) by a polynomial, where FMA rounds the sum once and Φ(x) - 1/2
 * once, so that what cancels at -1 is exact enough. Beyond it is max(x, 0) - t·(1 - Φ(t)) with t = |x|, for
 * either sign.
 */
import { k2 } from "../../jit/mod.ts";
import { CENTRE, SLOPE, SLOPE_REST, TAIL, TAIL_END, TAIL_MIDDLE } from "../gelu_polynomials.ts";
import { NEAREST } from "./exp.ts";
import type { Constant, KernelLevel, Lanes, Register } from "./lanes.ts";

/** 2^f - 1 over f on ±1/2: minimax in the relative error of 2^f, 2^-23.4, which is 2^-26 of t·(1 - Φ(t)). */
const POWER = [
  0.6931470036506653,
  0.24022246897220612,
  0.0555071085691452,
  0.009671291336417198,
  0.0013269521296024323,
];

const POWER_NAMES = ["e1", "e2", "e3", "e4", "e5"] as const;
const CENTRE_NAMES = ["c0", "c1", "c2", "c3", "c4"] as const;
const TAIL_NAMES = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"] as const;

type Name =
  | (typeof POWER_NAMES)[number]
  | (typeof CENTRE_NAMES)[number]
  | (typeof TAIL_NAMES)[number]
  | ("one" | "half" | "slope" | "slopeRest" | "magnitude" | "minusZero" | "exponent" | "lowest")
  | ("tailEnd" | "tailMiddle");

function named<N extends string>(names: readonly N[], values: readonly number[]): Record<N, number>;
function named(names: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]).toReversed());
}

/** Registers below this one are scratch. */
export const GELU_SCRATCH = 7;

/** Those that are longest waited for come first, since not all have a register. */
const CONSTANTS: Readonly<Record<Exclude<Name, "lowest">, number | bigint>> = {
  one: 1,
  ...named(POWER_NAMES, POWER),
  ...named(CENTRE_NAMES, CENTRE),
  ...named(TAIL_NAMES, TAIL),
  slopeRest: SLOPE_REST,
  slope: SLOPE,
  half: 0.5,
  magnitude: 0x7fffffffn,
  minusZero: -0,
  exponent: -Math.LOG2E / 2,
  tailEnd: TAIL_END,
  tailMiddle: TAIL_MIDDLE,
};

/**
 * The least exponent: 2 to it is 0, by rounding, or where only the exponent's bits are added to because they
 * are all 0 then.
 */
const LOWEST: Readonly<Record<KernelLevel, number>> = { avx512: -200, avx2: -127 };

export function geluConstants(level: KernelLevel): Readonly<Record<Name, number | bigint>> {
  return { ...CONSTANTS, lowest: LOWEST[level] };
}

const GREATER = 30;

/** `to` = c₀ + at·(c₁ + at·…). The last has a register. */
function horner(lanes: Lanes, to: Register, at: Register, coefficients: readonly Constant[]): void {
  const [highest, ...others] = coefficients.toReversed();
  lanes.op("vmovaps", to, highest);
  for (const coefficient of others) lanes.op("vfmadd213ps", to, at, coefficient);
}

/** `to` = p·2^n where that is no subnormal, and 0 where p is 1 and n is -127. Changes n. */
function addToExponent(lanes: Lanes, to: Register, p: Register, n: Register): void {
  lanes.op("vcvtps2dq", n, n);
  lanes.op("vpslld", n, n, 23);
  lanes.op("vpaddd", to, p, n);
}

/** Computes gelu of register 0 in place. */
export function computeGelu(lanes: Lanes, c: Readonly<Record<Name, Constant>>): void {
  const [x, square, centre, tail, t, power, beyond] = [0, 1, 2, 3, 4, 5, 6].map((i) => lanes.v(i));
  const isWide = lanes.level === "avx512";
  lanes.op("vandps", t, x, c.magnitude);
  if (isWide) lanes.op("vcmpps", k2, t, c.one, GREATER);
  else lanes.op("vcmpps", beyond, t, c.one, GREATER);
  lanes.op("vmulps", square, x, x);

  horner(lanes, centre, square, [c.slopeRest, ...CENTRE_NAMES.map((name) => c[name])]);
  lanes.op("vmulps", centre, centre, x);
  lanes.op("vfmadd231ps", centre, x, c.slope);
  lanes.op("vmulps", tail, x, c.half);
  lanes.op("vfmadd213ps", centre, x, tail);

  lanes.op("vminps", t, t, c.tailEnd);
  lanes.op("vsubps", t, t, c.tailMiddle);
  horner(lanes, tail, t, TAIL_NAMES.map((name) => c[name]));

  // exp(-t²/2) as 2^n·2^f.
  lanes.op("vmulps", square, square, c.exponent);
  lanes.op("vmaxps", square, square, c.lowest);
  lanes.op(isWide ? "vrndscaleps" : "vroundps", t, square, NEAREST);
  lanes.op("vsubps", square, square, t);
  horner(lanes, power, square, [c.one, ...POWER_NAMES.map((name) => c[name])]);
  if (isWide) lanes.op("vscalefps", square, power, t);
  else addToExponent(lanes, square, power, t);

  // The greater of -0 and x, where x is not between: -0 below keeps the sign of what comes to nothing.
  lanes.op("vmaxps", x, x, c.minusZero);
  lanes.op("vfnmadd231ps", x, tail, square);
  if (isWide) lanes.op("vblendmps", x.k(k2), centre, x);
  else lanes.op("vblendvps", x, centre, x, beyond);
}
