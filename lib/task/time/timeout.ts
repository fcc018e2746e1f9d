import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { checkSpan, checkTime, SleepFuture } from "./sleep.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";

class Timeout<T> extends Future<T> {
  #future: Future<T> | null;
  #time: number;
  #isSet: boolean;
  #delay: SleepFuture | null = null;

  /** `time` is a deadline where `isSet`, and otherwise counted from the first poll. */
  constructor(future: Future<T>, time: number, isSet: boolean) {
    super();
    this.#future = future;
    this.#time = time;
    this.#isSet = isSet;
  }

  override describe(): string {
    const what = this.#future === null ? "timeout()" : this.#future.describe();
    return this.#delay === null ? what : `${what} (timeout: ${this.#delay.describe()})`;
  }

  override poll(context: Context): T | Pending {
    const future = this.#future;
    if (future === null) throw consumed("a timeout");
    const hadBudget = coop.left > 0;
    let value: T | Pending;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (value !== Pending) {
      this.#end();
      return value;
    }
    if (!this.#isOver(context, hadBudget)) return Pending;
    this.#end();
    future.drop();
    throw new DOMException(this.#message(), "TimeoutError");
  }

  #isOver(context: Context, hadBudget: boolean): boolean {
    // A future that had no budget was not asked, so that it may be ready: the task comes again.
    if (this.#time === 0 && !this.#isSet) return hadBudget || proceed(context);
    const delay = this.#delay ??= new SleepFuture(this.#time, this.#isSet);
    // A future that spends the whole budget at each poll would never run out of time.
    const lends = hadBudget && coop.left === 0;
    if (lends) coop.left = 1;
    const isOver = delay.pollLast(context) !== Pending;
    if (lends) coop.left = 0;
    return isOver;
  }

  #message(): string {
    return this.#isSet ? "the deadline has passed" : `not there within ${this.#time} ms`;
  }

  #end(): void {
    this.#future = null;
    this.#delay?.drop();
    this.#delay = null;
  }

  override drop(): void {
    const future = this.#future;
    this.#end();
    future?.drop();
  }
}

/**
 * The value of `future`, if that is there `ms` milliseconds after the first poll. Otherwise drops it where it
 * stands, and fails with a `DOMException` named `TimeoutError`. The future goes first: one that is ready wins over
 * a time that is up. Costs nothing for a future that is ready at once.
 */
export function timeout<T>(ms: number, future: Spawnable<T>): Future<T> {
  checkSpan(ms, "set a timeout");
  return new Timeout(toFuture(future), ms, false);
}

/** The same, until `now()` is `deadline`. */
export function timeoutAt<T>(deadline: number, future: Spawnable<T>): Future<T> {
  checkTime(deadline, "set a timeout", "deadline");
  return new Timeout(toFuture(future), deadline, true);
}
