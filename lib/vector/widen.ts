import { lengthOfArray, requireApart, requireLength } from "./arguments.ts";
import { implementation } from "./implementation.ts";

function convert(
  call: "bf16ToF32" | "f16ToF32",
  x: Uint16Array,
  given: Float32Array | undefined,
): Float32Array {
  const length = lengthOfArray(call, "x", "Uint16Array", x);
  const out = given === undefined ? new Float32Array(length) : given;
  requireLength(call, "out", lengthOfArray(call, "out", "Float32Array", out), length, "x");
  requireApart(call, "out", out, "x", x, "must differ");
  if (length > 0) implementation().kernels[call](x, out, length);
  return out;
}

/**
 * Numbers of bfloat16, the upper halves of float32, to a new array or to `out`, which is returned. Exact.
 *
 * @throws {TypeError | RangeError} where an argument is of the wrong type, lengths differ, or the arrays share
 * memory.
 *
 * @example
 * ```ts
 * import { bf16ToF32 } from "@oxbow/oxbow/vector";
 *
 * console.log(bf16ToF32(Uint16Array.of(0x3f80, 0xc000))); // Float32Array(2) [ 1, -2 ]
 * ```
 */
export function bf16ToF32<A extends Float32Array>(x: Uint16Array, out: A): A;
export function bf16ToF32(x: Uint16Array): Float32Array<ArrayBuffer>;
export function bf16ToF32(x: Uint16Array, out?: Float32Array): Float32Array {
  return convert("bf16ToF32", x, out);
}

/**
 * Numbers of IEEE 754's binary16 to a new array or to `out`, which is returned. Exact; a signalling NaN becomes
 * a quiet one.
 *
 * @throws {TypeError | RangeError} where an argument is of the wrong type, lengths differ, or the arrays share
 * memory.
 *
 * @example
 * ```ts
 * import { f16ToF32 } from "@oxbow/oxbow/vector";
 *
 * console.log(f16ToF32(Uint16Array.of(0x3c00, 0xc000))); // Float32Array(2) [ 1, -2 ]
 * ```
 */
export function f16ToF32<A extends Float32Array>(x: Uint16Array, out: A): A;
export function f16ToF32(x: Uint16Array): Float32Array<ArrayBuffer>;
export function f16ToF32(x: Uint16Array, out?: Float32Array): Float32Array {
  return convert("f16ToF32", x, out);
}
