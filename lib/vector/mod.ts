/**
 * Vector functions on float32: sums and products, exponentials, what transformers put between their matrix
 * products, and a selection of the best. Each runs as AVX-512 or AVX2 machine code that is assembled and loaded
 * at the first use, with nothing built before; where none can run, as plain TypeScript in double precision with
 * the same results within the same bounds.
 *
 * Arrays are ordinary typed arrays of any length and alignment, mapped files included: nothing is copied, and
 * nothing past an end is read or written. Arguments are checked here by name before machine code sees them.
 * Each function states its error, in units in the last place or as a multiple of 2⁻²³, float32's epsilon.
 *
 * Machine code asks for `--allow-ffi` on Deno; without it the functions work, and `vectorLevel()` says how.
 *
 * @example
 * ```ts
 * import { dot, softmax, topK } from "@oxbow/oxbow/vector";
 *
 * const query = Float32Array.of(0.6, 0.8);
 * const passages = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(0.8, 0.6)];
 * const scores = Float32Array.from(passages, (passage) => dot(query, passage));
 * console.log(topK(scores, 2).indices); // Uint32Array(2) [ 2, 1 ]
 * console.log(softmax(scores).length); // 3
 * ```
 *
 * @module
 */
export { axpy, dot } from "./dot.ts";
export { dotInt8 } from "./dot_int8.ts";
export { exp, gelu } from "./exp.ts";
export { type VectorLevel, vectorLevel } from "./implementation.ts";
export { layerNorm, type LayerNormOptions } from "./layer_norm.ts";
export { softmax, type SoftmaxOptions } from "./softmax.ts";
export { max, sum } from "./sum.ts";
export { type TopK, topK } from "./top_k.ts";
export { bf16ToF32, f16ToF32 } from "./widen.ts";
