import { now } from "../time/clock.ts";
import { type Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { SleepFuture } from "../time/sleep.ts";
import { Adapter, fail, requireSpan } from "./adapter.ts";
import { isOver } from "./delay.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Timeout<T> extends Adapter<T, T> {
  #ms: number;
  /** Runs while an item is waited for. */
  #delay: SleepFuture | null = null;

  constructor(source: Stream<T>, ms: number) {
    super(source);
    this.#ms = ms;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      const item = source.pollNext(context);
      if (item === Pending) return this.#wait(context);
      this.#endDelay();
      return item === Ended ? this.end() : item;
    } catch (error) {
      return fail(this, error);
    }
  }

  #wait(context: Context): Pending {
    if (isOver(this.#delay ??= new SleepFuture(this.#ms, false), context)) {
      throw new DOMException(`the next item was not there within ${this.#ms} ms`, "TimeoutError");
    }
    return Pending;
  }

  #endDelay(): void {
    this.#delay?.drop();
    this.#delay = null;
  }

  override drop(): void {
    const { source } = this;
    this.source = null;
    this.#endDelay();
    source?.drop();
  }
}

class Throttled<T> extends Adapter<T, T> {
  #ms: number;
  /** Ends when the next item may be given. */
  #delay: SleepFuture | null = null;
  #isDelayed = false;

  constructor(source: Stream<T>, ms: number) {
    super(source);
    this.#ms = ms;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      if (this.#isDelayed) {
        if (this.#delay?.poll(context) === Pending) return Pending;
        this.#isDelayed = false;
      }
      const item = source.pollNext(context);
      if (item === Pending) return Pending;
      if (item === Ended) return this.end();
      this.#begin();
      return item;
    } catch (error) {
      return fail(this, error);
    }
  }

  #begin(): void {
    if (this.#ms === 0) return;
    const time = now() + this.#ms;
    if (this.#delay === null) this.#delay = new SleepFuture(time, true);
    else this.#delay.reset(time);
    this.#isDelayed = true;
  }

  override drop(): void {
    const { source } = this;
    this.source = null;
    dropAll([this.#delay, source]);
  }
}

class Debounced<T> extends Adapter<T, T> {
  #ms: number;
  #item: T | Pending = Pending;
  /** Runs since the item came. */
  #delay: SleepFuture | null = null;

  constructor(source: Stream<T>, ms: number) {
    super(source);
    this.#ms = ms;
  }

  override pollNext(context: Context): T | Pending | Ended {
    try {
      for (;;) {
        const { source } = this;
        if (source === null) return Ended;
        const item = source.pollNext(context);
        if (item === Pending) break;
        if (item === Ended) {
          this.end();
          return this.#item === Pending ? Ended : this.#take();
        }
        this.#keep(item);
      }
      if (this.#delay === null || !isOver(this.#delay, context)) return Pending;
      return this.#take();
    } catch (error) {
      return fail(this, error);
    }
  }

  #keep(item: T): void {
    this.#delay?.drop();
    this.#delay = new SleepFuture(this.#ms, false);
    this.#item = item;
  }

  #take(): T | Pending {
    const item = this.#item;
    this.#item = Pending;
    this.#delay?.drop();
    this.#delay = null;
    return item;
  }

  override drop(): void {
    const { source } = this;
    this.source = null;
    this.#take();
    source?.drop();
  }
}

/** {@linkcode Stream.timeout} */
export function timeout<T>(source: Stream<T>, ms: number): Stream<T> {
  requireSpan(ms, "set a timeout for a stream's items");
  return new Timeout(source, ms);
}

/** {@linkcode Stream.throttle} */
export function throttle<T>(source: Stream<T>, ms: number): Stream<T> {
  requireSpan(ms, "throttle a stream");
  return new Throttled(source, ms);
}

/** {@linkcode Stream.debounce} */
export function debounce<T>(source: Stream<T>, ms: number): Stream<T> {
  requireSpan(ms, "debounce a stream");
  return new Debounced(source, ms);
}
