/** What the jobs of the tests of ranges do. */
import process from "node:process";
import { setTimeout as hostSleep } from "node:timers/promises";
import type { Mmap } from "../../../lib/mem/mmap.ts";
import type { Coroutine } from "../../../lib/task/future.ts";
import { currentJob } from "../../../lib/task/pool/current_job.ts";
import { currentPool } from "../../../lib/task/pool/current_pool.ts";
import { job } from "../../../lib/task/pool/job.ts";
import { sleep } from "../../../lib/task/time/sleep.ts";

const here = new URL(import.meta.url);
type Work = typeof import("./ranges_work.ts");

/** Counts each index that it was given, behind the first one. */
export function mark(start: number, end: number, map: Mmap<"write">, first: number): void {
  const counts = map.view(Int32Array, 0, map.byteLength / 4);
  for (let i = start; i < end; i++) Atomics.add(counts, i - first, 1);
}

/** Ever longer from index to index. */
export function markUnevenly(start: number, end: number, map: Mmap<"write">): void {
  for (let i = start; i < end; i++) {
    let turns = 100 * i;
    while (turns > 0) turns--;
    mark(i, i + 1, map, 0);
  }
}

export async function markLater(start: number, end: number, map: Mmap<"write">): Promise<void> {
  await hostSleep(1);
  mark(start, end, map, 0);
}

export function* markInCoroutine(start: number, end: number, map: Mmap<"write">): Coroutine<void> {
  yield* sleep(1);
  mark(start, end, map, 0);
}

export function failAt(start: number, end: number, index: number, counts: Int32Array): void {
  Atomics.add(counts, 0, 1);
  if (start <= index && index < end) throw new RangeError(`no row ${index}`);
}

export async function failLaterAt(start: number, end: number, index: number): Promise<void> {
  await hostSleep(1);
  if (start <= index && index < end) throw new RangeError(`no row ${index}`);
}

/** Counts the indices of its pieces, and holds its first one until the second word is raised. */
export function holdPiece(start: number, end: number, words: Int32Array): void {
  if (Atomics.add(words, 0, end - start) > 0) return;
  Atomics.notify(words, 0);
  while (Atomics.load(words, 1) === 0) Atomics.wait(words, 1, 0, 1_000);
  Atomics.add(words, 2, 1);
}

export function computeUntilCancelled(_start: number, _end: number, words: Int32Array): void {
  const job = currentJob();
  Atomics.add(words, 0, 1);
  while (!job?.isCancelled);
  Atomics.add(words, 1, 1);
}

export function exitAt(start: number, end: number, index: number): void {
  if (start <= index && index < end) process.exit(1);
}

export function sumIndices(start: number, end: number): bigint {
  return (BigInt(start) + BigInt(end) - 1n) * BigInt(end - start) / 2n;
}

export function addBig(a: bigint, b: bigint): bigint {
  return a + b;
}

export async function addBigLater(a: bigint, b: bigint): Promise<bigint> {
  await hostSleep(0);
  return a + b;
}

export function failToAdd(_a: bigint, _b: bigint): bigint {
  throw new TypeError("cannot add");
}

export function countIndices(start: number, end: number): number {
  return end - start;
}

export function add(a: number, b: number): number {
  return a + b;
}

/** Marks rows of a table, the columns of each by a range of their own: by holding its thread, or not. */
export function markRows(start: number, end: number, map: Mmap<"write">, columns: number): void {
  for (let row = start; row < end; row++) {
    currentPool()?.parallelFor(markColumns, { end: columns, grain: 1 }, map, row * columns).waitSync();
  }
}

export async function markRowsLater(
  start: number,
  end: number,
  map: Mmap<"write">,
  columns: number,
): Promise<void> {
  for (let row = start; row < end; row++) {
    await currentPool()?.parallelFor(markColumns, { end: columns, grain: 1 }, map, row * columns);
  }
}

const markColumns = job<Work, "markFrom">(here, "markFrom");

export function markFrom(start: number, end: number, map: Mmap<"write">, from: number): void {
  mark(from + start, from + end, map, 0);
}
