import { requireNames, shown } from "../../io/arguments.ts";
import { listen, unlisten } from "../runtime/abortion.ts";
import {
  type Callable,
  type FunctionNames,
  type Job,
  job,
  type JobsOf,
  requireJob,
  type Submit,
} from "./job.ts";
import { JobHandle } from "./job_handle.ts";
import type { Lane } from "./lane.ts";
import { mapReduce, type MapReduceOptions } from "./map_reduce.ts";
import { parallelFor } from "./parallel_for.ts";
import type { RangeHandle, RangeOptions } from "./ranges.ts";

/** How one job runs. */
export interface RunOptions {
  /** Cancels the job, with the signal's reason. */
  signal?: AbortSignal;
  /** In how many milliseconds it is to have ended: its handle fails with a `TimeoutError` then, as if cancelled. */
  deadline?: number;
  /** Called with what the job reports by `currentJob().progress`, in this thread. What it throws is an uncaught error. */
  onProgress?: (value: unknown) => void;
  /** The only thread that may run it, from 1 to the pool's `threads`. */
  lane?: number;
}

const NAMES: readonly string[] = [
  "signal",
  "deadline",
  "onProgress",
  "lane",
] satisfies (keyof RunOptions)[];

/** How far a `setTimeout` reaches. */
const LONGEST_MS = 0x7fffffff;

/** Submits jobs to a pool, from the thread that has opened it or from a worker. */
export class Submitter {
  readonly #lane: Lane;

  /** The pool's own. */
  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** How many jobs of this thread have not ended. */
  get inFlight(): number {
    return this.#lane.inFlight;
  }

  /** Submits a job. Its arguments are cloned as `structuredClone` does, or cross by reference where they can. */
  run<A extends unknown[], R>(job: Job<A, R>, ...args: A): JobHandle<R> {
    requireJob(job);
    const lane = this.#lane;
    const handle = new JobHandle<R>(lane);
    lane.submit(handle, lane.directory.numberOf(job.module, job.name), args, -1, 0);
    return handle;
  }

  /** As `run`, with a signal, a deadline, a listener or a thread of its own. */
  runWith<A extends unknown[], R>(options: RunOptions, job: Job<A, R>, ...args: A): JobHandle<R> {
    requireJob(job);
    const lane = this.#lane;
    // How many threads a closed one has nobody knows any more.
    if (lane.closed !== null) throw lane.closed;
    const { signal, deadline, onProgress = null, lane: pin } = checked(options, lane.threads);
    const handle = new JobHandle<R>(lane);
    handle.onReport = onProgress;
    if (signal?.aborted) {
      handle.fail(signal.reason);
      return handle;
    }
    const until = deadline === undefined ? 0 : performance.timeOrigin + performance.now() + deadline;
    lane.submit(handle, lane.directory.numberOf(job.module, job.name), args, pin ?? -1, until);
    guard(handle, signal, deadline);
    return handle;
  }

  /**
   * Calls a function, `(start, end, ...args)`, with pieces of the range of indices from `start` up to, but without, `end`,
   * on several threads, until all of it is done. Pieces are claimed while there are any, large ones first, so that work
   * that is uneven evens out. Each thread is given the arguments once: maps cross by reference, and the thread disposes of
   * its mapping after its last piece.
   *
   * The first error fails the whole, and is told when the others have ended the pieces that they were in the middle of; a
   * worker that was lost is told at once. Throws a `RangeError` for a range that is none, and what cannot be sent.
   */
  parallelFor<A extends unknown[]>(
    job: Job<[start: number, end: number, ...args: A], void>,
    options: RangeOptions,
    ...args: A
  ): RangeHandle<void> {
    return parallelFor(this.#lane, job, options, args);
  }

  /**
   * As `parallelFor`, of a function that gives something for its piece. What a thread's pieces give is reduced by that
   * thread, and what the threads have come to by one more job. `reduce` has to be associative and commutative. Throws a
   * `RangeError` for an empty range without an `initial` value.
   */
  mapReduce<A extends unknown[], T>(
    job: Job<[start: number, end: number, ...args: A], T>,
    options: MapReduceOptions<T>,
    ...args: A
  ): RangeHandle<T> {
    return mapReduce(this.#lane, job, options, args);
  }

  /** A function that submits that job: typed as `job` is. */
  job<F extends Callable>(module: URL | string, name: string): Submit<F>;
  /** As above, of a module's type: the name is checked. */
  job<M extends object, K extends FunctionNames<M>>(module: URL | string, name: K): Submit<M[K]>;
  job(module: URL | string, name: string): (...args: unknown[]) => JobHandle<unknown> {
    const named = job<(...args: unknown[]) => unknown>(module, name);
    return (...args) => this.run(named, ...args);
  }

  /**
   * Functions that submit the jobs of a module, by the names of its functions:
   * `const { resize } = pool.jobs<typeof import("./work.ts")>(new URL("./work.ts", import.meta.url))`. Each name is looked
   * up when a job of it runs.
   */
  jobs<M extends object>(module: URL | string): JobsOf<M>;
  jobs(module: URL | string): object {
    const made: Map<string, (...args: unknown[]) => JobHandle<unknown>> = new Map();
    return new Proxy(Object.freeze({}), {
      get: (_, name) => {
        // Whoever awaits what it gives asks whether it is a promise.
        if (typeof name !== "string" || name === "then") return undefined;
        let submit = made.get(name);
        if (submit === undefined) {
          made.set(name, submit = this.job<(...args: unknown[]) => unknown>(module, name));
        }
        return submit;
      },
    });
  }
}

function checked(options: RunOptions, threads: number): RunOptions {
  const what = "cannot run a job";
  requireNames(what, "options are", options, NAMES);
  const { signal, deadline, onProgress, lane } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`${what}: signal is ${shown(signal)}, and no AbortSignal`);
  }
  if (deadline !== undefined && !(typeof deadline === "number" && deadline >= 0)) {
    throw new RangeError(`${what}: deadline is ${shown(deadline)}, and no count of milliseconds`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`${what}: onProgress is ${shown(onProgress)}, and no function`);
  }
  if (lane !== undefined && !(Number.isInteger(lane) && lane >= 1 && lane <= threads)) {
    throw new RangeError(`${what}: lane is ${shown(lane)}, not an integer from 1 to ${threads}`);
  }
  return options;
}

/** Has the job cancelled by its signal or its deadline. */
function guard(
  handle: JobHandle<unknown>,
  signal: AbortSignal | undefined,
  deadline: number | undefined,
): void {
  const ends: (() => void)[] = [];
  if (signal !== undefined) {
    const waiter = listen(signal, { wake: () => handle.cancel(signal.reason) });
    ends.push(() => unlisten(signal, waiter));
  }
  if (deadline !== undefined && deadline <= LONGEST_MS) {
    const pass = (): void =>
      handle.cancel(new DOMException(`the job has not ended within ${deadline} ms`, "TimeoutError"));
    const timer = setTimeout(pass, deadline);
    // No timer of the host's runs while somebody holds the thread.
    handle.deadline = { at: performance.now() + deadline, pass };
    ends.push(() => clearTimeout(timer));
  }
  handle.onEnd = () => ends.forEach((end) => end());
}
