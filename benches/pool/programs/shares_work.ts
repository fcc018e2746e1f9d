/**
 * Functions of pieces of something large.
 *
 * @module
 */
import type { MapHandle } from "../../../lib/mem/handle.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";

/** What this thread has adopted: its pages stay in the thread's tables from one pass to the next. */
const adopted: Map<string, Float64Array> = new Map();

function numbersOf(handle: MapHandle): Float64Array {
  let numbers = adopted.get(handle.nonce);
  if (numbers === undefined) {
    const map = Mmap.adopt(handle);
    adopted.set(handle.nonce, numbers = map.view(Float64Array, 0, map.byteLength / 8));
  }
  return numbers;
}

/** Adds the numbers of a map from one index up to another: the sum goes to the place of the grain that is the first. */
export function sumPiece(start: number, end: number, from: MapHandle, to: MapHandle, grain: number): void {
  const numbers = numbersOf(from);
  let sum = 0;
  for (let i = start; i < end; i++) sum += numbers[i];
  numbersOf(to)[start / grain] = sum;
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

/** Reduces counts to their sum. */
export function plus(a: number, b: number): number {
  return a + b;
}
