import { requireNames, shown } from "../../io/arguments.ts";
import { listen, unlisten } from "../runtime/abortion.ts";
import { CANCEL_REQUESTED, FLAGS } from "./control/layout.ts";
import { PoolClosedError, WorkerCrashError } from "./errors.ts";
import { JobHandle } from "./job_handle.ts";
import type { Lane } from "./lane.ts";
import { type RangeCell, type Split, split } from "./range_cell.ts";

/** A range of indices, and how threads share it. */
export interface RangeOptions {
  /** The first index: 0 where nothing is said. */
  start?: number;
  /** The index behind the last one, up to 2^53. */
  end: number;
  /**
   * As many indices as a piece has at least, but for the last one. Where nothing is said, such that each thread has 64
   * pieces or more, of a whole number of cache lines of float64s where they are that long. A range of more than 2^30
   * grains has pieces of several.
   */
  grain?: number;
  /** How many threads work on it at most: all of the pool's, where nothing is said. */
  threads?: number;
  /** Stops the work, with the signal's reason. */
  signal?: AbortSignal;
}

const NAMES: readonly string[] = [
  "start",
  "end",
  "grain",
  "threads",
  "signal",
] satisfies (keyof RangeOptions)[];

const LARGEST = 2 ** 53;

/** Why jobs are cancelled that would find the range used up. */
const UNNEEDED = new Error("the range is used up");

function requireInteger(what: string, name: string, value: unknown, least: number, most: number): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${what}: ${name} is ${shown(value)}, not an integer from ${least} to ${most}`);
}

/** The range, split for its threads. Throws for what is none. */
export function splitOf(
  what: string,
  options: RangeOptions,
  threads: number,
  others: readonly string[] = [],
): Split {
  requireNames(what, "options are", options, [...NAMES, ...others]);
  const { start = 0, end, grain, threads: most = threads, signal } = options;
  requireInteger(what, "start", start, 0, LARGEST);
  requireInteger(what, "end", end, start, LARGEST);
  if (grain !== undefined) requireInteger(what, "grain", grain, 1, LARGEST);
  requireInteger(what, "threads", most, 1, threads);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`${what}: signal is ${shown(signal)}, and no AbortSignal`);
  }
  return split({ start, end }, grain, most);
}

/** What a range's jobs are called by, and what is made of what they gave. */
export interface RangeWork<T> {
  /** The function's number. */
  readonly fn: number;
  readonly args: readonly unknown[];
  /** Given what each thread came to: ends the handle, or submits a job that does. */
  finish(handle: RangeHandle<T>, results: T[]): void;
}

/**
 * The end of the work on a range, to be waited for as that of a job. It ends when all of its threads have ended their
 * pieces: after that nobody writes. Only where a worker was lost it fails at once.
 */
export class RangeHandle<T> extends JobHandle<T> {
  readonly #lane: Lane;
  readonly #jobs: JobHandle<unknown>[] = [];
  readonly #results: T[] = [];
  readonly #work: RangeWork<T>;
  readonly #cell: RangeCell | null;
  #left: number;
  #failure: { readonly error: unknown } | null = null;
  /** All of the threads have ended. */
  #isOver = false;
  /** Somebody may claim who is not known to have ended. */
  #isLost = false;
  /** What makes one value of what they came to. */
  #last: JobHandle<T> | null = null;

  /** The pool's own. Submits a job for each thread. */
  constructor(lane: Lane, split: Split, work: RangeWork<T>, signal: AbortSignal | undefined) {
    super(lane);
    this.#lane = lane;
    this.#work = work;
    const isBegun = !signal?.aborted;
    this.#cell = isBegun && split.units > 1 ? lane.directory.cells.take(split) : null;
    this.#left = isBegun ? this.#cell === null ? Math.min(split.units, 1) : split.threads : 0;
    if (signal?.aborted) this.#failure = { error: signal.reason };
    else if (signal !== undefined) this.#heed(signal);
    this.#start(split);
  }

  override describe(): string {
    return "a range of a pool";
  }

  #heed(signal: AbortSignal): void {
    const waiter = listen(signal, { wake: () => this.cancel(signal.reason) });
    this.onEnd = () => unlisten(signal, waiter);
  }

  #start(split: Split): void {
    const { fn, args } = this.#work;
    const count = this.#left;
    if (count === 0) this.#over();
    for (let i = 0; i < count; i++) {
      const job = new JobHandle<T[]>(this.#lane);
      job.onEnd = () => this.#ended(job);
      try {
        this.#lane.submit(job, fn, [this.#cell?.index ?? null, split, ...args], -1, 0);
        this.#jobs.push(job);
      } catch (error) {
        this.#left -= count - i;
        this.#fail(error);
        if (this.#left === 0) this.#over();
        throw error;
      }
    }
  }

  #ended(job: JobHandle<T[]>): void {
    this.#left--;
    try {
      // It has ended, and gives it at once.
      this.#results.push(...job.waitSync());
    } catch (error) {
      if (error !== UNNEEDED) this.#fail(error);
    }
    this.#cancelQueued();
    if (this.#left === 0 && !this.#isOver) this.#over();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    if (!this.#isOver) this.#cell?.close();
    this.#isLost ||= error instanceof WorkerCrashError || error instanceof PoolClosedError;
    if (error instanceof WorkerCrashError) this.fail(this.#failure.error);
  }

  /** The range is used up: what has not begun is not to hold up those who wait. */
  #cancelQueued(): void {
    for (const job of this.#jobs) {
      if (!job.isFinished && this.#lane.withdraw(job)) job.fail(UNNEEDED);
    }
  }

  #over(): void {
    this.#isOver = true;
    if (!this.#isLost) this.#cell?.free();
    if (this.isFinished) return;
    if (this.#failure !== null) this.fail(this.#failure.error);
    else this.#work.finish(this, this.#results);
  }

  /** Ends with what a job gives that comes after all. */
  endWith(fn: number, args: readonly unknown[]): void {
    const job = new JobHandle<T>(this.#lane);
    job.onEnd = () => {
      try {
        this.settle(job.waitSync());
      } catch (error) {
        this.fail(error);
      }
    };
    this.#last = job;
    try {
      this.#lane.submit(job, fn, args, -1, 0);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Stops the work: nobody takes another piece, and functions that are in the middle of one are told by
   * `currentJob().isCancelled`. The wait ends, with `reason`, an `AbortError` where nothing is said, once they have
   * returned.
   */
  override cancel(reason: unknown = new DOMException("the range was cancelled", "AbortError")): void {
    if (this.isFinished || this.#failure !== null) return;
    if (this.#isOver) {
      this.#last?.cancel(reason);
      return;
    }
    this.#fail(reason);
    const { words, layout } = this.#lane.control;
    for (const job of this.#jobs) {
      if (!job.isFinished && job.slot >= 0) {
        Atomics.or(words, layout.ofSlot(job.slot, FLAGS), CANCEL_REQUESTED);
      }
    }
    this.#cancelQueued();
  }
}
