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
 * t·(1 - Φ(t))·exp(t²/2), in t - 2.75, for 1 ≤ t ≤ 4.5: minimax, of degree 8, under the weight exp(-t²/2) + 2^-12.
 * An error of 2^-25.2 in t·(1 - Φ(t)), and of 2.5e-4 of it where that is less. It is near its limit 1/√(2π) at
 * 4.5: beyond, its value there is within 5 %.
 */
export const TAIL: readonly number[] = [
  0.3594941794872284,
  0.022242384031414986,
  -0.008884058333933353,
  0.002950186375528574,
  -0.0009074626723304391,
  0.0002961590071208775,
  -3.8072637835284695e-5,
  7.464624104613904e-6,
  -1.2873814739577938e-5,
];
export const TAIL_MIDDLE = 2.75;
export const TAIL_END = 4.5;
