/**
 * Jobs that do a part of something large.
 *
 * @module
 */
import type { MapHandle } from "../../../lib/mem/handle.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";

/** The last map that this thread has adopted: its pages stay in the thread's tables from one pass to the next. */
let adopted: { readonly nonce: string; readonly numbers: Float64Array } | undefined;

function numbersOf(handle: MapHandle): Float64Array {
  if (adopted?.nonce !== handle.nonce) {
    const map = Mmap.adopt(handle);
    adopted = { nonce: handle.nonce, numbers: map.view(Float64Array, 0, map.byteLength / 8) };
  }
  return adopted.numbers;
}

/** Adds the numbers of a map from one index up to another. */
export function sumOf(handle: MapHandle, start: number, end: number): number {
  const numbers = numbersOf(handle);
  let sum = 0;
  for (let i = start; i < end; i++) sum += numbers[i];
  return sum;
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) {
    if (n % d === 0) return false;
  }
  return true;
}

/** Counts the primes from one number up to another. */
export function primesIn(start: number, end: number): number {
  let found = 0;
  for (let n = start; n < end; n++) {
    if (isPrime(n)) found++;
  }
  return found;
}
