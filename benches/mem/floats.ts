/** A file of float32 whose sum is exact, and the one loop that every contender adds it up with. */
import { closeSync, openSync, writeSync } from "node:fs";

/** Bytes. */
export const MIB = 2 ** 20;

const PERIOD = 1021;

/** Four sums side by side: one alone waits for its own additions, and hides the memory. */
export function sum(values: Float32Array): number {
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = 0; i + 3 < values.length; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  return a + b + c + d;
}

/** Writes small multiples of 1/8, so that every partial sum is exact in double precision. Gives the sum. */
export function writeFloats(path: string, count: number): number {
  const block = new Float32Array(MIB);
  const fd = openSync(path, "w");
  let total = 0;
  for (let from = 0; from < count; from += block.length) {
    for (let i = 0; i < block.length; i++) block[i] = ((from + i) % PERIOD) / 8;
    total += block.reduce((a, b) => a + b, 0);
    writeSync(fd, block);
  }
  closeSync(fd);
  return total;
}

/** The bytes, seen as float32. */
export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
