import { coop, proceed } from "../runtime/coop.ts";
import { currentRuntime } from "../runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import type { Timer, TimerList } from "./timer_list.ts";
import { wakeSafely } from "../runtime/report.ts";
import type { Timers } from "./timers.ts";

/** It ends some time after the turn of its first poll. */
const SPAN = 0;
/** It ends at a time, and has not been polled since that was set. */
const SET = 1;
const WAITING = 2;
const ELAPSED = 3;
const TAKEN = 4;
const DROPPED = 5;

/** A wait for a time. It can be set again, before that time and after. */
export interface Sleep extends Future<void> {
  /** When it ends, in milliseconds of `now()`; `NaN` for a `sleep(ms)` that was not polled yet. */
  readonly deadline: number;
  /** Whether its time has come while it was waited for. */
  readonly isElapsed: boolean;
  /**
   * Sets when it ends, in milliseconds of `now()`: for who waits for it now, and for who will, though it has ended
   * or was dropped before. Costs as much as a new one. Throws a `RangeError` for `NaN`.
   */
  reset(deadline: number): void;
}

/** The timers' entry, and the future: one object a sleep. */
export class SleepFuture extends Future<void> implements Sleep, Timer {
  due: number;
  list: TimerList | null = null;
  before: Timer | null = null;
  after: Timer | null = null;
  #state: number;
  /** Those that it waits in. */
  #timers: Timers | null = null;
  #waker: Waker | null = null;
  /** Who was told to poll again when another one polled: if that one still waits, there are two. */
  #replaced: Waker | null = null;

  /** `due` is a time where `isSet`, and otherwise counted from the first poll. */
  constructor(due: number, isSet: boolean) {
    super();
    this.due = due;
    this.#state = isSet ? SET : SPAN;
  }

  get deadline(): number {
    if (this.#state === SPAN) return NaN;
    if (this.#state === WAITING) this.#timers?.settle(this.#timers.clock.now());
    return this.due;
  }

  get isElapsed(): boolean {
    return this.#state === ELAPSED || this.#state === TAKEN;
  }

  override describe(): string {
    const { deadline } = this;
    if (this.#timers === null || deadline === Infinity) return "sleep";
    return `sleep, ${Math.ceil(deadline - this.#timers.clock.now())} ms left`;
  }

  override poll(context: Context): void | Pending {
    switch (this.#state) {
      case SPAN:
      case SET:
        return this.#begin(context);
      case WAITING:
        this.#requireRuntime();
        this.#keep(context.waker);
        return Pending;
      case ELAPSED:
        return this.#take(context);
      case DROPPED:
        throw new Error("cannot wait for a sleep that was dropped: reset it first, or make another one");
      default:
        throw consumed("a sleep");
    }
  }

  /** A combinator's own, which may have moved to another task: whoever polled last is woken, the one before not told. */
  pollLast(context: Context): void | Pending {
    if (this.#state === WAITING) this.#waker = context.waker;
    return this.poll(context);
  }

  #begin(context: Context): void | Pending {
    const { timers } = currentRuntime();
    this.#timers = timers;
    if (this.#state === SPAN) timers.begin(this);
    else if (this.due > timers.clock.now()) timers.add(this);
    else {
      this.#state = ELAPSED;
      return this.#take(context);
    }
    this.#state = WAITING;
    this.#waker = context.waker;
    return Pending;
  }

  #keep(waker: Waker): void {
    const kept = this.#waker;
    if (kept === waker) return;
    if (this.#replaced === waker) {
      throw new Error("cannot wait for a sleep: another task waits for it; let each make its own");
    }
    this.#waker = waker;
    this.#replaced = kept;
    kept?.wake();
  }

  #take(context: Context): void | Pending {
    this.#requireRuntime();
    if (!proceed(context)) return Pending;
    coop.left--;
    this.#state = TAKEN;
  }

  #requireRuntime(): void {
    if (this.#timers?.hasEnded) throw new Error("cannot sleep: the runtime in which it began has ended");
  }

  /** The timers' own. */
  fire(): void {
    const waker = this.#waker;
    this.#state = ELAPSED;
    this.#waker = null;
    this.#replaced = null;
    if (waker !== null) wakeSafely(waker);
  }

  reset(deadline: number): void {
    checkTime(deadline, "reset a sleep", "deadline");
    const timers = this.#timers;
    if (this.#state !== WAITING || timers === null || timers.hasEnded) {
      this.due = deadline;
      this.#state = SET;
      return;
    }
    timers.remove(this);
    this.due = deadline;
    if (deadline > timers.clock.now()) timers.add(this);
    else this.fire();
  }

  override drop(): void {
    if (this.#state !== WAITING) return;
    this.#timers?.remove(this);
    this.#state = DROPPED;
    // Who drops it may be the one whose place another has taken, and that one would wait for nothing.
    const left = this.#replaced === null ? null : this.#waker;
    this.#waker = null;
    this.#replaced = null;
    left?.wake();
  }

  /** It may be awaited again, once it was reset. */
  override toPromise(): Promise<void> {
    return currentRuntime().deliver(this);
  }
}

/** Throws a `RangeError` for what is no time of a clock. */
export function checkTime(time: number, verb: string, name: string): void {
  if (typeof time !== "number" || Number.isNaN(time)) {
    throw new RangeError(`cannot ${verb}: ${name} is ${time}, not a time in milliseconds of now()`);
  }
}

/** Throws a `RangeError` for what is no length of time. */
export function checkSpan(ms: number, verb: string): void {
  if (!(typeof ms === "number" && ms >= 0)) {
    throw new RangeError(`cannot ${verb}: ms is ${ms}, not a count of milliseconds`);
  }
}

/**
 * Waits for `ms` milliseconds, counted from the end of the task's turn in which it is first polled; never less.
 * So one of 0 ms gives way to the tasks that are ready. `Infinity` waits for ever.
 *
 * Registered and dropped in some 50 ns, whatever the number of sleeps.
 */
export function sleep(ms: number): Sleep {
  checkSpan(ms, "sleep");
  return new SleepFuture(ms, false);
}

/** Waits until `now()` is `deadline` or later: at once where it is already. `Infinity` waits for ever. */
export function sleepUntil(deadline: number): Sleep {
  checkTime(deadline, "sleep", "deadline");
  return new SleepFuture(deadline, true);
}
