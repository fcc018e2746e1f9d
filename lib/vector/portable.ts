/**
 * The kernels in plain TypeScript, for where no machine code can run. They compute in double precision and
 * round once or twice, so that the bounds of the kernels hold for them with room to spare.
 */
import { CENTRE, SLOPE, SLOPE_REST, TAIL, TAIL_END, TAIL_MIDDLE } from "./gelu_polynomials.ts";
import type { Kernels } from "./kernel.ts";

/** Four sums side by side: one alone waits for its own additions. */
function dot(x: Float32Array, y: Float32Array, length: number): number {
  let a = 0, b = 0, c = 0, d = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += x[i] * y[i];
    b += x[i + 1] * y[i + 1];
    c += x[i + 2] * y[i + 2];
    d += x[i + 3] * y[i + 3];
  }
  for (; i < length; i++) a += x[i] * y[i];
  return a + b + (c + d);
}

function axpy(alpha: number, x: Float32Array, y: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) y[i] += alpha * x[i];
}

function sum(x: Float32Array, length: number): number {
  let a = 0, b = 0, c = 0, d = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += x[i];
    b += x[i + 1];
    c += x[i + 2];
    d += x[i + 3];
  }
  for (; i < length; i++) a += x[i];
  return a + b + (c + d);
}

function max(x: Float32Array, length: number): number {
  let most = -Infinity;
  for (let i = 0; i < length; i++) most = Math.max(most, x[i]);
  return most;
}

function exp(x: Float32Array, out: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) out[i] = Math.exp(x[i]);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}

function gelu(x: Float32Array, out: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const value = x[i];
    const t = Math.abs(value);
    if (t > 1) {
      const tail = Math.exp(-t * t / 2) * polynomial(TAIL, Math.min(t, TAIL_END) - TAIL_MIDDLE);
      out[i] = Math.max(value, -0) - tail;
    } else {
      out[i] = value *
        (0.5 + value * (SLOPE + SLOPE_REST + value * value * polynomial(CENTRE, value * value)));
    }
  }
}

function softmax(x: Float32Array, out: Float32Array, rows: number, columns: number): void {
  for (let from = 0; from < rows * columns; from += columns) {
    let most = -Infinity;
    for (let i = from; i < from + columns; i++) most = Math.max(most, x[i]);
    let total = 0;
    for (let i = from; i < from + columns; i++) {
      const e = Math.exp(x[i] - most);
      total += e;
      out[i] = e;
    }
    for (let i = from; i < from + columns; i++) out[i] /= total;
  }
}

function layerNorm(
  x: Float32Array,
  out: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  rows: number,
  columns: number,
  epsilon: number,
): void {
  for (let from = 0; from < rows * columns; from += columns) {
    let total = 0;
    for (let i = from; i < from + columns; i++) total += x[i];
    const mean = total / columns;
    let squares = 0;
    for (let i = from; i < from + columns; i++) squares += (x[i] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / columns + epsilon);
    for (let i = 0; i < columns; i++) out[from + i] = (x[from + i] - mean) * scale * gamma[i] + beta[i];
  }
}

function above(
  scores: Float32Array,
  from: number,
  to: number,
  threshold: number,
  indices: Uint32Array,
): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    if (scores[i] > threshold) indices[count++] = i;
  }
  return count;
}

function bitsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
}

function bf16ToF32(x: Uint16Array, out: Float32Array, length: number): void {
  const bits = bitsOf(out);
  for (let i = 0; i < length; i++) bits[i] = x[i] << 16;
}

const QUIET_NAN = 0x400000;

function f16ToF32(x: Uint16Array, out: Float32Array, length: number): void {
  const bits = bitsOf(out);
  for (let i = 0; i < length; i++) {
    const sign = (x[i] & 0x8000) << 16;
    const rest = (x[i] & 0x7fff) << 13;
    if (rest >= 0x7c00 << 13) {
      bits[i] = sign | 0x7f800000 | rest | (rest > 0x7c00 << 13 ? QUIET_NAN : 0);
    } else {
      // The exponent is 112 too low, and of a subnormal too: its bits are a subnormal float32.
      bits[i] = sign | rest;
      out[i] *= 2 ** 112;
    }
  }
}

function dotInt8(x: Int8Array, y: Int8Array, length: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += x[i] * y[i];
  return total;
}

export const portable: Kernels = {
  dot,
  axpy,
  sum,
  max,
  exp,
  gelu,
  softmax,
  layerNorm,
  above,
  bf16ToF32,
  f16ToF32,
  dotInt8,
};
