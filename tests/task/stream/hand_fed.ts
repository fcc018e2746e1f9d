/** A stream that a test feeds, and which tells what was done with it. */
import { type Context, Pending, type Waker } from "../../../lib/task/future.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";

/** Gives what it was given. Fails the test that polls it after its end, or after it was dropped. */
export class HandFed<T> extends Stream<T> {
  polls = 0;
  drops = 0;
  hasEnded = false;
  waker: Waker | null = null;
  #steps: (() => T | Pending | Ended)[] = [];
  #dropError: { error: unknown } | null = null;

  constructor(...items: T[]) {
    super();
    this.push(...items);
  }

  #add(step: () => T | Pending | Ended): this {
    this.#steps.push(step);
    const { waker } = this;
    this.waker = null;
    waker?.wake();
    return this;
  }

  push(...items: T[]): this {
    for (const item of items) this.#add(() => item);
    return this;
  }

  /** Is pending once, and wakes at once. */
  pend(): this {
    return this.#add(() => {
      const { waker } = this;
      this.waker = null;
      waker?.wake();
      return Pending;
    });
  }

  end(): this {
    return this.#add(() => Ended);
  }

  fail(error: unknown): this {
    return this.#add(() => {
      this.hasEnded = true;
      throw error;
    });
  }

  /** Dropping it throws. */
  throwAtDrop(error: unknown): this {
    this.#dropError = { error };
    return this;
  }

  override pollNext(context: Context): T | Pending | Ended {
    this.polls++;
    if (this.hasEnded) throw new Error("a source was polled after its end");
    if (this.drops > 0) throw new Error("a source was polled after it was dropped");
    this.waker = context.waker;
    const step = this.#steps.shift();
    if (step === undefined) return Pending;
    const item = step();
    if (item === Ended) this.hasEnded = true;
    return item;
  }

  override drop(): void {
    this.drops++;
    this.waker = null;
    if (this.#dropError !== null) throw this.#dropError.error;
  }
}
