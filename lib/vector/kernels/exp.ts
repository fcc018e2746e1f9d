/**
 * e to the power of each lane: x = n·ln 2 + r with n whole and |r| ≤ ln(2)/2, then exp(r) as a polynomial,
 * then times 2^n. ln 2 is given in two parts and FMA rounds n times each only with the sum, so r is good to
 * half its own last place. 2^n goes on at last, so that a subnormal is rounded once.
 */
import type { Constant, Lanes, Register } from "./lanes.ts";

/**
 * The coefficients are exp(r) = 1 + r + c₂r² + … + c₆r⁶ on ±ln(2)/2: minimax in the relative error, 2^-28.3,
 * each rounded to float32 with those after it fitted anew. The bounds are where exp is 0 and Infinity.
 */
export const EXP_CONSTANTS = {
  low: -104,
  high: 89,
  one: 1,
  log2e: Math.LOG2E,
  ln2: Math.fround(Math.LN2),
  ln2Rest: Math.LN2 - Math.fround(Math.LN2),
  c6: 0.0013821469619870186,
  c5: 0.008368662558495998,
  c4: 0.041668254882097244,
  c3: 0.1666652113199234,
  c2: 0.4999999403953552,
} as const;

export type ExpConstants = Readonly<Record<keyof typeof EXP_CONSTANTS, Constant>>;

/** To the nearest, ties to even, with no exception. */
export const NEAREST = 8;

/**
 * Computes exp of the first register in place, NaN of NaN; changes the other two. `low`, `high`, `one` and `c6`
 * of the constants must be registers. Where `limit` says so, x is known to be no more than 0.
 */
export function computeExp(
  lanes: Lanes,
  c: ExpConstants,
  [x, other, another]: readonly [number, number, number],
  limit: "any" | "at most 0" = "any",
): void {
  const [vx, vn, p] = [x, other, another].map((i) => lanes.v(i));
  // Where one is NaN these give the second, which is x.
  if (limit === "any") lanes.op("vminps", vx, c.high, vx);
  lanes.op("vmaxps", vx, c.low, vx);
  lanes.op("vmulps", vn, vx, c.log2e);
  lanes.op(lanes.level === "avx512" ? "vrndscaleps" : "vroundps", vn, vn, NEAREST);
  lanes.op("vfnmadd231ps", vx, vn, c.ln2);
  lanes.op("vfnmadd231ps", vx, vn, c.ln2Rest);
  lanes.op("vmovaps", p, c.c6);
  for (const coefficient of [c.c5, c.c4, c.c3, c.c2, c.one, c.one]) {
    lanes.op("vfmadd213ps", p, vx, coefficient);
  }
  if (lanes.level === "avx512") lanes.op("vscalefps", vx, p, vn);
  else scale(lanes, c.one, vx, p, vn);
}

/** `to` = p·2^n in two halves, for neither 2^128 nor 2^-150 is a float32. Changes all three registers. */
function scale(lanes: Lanes, one: Constant, to: Register, p: Register, n: Register): void {
  lanes.op("vcvtps2dq", n, n);
  lanes.op("vpsrad", to, n, 1);
  lanes.op("vpsubd", n, n, to);
  for (const exponent of [to, n]) {
    lanes.op("vpslld", exponent, exponent, 23);
    lanes.op("vpaddd", exponent, exponent, one);
  }
  lanes.op("vmulps", to, to, p);
  lanes.op("vmulps", to, to, n);
}
