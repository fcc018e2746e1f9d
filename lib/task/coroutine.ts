import { type Context, type Coroutine, Future, Pending } from "./future.ts";

/** Drives a coroutine: polls what it yields, and gives it the value or throws the error in. */
export class CoroutineFuture<T> extends Future<T> {
  #coroutine: Coroutine<T>;
  #waiting: Future<unknown> | null = null;

  constructor(coroutine: Coroutine<T>) {
    super();
    this.#coroutine = coroutine;
  }

  override poll(context: Context): T | Pending {
    let step = this.#waiting === null
      ? this.#coroutine.next(undefined)
      : this.#advance(this.#waiting, context);
    while (step !== Pending && !step.done) step = this.#advance(step.value, context);
    return step === Pending ? Pending : step.value;
  }

  #advance(future: Future<unknown>, context: Context): IteratorResult<Future<unknown>, T> | Pending {
    let value: unknown;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#waiting = null;
      return this.#coroutine.throw(error);
    }
    if (value === Pending) {
      this.#waiting = future;
      return Pending;
    }
    this.#waiting = null;
    return this.#coroutine.next(value);
  }

  /** Drops what it waits for, then runs its `finally` blocks, which must not wait. */
  override drop(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.drop();
    // A coroutine's `return` takes the value it ends with, which nobody will read.
    const ended = Reflect.apply(this.#coroutine.return, this.#coroutine, [undefined]);
    if (!ended.done) {
      throw new Error("a coroutine that was dropped waited in a finally block, where nothing can wake it");
    }
  }
}
