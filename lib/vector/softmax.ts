import { lengthOfBoth, rowsOf } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/** How `softmax` reads its elements, and where their result goes. */
export interface SoftmaxOptions<A extends Float32Array = Float32Array> {
  /** Elements of a row: all of them where nothing is said. */
  readonly columns?: number;
  /** `x` where nothing is said. */
  readonly out?: A;
}

/**
 * exp(x) over the sum of exp(x), row by row, in place or to `out`, which is returned. The greatest element of
 * a row is taken off first, so nothing overflows.
 *
 * Each result is off by at most (8 + |x - m|)·2⁻²⁴ of itself, with m the row's greatest, and by 2⁻¹⁴⁹ more where
 * it is subnormal. A row with NaN or `Infinity` in it, or of nothing but `-Infinity`, becomes all NaN.
 *
 * @throws {TypeError | RangeError} where an argument is of the wrong type, lengths differ, the arrays share
 * memory without being the same, or `columns` does not divide their length.
 *
 * @example
 * ```ts
 * import { softmax } from "@oxbow/oxbow/vector";
 *
 * const scores = Float32Array.of(0, 0, 0, -Infinity);
 * console.log(softmax(scores, { columns: 2 })); // Float32Array(4) [ 0.5, 0.5, 1, 0 ]
 * ```
 */
export function softmax<A extends Float32Array>(x: A, options: SoftmaxOptions<A> = {}): A {
  const { out = x } = options;
  const length = lengthOfBoth("softmax", x, out);
  const { columns = length } = options;
  const rows = rowsOf("softmax", length, columns);
  if (rows > 0) implementation().kernels.softmax(x, out, rows, columns);
  return out;
}
