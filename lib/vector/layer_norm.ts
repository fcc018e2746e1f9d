import { lengthOfArray, lengthOfBoth, requireApart, requireLength } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/** What `layerNorm` scales with, and where its result goes. */
export interface LayerNormOptions<A extends Float32Array = Float32Array> {
  /** What each column is multiplied with at last; its length is that of a row. */
  readonly gamma: Float32Array;
  /** What is added to each column then: as long as `gamma`. */
  readonly beta: Float32Array;
  /** Added to the variance: 1e-5 where nothing is said. */
  readonly epsilon?: number;
  /** `x` where nothing is said. */
  readonly out?: A;
}

/**
 * (x - mean) / √(variance + ε)·γ + β, row by row, in place or to `out`, which is returned. The variance is the
 * mean of the squares, as in neural networks.
 *
 * Each result is off by at most 6·2⁻²⁴·(|result - β| + |result|) + s·(n + 32)·2⁻⁵³·max|x| + (s + 1)·2⁻¹⁴⁸ in a row
 * of n, with s = |γ| / √(variance + ε), where elements are below 2¹²⁶ and that root is from 2⁻¹²⁶ to 2¹²⁶. So a
 * row far from 0 loses nothing to float32.
 *
 * @throws {TypeError | RangeError} where an argument is of the wrong type, lengths do not fit, `out` shares
 * memory with another without being `x`, or `epsilon` is negative.
 *
 * @example
 * ```ts
 * import { layerNorm } from "@oxbow/oxbow/vector";
 *
 * const [gamma, beta] = [Float32Array.of(2, 2), Float32Array.of(0, 1)];
 * console.log(layerNorm(Float32Array.of(3, 5, -1, 7), { gamma, beta, epsilon: 0 }));
 * // Float32Array(4) [ -2, 3, -2, 3 ]
 * ```
 */
export function layerNorm<A extends Float32Array>(x: A, options: LayerNormOptions<A>): A {
  const { gamma, beta, epsilon = 1e-5, out = x } = options;
  const length = lengthOfBoth("layerNorm", x, out);
  const columns = lengthOfArray("layerNorm", "gamma", "Float32Array", gamma);
  requireLength(
    "layerNorm",
    "beta",
    lengthOfArray("layerNorm", "beta", "Float32Array", beta),
    columns,
    "gamma",
  );
  if (typeof epsilon !== "number") {
    throw new TypeError(`layerNorm: epsilon is ${String(epsilon)}, not a number`);
  }
  if (!(epsilon >= 0 && epsilon < Infinity)) {
    throw new RangeError(`layerNorm: epsilon is ${epsilon}, not a number from 0 on`);
  }
  if (columns === 0 ? length > 0 : length % columns !== 0) {
    throw new RangeError(`layerNorm: gamma has ${columns} elements, which do not divide the ${length} of x`);
  }
  requireApart("layerNorm", "out", out, "gamma", gamma, "must differ");
  requireApart("layerNorm", "out", out, "beta", beta, "must differ");
  if (length > 0) implementation().kernels.layerNorm(x, out, gamma, beta, length / columns, columns, epsilon);
  return out;
}
