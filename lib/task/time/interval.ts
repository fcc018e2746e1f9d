import { requireNames, shown } from "../../io/arguments.ts";
import { now } from "./clock.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { checkSpan, checkTime, SleepFuture } from "./sleep.ts";

/** A tick that is taken later than this was missed. */
const LATE_MS = 5;

/**
 * When the next tick is due after one that was taken late: `burst`, one after another until none is missing;
 * `delay`, a period after the late one; `skip`, where it would have been anyhow, those between left out.
 */
export type MissedTick = "burst" | "delay" | "skip";

function nextTick(missedTick: MissedTick, due: number, taken: number, period: number): number {
  if (taken <= due + LATE_MS) return due + period;
  switch (missedTick) {
    case "burst":
      return due + period;
    case "delay":
      return taken + period;
    case "skip":
      return taken + period - (taken - due) % period;
  }
}

class Tick extends Future<number> {
  #interval: Interval | null;
  #isPolled = false;

  constructor(interval: Interval) {
    super();
    this.#interval = interval;
  }

  override describe(): string {
    return `tick of an interval of ${this.#interval?.period} ms`;
  }

  override poll(context: Context): number | Pending {
    const interval = this.#interval;
    if (interval === null) throw consumed("a tick");
    this.#isPolled = true;
    const tick = interval.pollTick(context);
    if (tick !== Pending) this.#interval = null;
    return tick;
  }

  override drop(): void {
    if (this.#isPolled) this.#interval?.dropTick();
    this.#isPolled = false;
  }
}

/** A clock that ticks once a period: the first tick at once, or at its start. */
export class Interval implements AsyncIterable<number> {
  readonly period: number;
  readonly missedTick: MissedTick;
  #next: SleepFuture | null;

  /** `interval`'s and `intervalAt`'s own: without a `start` it begins at its first poll. */
  constructor(start: number | null, period: number, missedTick: MissedTick) {
    if (!(typeof period === "number" && period > 0 && period < Infinity)) {
      throw new RangeError(
        `cannot make an interval: period is ${shown(period)}, not a count of milliseconds above 0`,
      );
    }
    if (missedTick !== "burst" && missedTick !== "delay" && missedTick !== "skip") {
      throw new RangeError(
        `cannot make an interval: missedTick is ${missedTick}, not burst, delay or skip`,
      );
    }
    this.period = period;
    this.missedTick = missedTick;
    this.#next = start === null ? null : new SleepFuture(start, true);
  }

  /** The next tick: when it was due, in milliseconds of `now()`. One that is dropped is not lost. */
  tick(): Future<number> {
    return new Tick(this);
  }

  /** The next tick, polled: for futures that hold an interval. */
  pollTick(context: Context): number | Pending {
    const next = this.#next ??= new SleepFuture(now(), true);
    if (next.poll(context) === Pending) return Pending;
    const { due } = next;
    next.reset(nextTick(this.missedTick, due, now(), this.period));
    return due;
  }

  /** Waits for the tick no more, for who has polled it. */
  dropTick(): void {
    const next = this.#next;
    next?.drop();
    next?.reset(next.due);
  }

  /** The next tick comes a period from now. */
  reset(): void {
    this.#reset(now() + this.period);
  }

  /** The next tick comes at once. */
  resetImmediately(): void {
    this.#reset(now());
  }

  /** The next tick comes `ms` milliseconds from now, and a period lies between it and the one after. */
  resetAfter(ms: number): void {
    checkSpan(ms, "reset an interval");
    this.#reset(now() + ms);
  }

  /** The next tick comes when `now()` is `deadline`, and a period lies between it and the one after. */
  resetAt(deadline: number): void {
    checkTime(deadline, "reset an interval", "deadline");
    this.#reset(deadline);
  }

  #reset(deadline: number): void {
    if (this.#next === null) this.#next = new SleepFuture(deadline, true);
    else this.#next.reset(deadline);
  }

  /** The ticks, for ever: `for await (const due of interval(1000))`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<number, never, void> {
    for (;;) yield await this.tick();
  }
}

/** What an interval may be told. */
export interface IntervalOptions {
  /** `burst` where nothing is said. */
  missedTick?: MissedTick;
}

function missedTickOf(options: IntervalOptions): MissedTick {
  requireNames("cannot make an interval", "options are", options, ["missedTick"]);
  const { missedTick = "burst" } = options;
  return missedTick;
}

/** Ticks each `period` milliseconds, the first time at the first poll. */
export function interval(period: number, options: IntervalOptions = {}): Interval {
  return new Interval(null, period, missedTickOf(options));
}

/** Ticks each `period` milliseconds, the first time when `now()` is `start`: at once where it is already. */
export function intervalAt(start: number, period: number, options: IntervalOptions = {}): Interval {
  checkTime(start, "make an interval", "start");
  return new Interval(start, period, missedTickOf(options));
}
