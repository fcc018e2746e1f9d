/** The jobs of the guide to pools: functions that a module exports, and nothing else. */
import type { Mmap } from "../../lib/mem/mmap.ts";
import { currentJob, currentPool, job } from "../../lib/task/pool.ts";
import { sleep } from "../../lib/task/mod.ts";

/** How many primes there are from `first` up to, but without, `end`. */
export function countPrimes(first: number, end: number): number {
  let count = 0;
  for (let n = Math.max(2, first); n < end; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return count;
}

/** Doubles the numbers of a map, where they lie. */
export function double(map: Mmap<"write">): void {
  using own = map;
  const numbers = own.view(Float64Array, 0, own.byteLength / 8);
  for (let i = 0; i < numbers.length; i++) numbers[i] *= 2;
}

/** Writes the squares of the indices of a piece. */
export function fillSquares(start: number, end: number, map: Mmap<"write">): void {
  const numbers = map.view(Float64Array, 0, map.byteLength / 8);
  for (let i = start; i < end; i++) numbers[i] = i * i;
}

/** The largest number of a piece. */
export function largest(start: number, end: number, map: Mmap): number {
  const numbers = map.view(Float64Array, 0, map.byteLength / 8);
  let most = -Infinity;
  for (let i = start; i < end; i++) most = larger(most, numbers[i]);
  return most;
}

export function larger(a: number, b: number): number {
  return a > b ? a : b;
}

/** Reports how far it is, and ends early where it is wanted no more. */
export async function climb(steps: number): Promise<string> {
  const current = currentJob();
  for (let step = 1; step <= steps; step++) {
    if (current?.signal.aborted) return "called back";
    current?.progress(step);
    await sleep(1);
  }
  return "at the top";
}

const FIBONACCI = job<typeof fibonacci>(import.meta.url, "fibonacci");

/** Submits jobs to the pool that runs it, and waits for them. */
export async function fibonacci(n: number): Promise<number> {
  const pool = currentPool();
  if (n < 2 || pool === undefined) return n;
  const [a, b] = [pool.run(FIBONACCI, n - 1), pool.run(FIBONACCI, n - 2)];
  return (await a) + (await b);
}
