/**
 * Time for tests: a clock that stands, and moves when told or when there is nothing else to do.
 *
 * `run(main, { clock: "paused" })` begins at 0 on such a clock, and `clock.pause()` stops a running one. While it
 * stands no sleep waits: where no task is ready, the clock moves to the nearest deadline by itself, so that an hour
 * of sleeps takes the test a millisecond, and the order of what happens depends on the deadlines alone. It does not
 * wait for what others do meanwhile, another process or the host's own sockets and timers. What was ready is done
 * first: tasks, descriptors of the runtime, and what promises have settled.
 *
 * @example
 * ```ts
 * import { now, run, sleep, timeout } from "@oxbow/oxbow/task";
 * import { clock } from "@oxbow/oxbow/testing";
 *
 * await run(async () => {
 *   await sleep(3_600_000);
 *   console.log(now()); // 3600000
 *   await clock.advance(500);
 *   console.log(now()); // 3600500
 *   const late = await timeout(1000, sleep(2000)).toPromise().catch((error) => error.name);
 *   console.log(late, now()); // TimeoutError 3601500
 * }, { clock: "paused" });
 * ```
 *
 * Follows tokio's `time::pause` and `time::advance`.
 *
 * @module
 */
import type { Clock, Settling } from "./time/clock.ts";
import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import { checkSpan, SleepFuture } from "./time/sleep.ts";

const NEW = 0;
const MOVING = 1;
const SETTLING = 2;
const SETTLED = 3;
const DONE = 4;

class Advance extends Future<void> implements Settling {
  #ms: number;
  #state = NEW;
  #clock: Clock | null = null;
  #arrival: SleepFuture | null = null;
  #waker: Waker | null = null;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  override poll(context: Context): void | Pending {
    if (this.#state === DONE) throw consumed("an advance");
    if (this.#state === NEW) this.#begin();
    if (this.#state === MOVING) {
      if (this.#arrival?.poll(context) === Pending) return Pending;
      this.#state = SETTLING;
      this.#clock?.settle(this);
    }
    this.#waker = context.waker;
    if (this.#state === SETTLING) return Pending;
    this.drop();
  }

  #begin(): void {
    const { clock } = currentRuntime();
    clock.beginAdvance();
    this.#clock = clock;
    this.#arrival = new SleepFuture(clock.now() + this.#ms, true);
    this.#state = MOVING;
  }

  /** The clock's own. */
  becameQuiet(): void {
    this.#state = SETTLED;
    this.#waker?.wake();
  }

  override drop(): void {
    if (this.#state === DONE) return;
    this.#state = DONE;
    this.#arrival?.drop();
    this.#clock?.unsettle(this);
    this.#clock?.endAdvance();
  }
}

/** The clock of the thread's runtime, in tests. */
export interface TestClock {
  readonly isPaused: boolean;
  /** Stops it where it is. Throws where it stands already. */
  pause(): void;
  /** Lets it run on from where it is. Throws where it runs, and while a task advances it. */
  resume(): void;
  /**
   * Moves it by `ms` milliseconds, from one deadline to the next: what is due at each has been done, as far as it
   * goes without waiting, before the clock moves on. Tasks that always have something to do are waited for a while
   * only. Throws where the clock is not paused.
   */
  advance(ms: number): Future<void>;
}

/** The clock of the thread's runtime, in tests. */
export const clock: TestClock = {
  get isPaused(): boolean {
    return currentRuntime().clock.isPaused;
  },

  pause(): void {
    const { clock, timers } = currentRuntime();
    timers.settle(clock.now());
    clock.pause();
  },

  resume(): void {
    currentRuntime().clock.resume();
  },

  advance(ms: number): Future<void> {
    checkSpan(ms, "advance the clock");
    return new Advance(ms);
  },
};
