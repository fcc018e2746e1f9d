import { lengthOfBoth } from "./arguments.ts";
import { implementation } from "./implementation.ts";

/**
 * e to the power of each element, in place or to `out`, which is returned. Within 2 units in the last place,
 * subnormal results too; `Infinity` and 0 beyond float32, NaN of NaN.
 *
 * @throws {TypeError | RangeError} where an argument is no Float32Array, lengths differ, or the arrays share
 * memory without being the same.
 *
 * @example
 * ```ts
 * import { exp } from "@oxbow/oxbow/vector";
 *
 * console.log(exp(Float32Array.of(0, -Infinity))); // Float32Array(2) [ 1, 0 ]
 * ```
 */
export function exp<A extends Float32Array>(x: A, out: A = x): A {
  const length = lengthOfBoth("exp", x, out);
  if (length > 0) implementation().kernels.exp(x, out, length);
  return out;
}

/**
 * x·Φ(x) of each element, in place or to `out`, which is returned: the exact form by the error function, not
 * its approximation by tanh. Within 2 units in the last place for x ≥ -1, and within 2⁻²² below; -0 of
 * `-Infinity`, NaN of NaN.
 *
 * @throws {TypeError | RangeError} where an argument is no Float32Array, lengths differ, or the arrays share
 * memory without being the same.
 *
 * @example
 * ```ts
 * import { gelu } from "@oxbow/oxbow/vector";
 *
 * console.log(gelu(Float32Array.of(-100, 0, 100))); // Float32Array(3) [ -0, 0, 100 ]
 * ```
 */
export function gelu<A extends Float32Array>(x: A, out: A = x): A {
  const length = lengthOfBoth("gelu", x, out);
  if (length > 0) implementation().kernels.gelu(x, out, length);
  return out;
}
