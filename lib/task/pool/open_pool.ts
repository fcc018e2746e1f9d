import { availableParallelism } from "node:os";
import { requireNames, shown } from "../../io/arguments.ts";
import { race } from "../futures/race.ts";
import { addSource, removeSource } from "../runtime/source.ts";
import { sleep } from "../time/sleep.ts";
import { Arrivals } from "./arrivals.ts";
import { Control } from "./control/control.ts";
import { Crew } from "./crew.ts";
import { Directory } from "./directory.ts";
import { PoolClosedError } from "./errors.ts";
import type { Job } from "./job.ts";
import type { JobHandle } from "./job_handle.ts";
import { Lane } from "./lane.ts";
import { metricsOf, type PoolMetrics } from "./metrics.ts";
import "./payload/crossing_classes.ts";
import { Crossings } from "./payload/crossings.ts";
import { Payload } from "./payload/payload.ts";
import { Quiet } from "./quiet.ts";
import { type RunOptions, Submitter } from "./submitter.ts";

const MOST_THREADS = 120;
const MAX_BLOCKING = 8;
const SLOTS = 1024;
const MOST_SLOTS = 65_536;
const ARENA_BYTES = 16 * 1024 * 1024;
/** Of the addresses that a pool's map may have. */
const MOST_ARENA_BYTES = 2 ** 31;
/** How long threads may take to end by themselves, before they are ended. */
const GRACE_MS = 500;
/** How long those that were ended may take to be gone. */
const TERMINATE_MS = 1_000;

/** How a pool is opened. */
export interface PoolOptions {
  /** How many threads run jobs: as many as the machine has, where nothing is said. Each starts when it is needed. */
  threads?: number;
  /** How many threads `spawnBlocking` may have beside: 8 where nothing is said. */
  maxBlocking?: number;
  /**
   * How many jobs each thread may have in flight, a power of two from 2 on: 1024 where nothing is said. The arguments of those
   * beyond are cloned when it is their turn.
   */
  slots?: number;
}

const NAMES: readonly string[] = ["threads", "maxBlocking", "slots"] satisfies (keyof PoolOptions)[];

/** How a pool is closed. */
export interface CloseOptions {
  /** How many milliseconds jobs in flight may go on: until they have ended, where nothing is said. */
  deadline?: number;
}

/** Threads that run jobs. */
export class Pool extends Submitter implements AsyncDisposable {
  /** How many threads run jobs, once all were needed. */
  readonly threads: number;
  readonly #options: Required<PoolOptions>;
  readonly #control: Control;
  readonly #directory: Directory;
  readonly #crossings: Crossings;
  readonly #lane: Lane;
  readonly #crew: Crew;
  #blocking: Pool | null = null;
  #closing: Promise<void> | null = null;
  /** What it had done when its memory went. */
  #last: PoolMetrics | null = null;

  private constructor(options: Required<PoolOptions>) {
    const { threads, slots } = options;
    // As many spare lanes as threads, for those that wait for others.
    const lanes = 1 + 2 * threads;
    const arena = Math.min(ARENA_BYTES, 2 ** Math.floor(Math.log2(MOST_ARENA_BYTES / lanes)));
    const control = Control.create({ lanes, slots, arena });
    const crossings = new Crossings(control.runner);
    const directory = Directory.create();
    const lane = new Lane(control, directory, new Payload(control, crossings));
    super(lane);
    this.#options = options;
    this.threads = threads;
    this.#control = control;
    this.#directory = directory;
    this.#crossings = crossings;
    this.#lane = lane;
    this.#crew = new Crew(lane, crossings, threads);
    lane.starts = this.#crew;
    addSource(lane);
  }

  /**
   * Opens a pool, whose threads start when jobs need them. Costs some system calls, and address space for its map.
   * Throws a `RangeError` for options out of range, and a `SystemError` where memory or descriptors are short.
   */
  static open(options: PoolOptions = {}): Pool {
    return new Pool(checked(options));
  }

  /** Starts all threads, and resolves when each is there. */
  async ready(): Promise<void> {
    if (this.#lane.closed !== null) throw this.#lane.closed;
    await new Arrivals(this.#lane, this.#crew, this.threads);
  }

  /** What the pool has done and does, of `run`'s threads. */
  metrics(): PoolMetrics {
    return this.#last ?? metricsOf(this.#lane, this.#crew.started);
  }

  #blockingPool(): Pool {
    if (this.#lane.closed !== null) throw this.#lane.closed;
    const { maxBlocking, slots } = this.#options;
    return this.#blocking ??= Pool.open({ threads: maxBlocking, maxBlocking: 1, slots });
  }

  /**
   * As `run`, on a thread of `maxBlocking` others: for what waits in C, or computes for so long that nobody else's job is
   * to stand behind it. A thread is started while all of them are busy.
   */
  spawnBlocking<A extends unknown[], R>(job: Job<A, R>, ...args: A): JobHandle<R> {
    return this.#blockingPool().run(job, ...args);
  }

  /** As `runWith`, on a thread of `spawnBlocking`'s. */
  spawnBlockingWith<A extends unknown[], R>(options: RunOptions, job: Job<A, R>, ...args: A): JobHandle<R> {
    return this.#blockingPool().runWith(options, job, ...args);
  }

  /**
   * Takes no jobs any more, waits for those in flight, for up to `deadline`, and fails with a `PoolClosedError` those that
   * are left then; then ends the threads. Resolves when they have ended. One that does not, because it waits in C or its
   * host cannot end it, keeps the pool's memory until the process ends.
   */
  close(options: CloseOptions = {}): Promise<void> {
    requireNames("cannot close a pool", "options are", options, ["deadline"]);
    const { deadline = Infinity } = options;
    if (!(deadline >= 0)) {
      throw new RangeError(
        `cannot close a pool: deadline is ${shown(deadline)}, and no count of milliseconds`,
      );
    }
    return this.#closing ??= this.#close(deadline);
  }

  async #close(deadline: number): Promise<void> {
    const lane = this.#lane;
    lane.closed = new PoolClosedError("cannot run a job: the pool was closed");
    const blocking = this.#blocking?.close({ deadline });
    const quiet = new Quiet(lane);
    await (deadline === Infinity ? quiet : race([quiet, sleep(deadline)]));
    lane.failAll(new PoolClosedError("the pool was closed before the job had ended"));
    const crew = this.#crew;
    crew.stop();
    await goneWithin(crew, GRACE_MS);
    if (!crew.areGone) {
      crew.terminate();
      await goneWithin(crew, TERMINATE_MS);
    }
    removeSource(lane);
    if (crew.areGone) this.#dispose();
    await blocking;
  }

  #dispose(): void {
    this.#last = this.metrics();
    this.#lane[Symbol.dispose]();
    this.#crossings[Symbol.dispose]();
    this.#directory[Symbol.dispose]();
    this.#control[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Looks, ever less often, whether all threads have ended. */
async function goneWithin(crew: Crew, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let pause = 1; !crew.areGone && performance.now() < end; pause = Math.min(2 * pause, 16)) {
    await sleep(pause);
  }
}

function checked(options: PoolOptions): Required<PoolOptions> {
  const what = "cannot open a pool";
  requireNames(what, "options are", options, NAMES);
  const {
    threads = Math.min(availableParallelism(), MOST_THREADS),
    maxBlocking = MAX_BLOCKING,
    slots = SLOTS,
  } = options;
  requireCount(what, "threads", threads);
  requireCount(what, "maxBlocking", maxBlocking);
  if (!(Number.isInteger(slots) && slots >= 2 && slots <= MOST_SLOTS && Number.isInteger(Math.log2(slots)))) {
    throw new RangeError(`${what}: slots is ${shown(slots)}, not a power of two from 2 to ${MOST_SLOTS}`);
  }
  return { threads, maxBlocking, slots };
}

function requireCount(what: string, name: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MOST_THREADS) return;
  throw new RangeError(`${what}: ${name} is ${shown(count)}, not an integer from 1 to ${MOST_THREADS}`);
}
