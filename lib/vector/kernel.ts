/** What each implementation gives: the functions of this folder without their checks. */

/** Lengths are above 0 and are those of the arrays; `out` may be `x`, where both have the same type. */
export interface Kernels {
  dot(x: Float32Array, y: Float32Array, length: number): number;
  /** `alpha` is a float32. */
  axpy(alpha: number, x: Float32Array, y: Float32Array, length: number): void;
  sum(x: Float32Array, length: number): number;
  max(x: Float32Array, length: number): number;
  exp(x: Float32Array, out: Float32Array, length: number): void;
  gelu(x: Float32Array, out: Float32Array, length: number): void;
  softmax(x: Float32Array, out: Float32Array, rows: number, columns: number): void;
  layerNorm(
    x: Float32Array,
    out: Float32Array,
    gamma: Float32Array,
    beta: Float32Array,
    rows: number,
    columns: number,
    epsilon: number,
  ): void;
  /** The indices from `from` up to `to` whose score is above the threshold, in order, and their number. */
  above(scores: Float32Array, from: number, to: number, threshold: number, indices: Uint32Array): number;
  bf16ToF32(x: Uint16Array, out: Float32Array, length: number): void;
  f16ToF32(x: Uint16Array, out: Float32Array, length: number): void;
  dotInt8(x: Int8Array, y: Int8Array, length: number): number;
}
