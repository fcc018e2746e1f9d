/**
 * The polynomials of `gelu`, for its kernels and its twin: coefficients from the constant up, each rounded to
 * float32 with those after it fitted anew.
 */

/** 1/√(2π), the slope of Φ at 0: rounded to float32, and what is left. */
export const SLOPE = 0.3989422917366028;
export const SLOPE_REST = -1.1335170135851058e-8;

/**
 * P of Φ(x) = 1/2 + x·(1/√(2π) + s·P(s)) with s = x², for |x| ≤ 1: minimax, of degree 4, which leaves an
 * error of 2^-32.3 in Φ.
 */
export const CENTRE: readonly number[] = [
  -0.06649035960435867,
  0.009973304346203804,
  -0.0011862623505294323,
  0.00011340266064507887,
  -7.619565167260589e-6,
];

/**
 * Mills' ratio R(t) = (1 - Φ(t))·exp(t²/2), in t - 3, for 1 ≤ t ≤ 5: minimax, of degree 9, under the weight
 * t·exp(-t²/2) + 2^-8. An error of 2^-26.3 in t·(1 - Φ(t)), and of 4e-5 of it where that is less.
 */
export const TAIL: readonly number[] = [
  0.12151370197534561,
  -0.03439996391534805,
  0.009160821326076984,
  -0.002307147951796651,
  0.0005500689730979502,
  -0.00013478855544235557,
  3.037718852283433e-5,
  -3.026794274774147e-6,
  1.3476699223247124e-6,
  -7.290284997907293e-7,
];
export const TAIL_MIDDLE = 3;
export const TAIL_END = 5;

/** Where gelu is 0 in float32, and stays it. */
export const FLOOR = -16;
