import { lengthOfArray, requireLength } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/**
 * The dot product of two arrays of bytes of equal length, of none 0. Exact.
 *
 * @throws {TypeError | RangeError} where an argument is no Int8Array, or their lengths differ.
 *
 * @example
 * ```ts
 * import { dotInt8 } from "@oxbow/oxbow/vector";
 *
 * console.log(dotInt8(Int8Array.of(-128, 1), Int8Array.of(-128, 2))); // 16386
 * ```
 */
export function dotInt8(x: Int8Array, y: Int8Array): number {
  const length = lengthOfArray("dotInt8", "x", "Int8Array", x);
  requireLength("dotInt8", "y", lengthOfArray("dotInt8", "y", "Int8Array", y), length, "x");
  return length === 0 ? 0 : implementation().kernels.dotInt8(x, y, length);
}
