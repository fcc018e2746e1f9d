import { lengthOfArray, requireApart, requireLength } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/**
 * The dot product of two arrays of equal length, Σ x·y, of none 0; in double precision.
 *
 * Off by at most 18·2⁻²³·Σ|x·y| + n·2⁻¹⁴⁹ whatever n is: kernels add up 32 products in float32 with one rounding
 * each, three more between their sums, and the rest in double precision. Where Σ|x·y| reaches 2¹²⁷ a sum may
 * overflow.
 *
 * @throws {TypeError | RangeError} where an argument is no Float32Array, or their lengths differ.
 *
 * @example
 * ```ts
 * import { dot } from "@oxbow/oxbow/vector";
 *
 * console.log(dot(Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6))); // 32
 * ```
 */
export function dot(x: Float32Array, y: Float32Array): number {
  const length = lengthOfArray("dot", "x", "Float32Array", x);
  requireLength("dot", "y", lengthOfArray("dot", "y", "Float32Array", y), length, "x");
  return length === 0 ? 0 : implementation().kernels.dot(x, y, length);
}

/**
 * y = α·x + y, as BLAS has it, with `alpha` rounded to float32 and each element rounded once.
 *
 * @throws {TypeError | RangeError} where an argument is of the wrong type, lengths differ, or the arrays share
 * memory without being the same.
 *
 * @example
 * ```ts
 * import { axpy } from "@oxbow/oxbow/vector";
 *
 * const y = Float32Array.of(1, 1, 1);
 * axpy(0.5, Float32Array.of(2, 4, 6), y);
 * console.log(y); // Float32Array(3) [ 2, 3, 4 ]
 * ```
 */
export function axpy(alpha: number, x: Float32Array, y: Float32Array): void {
  if (typeof alpha !== "number") throw new TypeError(`axpy: alpha is ${String(alpha)}, not a number`);
  const length = lengthOfArray("axpy", "x", "Float32Array", x);
  requireLength("axpy", "y", lengthOfArray("axpy", "y", "Float32Array", y), length, "x");
  requireApart("axpy", "y", y, "x", x, "may be the same");
  if (length > 0) implementation().kernels.axpy(Math.fround(alpha), x, y, length);
}
