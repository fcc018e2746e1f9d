import { lengthOfArray } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/**
 * The sum of the elements, of none 0; in double precision.
 *
 * Off by at most 18·2⁻²³·Σ|x| whatever their number is, as `dot` is and for the same reason.
 *
 * @throws {TypeError} where `x` is no Float32Array.
 *
 * @example
 * ```ts
 * import { sum } from "@oxbow/oxbow/vector";
 *
 * console.log(sum(new Float32Array(1 << 20).fill(0.5))); // 524288
 * ```
 */
export function sum(x: Float32Array): number {
  const length = lengthOfArray("sum", "x", "Float32Array", x);
  return length === 0 ? 0 : implementation().kernels.sum(x, length);
}

/**
 * The greatest element, as `Math.max` has it: `NaN` where one is NaN, 0 before -0, of none `-Infinity`. Exact.
 *
 * @throws {TypeError} where `x` is no Float32Array.
 *
 * @example
 * ```ts
 * import { max } from "@oxbow/oxbow/vector";
 *
 * console.log(max(Float32Array.of(3, -1, 4))); // 4
 * ```
 */
export function max(x: Float32Array): number {
  const length = lengthOfArray("max", "x", "Float32Array", x);
  return length === 0 ? -Infinity : implementation().kernels.max(x, length);
}
