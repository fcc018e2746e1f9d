/** What the jobs of the pool's tests do, on its threads. */
import process from "node:process";
import { setTimeout as hostSleep } from "node:timers/promises";
import type { Coroutine, Future } from "../../../lib/task/future.ts";
import { currentJob } from "../../../lib/task/pool/current_job.ts";
import { currentPool } from "../../../lib/task/pool/current_pool.ts";
import { type Job, job } from "../../../lib/task/pool/job.ts";
import { sleep } from "../../../lib/task/time/sleep.ts";
import { currentThread, type Thread } from "../../../lib/mem/thread.ts";

const here = new URL(import.meta.url);
type Work = typeof import("./work.ts");

export function add(a: number, b: number): number {
  return a + b;
}

export function nothing(): void {}

export function echo(value: unknown): unknown {
  return value;
}

export async function addByHost(a: number, b: number): Promise<number> {
  await hostSleep(1);
  return a + b;
}

export function* addByCoroutine(a: number, b: number): Coroutine<number> {
  yield* sleep(1);
  return a + b;
}

export function addByFuture(a: number, b: number): Future<number> {
  return sleep(1).map(() => a + b);
}

export function thread(): Thread {
  return currentThread();
}

export class OwnError extends Error {
  override name = "OwnError";
}

export function fail(message: string): never {
  throw new RangeError(message, { cause: new TypeError("by its cause") });
}

export async function failLater(message: string): Promise<never> {
  await hostSleep(1);
  throw new OwnError(message);
}

export function giveFunction(): unknown {
  return { inner: [() => 1] };
}

/** Raises the first word, and holds the thread until the second one is. */
export function hold(words: Int32Array): void {
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  while (Atomics.load(words, 1) === 0) Atomics.wait(words, 1, 0, 1_000);
}

/** Raises the first word, and waits for what nobody does, beside other jobs. */
export async function waitForSignal(words: Int32Array): Promise<string> {
  const { signal } = currentJob() ?? {};
  Atomics.store(words, 0, 1);
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
  Atomics.store(words, 1, 1);
  return String(signal?.reason);
}

export function* waitInCoroutine(words: Int32Array): Coroutine<void> {
  try {
    Atomics.store(words, 0, 1);
    yield* sleep(1e9);
  } finally {
    Atomics.store(words, 1, 1);
  }
}

/** Computes until it is wanted no more. */
export function computeUntilCancelled(words: Int32Array): void {
  Atomics.store(words, 0, 1);
  while (!currentJob()?.isCancelled);
  Atomics.store(words, 1, 1);
}

export function addOne(words: Int32Array): void {
  Atomics.add(words, 0, 1);
}

export async function aboutItself(): Promise<{ lane: number; deadline: number }> {
  await hostSleep(1);
  const { lane = -1, deadline = -1 } = currentJob() ?? {};
  return { lane, deadline };
}

export function countUp(to: number): number {
  let sent = 0;
  for (let i = 0; i < to; i++) if (currentJob()?.progress(i)) sent++;
  return sent;
}

const fibonacciJob: Job<[number], number> = job<Work, "fibonacci">(here, "fibonacci");
const fibonacciLaterJob: Job<[number], number> = job<Work, "fibonacciLater">(here, "fibonacciLater");

/** By jobs for both halves, for which it holds the thread. */
export function fibonacci(n: number): number {
  const pool = currentPool();
  if (n < 2 || pool === undefined) return n;
  const first = pool.run(fibonacciJob, n - 1);
  const second = pool.run(fibonacciJob, n - 2);
  return first.waitSync() + second.waitSync();
}

export async function fibonacciLater(n: number): Promise<number> {
  const pool = currentPool();
  if (n < 2 || pool === undefined) return n;
  const first = pool.run(fibonacciLaterJob, n - 1);
  const second = pool.run(fibonacciLaterJob, n - 2);
  return await first + await second;
}

/** Waits, with its thread, for a job that only another thread can run. */
export function waitForHost(a: number, b: number): number {
  const pool = currentPool();
  if (pool === undefined) throw new Error("no pool");
  return pool.run(job<Work, "addByHost">(here, "addByHost"), a, b).waitSync();
}

export function exit(code: number): void {
  process.exit(code);
}

/** Throws in a turn of the thread's own, outside of any job, while one goes on. */
export async function throwOutside(message: string): Promise<never> {
  setTimeout(() => {
    throw new RangeError(message);
  });
  return await new Promise<never>(() => {});
}

export async function rejectOutside(message: string): Promise<never> {
  Promise.reject(new RangeError(message));
  return await new Promise<never>(() => {});
}

/** Holds the thread in JavaScript for good. */
export function loop(words: Int32Array): never {
  Atomics.store(words, 0, 1);
  for (;;);
}

/** Has a job end the other thread, and says how it is told. */
export async function crashAnother(): Promise<string> {
  const { lane } = currentJob() ?? {};
  const crashing = currentPool()?.runWith({ lane: lane === 1 ? 2 : 1 }, job<Work, "exit">(here, "exit"), 1);
  try {
    await crashing;
    return "nothing";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** Ends its thread while one of its jobs runs on the other, and others wait. */
export function submitAndExit(words: Int32Array): void {
  const pool = currentPool();
  for (let i = 0; i < 5; i++) pool?.run(job<Work, "add">(here, "add"), i, 1);
  pool?.runWith({ lane: 2 }, job<Work, "hold">(here, "hold"), words);
  while (Atomics.load(words, 0) === 0);
  process.exit(1);
}

/** Submits so many, and gives how many have come back. */
export async function submitMany(count: number): Promise<number> {
  const pool = currentPool();
  if (pool === undefined) return -1;
  const handles = Array.from({ length: count }, (_, i) => pool.run(job<Work, "add">(here, "add"), i, 1));
  let ended = 0;
  for (const [i, handle] of handles.entries()) if (await handle === i + 1) ended++;
  return ended;
}
