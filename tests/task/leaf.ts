/** A future that a test finishes, and which tells what was done with it. */
import { type Context, Future, Pending, type Waker } from "../../lib/task/future.ts";

/** Ends when it is told to. Fails the test that polls it after its end, or after it was dropped. */
export class Leaf<T> extends Future<T> {
  polls = 0;
  drops = 0;
  /** Whether it has given its value or its error. */
  hasEnded = false;
  waker: Waker | null = null;
  #outcome: { value: T } | { error: unknown } | null = null;
  #dropError: { error: unknown } | null = null;

  /** The value is there, and whoever waits is woken. */
  finish(value: T): this {
    this.#outcome = { value };
    this.waker?.wake();
    return this;
  }

  /** It fails, and whoever waits is woken. */
  fail(error: unknown): this {
    this.#outcome = { error };
    this.waker?.wake();
    return this;
  }

  /** Dropping it throws. */
  throwAtDrop(error: unknown): this {
    this.#dropError = { error };
    return this;
  }

  override poll(context: Context): T | Pending {
    this.polls++;
    if (this.hasEnded || this.drops > 0) throw new Error("a leaf was polled after its end");
    if (this.#outcome === null) {
      this.waker = context.waker;
      return Pending;
    }
    this.hasEnded = true;
    if ("error" in this.#outcome) throw this.#outcome.error;
    return this.#outcome.value;
  }

  override drop(): void {
    this.drops++;
    if (this.#dropError !== null) throw this.#dropError.error;
  }
}
