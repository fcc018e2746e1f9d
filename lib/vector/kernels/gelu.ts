/**
 * x·Φ(x), with Φ from a polynomial around 0 and as 1 - Q(|x|) or Q(|x|) beyond, Q by Mills' ratio. Around 0 it
 * is x/2 + x·(Φ - 1/2), where FMA rounds the last sum once and Φ - 1/2 once: so what cancels at -1 is exact
 * enough.
 */
import { k2, k3 } from "../../jit/mod.ts";
import { CENTRE, FLOOR, SLOPE, SLOPE_REST, TAIL, TAIL_END, TAIL_MIDDLE } from "../gelu_polynomials.ts";
import { computeExp, EXP_CONSTANTS } from "./exp.ts";
import type { Constant, Lanes, Register } from "./lanes.ts";

const CENTRE_NAMES = ["p0", "p1", "p2", "p3", "p4"] as const;
const TAIL_NAMES = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"] as const;

type Name =
  | (keyof typeof EXP_CONSTANTS)
  | (typeof CENTRE_NAMES)[number]
  | (typeof TAIL_NAMES)[number]
  | ("magnitude" | "floor" | "half" | "minusHalf" | "slope" | "slopeRest" | "tailEnd" | "tailMiddle");

function named<N extends string>(names: readonly N[], values: readonly number[]): Record<N, number>;
function named(names: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** Registers below this one are scratch. */
export const GELU_SCRATCH = 7;

/** The order gives registers to what cannot be read from memory, then to what is longest waited for. */
export const GELU_CONSTANTS: Readonly<Record<Name, number | bigint>> = {
  ...EXP_CONSTANTS,
  half: 0.5,
  magnitude: 0x7fffffffn,
  ...named(CENTRE_NAMES, CENTRE),
  ...named(TAIL_NAMES.toReversed(), TAIL.toReversed()),
  slopeRest: SLOPE_REST,
  slope: SLOPE,
  minusHalf: -0.5,
  tailEnd: TAIL_END,
  tailMiddle: TAIL_MIDDLE,
  floor: FLOOR,
};

const GREATER = 30;

/** `to` = c₀ + at·(c₁ + at·…). */
function horner(lanes: Lanes, to: Register, at: Register, coefficients: readonly Constant[]): void {
  const [highest, ...others] = coefficients.toReversed();
  lanes.op("vmovaps", to, highest);
  for (const coefficient of others) lanes.op("vfmadd213ps", to, at, coefficient);
}

/** Computes gelu of register 0 in place. */
export function computeGelu(lanes: Lanes, c: Readonly<Record<Name, Constant>>): void {
  const [x, square, centre, tail, scratch, magnitude, beyond] = [0, 1, 2, 3, 4, 5, 6].map((i) => lanes.v(i));
  const isWide = lanes.level === "avx512";
  lanes.op("vmulps", square, x, x);

  horner(lanes, centre, square, [c.slopeRest, ...CENTRE_NAMES.map((name) => c[name])]);
  lanes.op("vmulps", centre, centre, x);
  lanes.op("vfmadd231ps", centre, x, c.slope);
  lanes.op("vmulps", scratch, x, c.half);
  lanes.op("vfmadd213ps", centre, x, scratch);

  lanes.op("vandps", magnitude, x, c.magnitude);
  if (isWide) lanes.op("vcmpps", k2, magnitude, c.one, GREATER);
  else lanes.op("vcmpps", beyond, magnitude, c.one, GREATER);
  lanes.op("vminps", magnitude, magnitude, c.tailEnd);
  lanes.op("vsubps", magnitude, magnitude, c.tailMiddle);
  horner(lanes, tail, magnitude, TAIL_NAMES.map((name) => c[name]));
  lanes.op("vmulps", square, square, c.minusHalf);
  computeExp(lanes, c, [square.id, scratch.id, magnitude.id], "at most 0");
  lanes.op("vmulps", tail, tail, square);
  lanes.op("vsubps", scratch, c.one, tail);
  if (isWide) {
    lanes.op("vpmovd2m", k3, x);
    lanes.op("vmovaps", scratch.k(k3), tail);
  } else {
    lanes.op("vblendvps", scratch, scratch, tail, x);
  }
  // Minus infinity times 0 would be NaN.
  lanes.op("vmaxps", x, x, c.floor);
  if (isWide) {
    lanes.op("vmulps", centre.k(k2), x, scratch);
    lanes.copy(x, centre);
  } else {
    lanes.op("vmulps", x, x, scratch);
    lanes.op("vblendvps", x, centre, x, beyond);
  }
}
