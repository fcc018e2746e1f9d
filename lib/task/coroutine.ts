import { type Context, type Coroutine, Future, Pending, polling } from "./future.ts";

/**
 * Drives a coroutine. A turn resumes it where it waits, and there `yield*` polls the future again: a value
 * goes on, an error is thrown, and `Pending` comes out here.
 */
export class CoroutineFuture<T> extends Future<T> {
  #coroutine: Coroutine<T>;

  constructor(coroutine: Coroutine<T>) {
    super();
    this.#coroutine = coroutine;
  }

  override poll(context: Context): T | Pending {
    const outer = polling.context;
    polling.context = context;
    try {
      let step = this.#coroutine.next();
      while (!step.done && step.value !== Pending) {
        step = this.#coroutine.throw(new TypeError("cannot wait for what a coroutine yields: use yield*"));
      }
      return step.done ? step.value : Pending;
    } finally {
      polling.context = outer;
    }
  }

  /** Drops what it waits for, then runs its `finally` blocks, which must not wait. */
  override drop(): void {
    const abandon: Iterator<Pending, unknown> = this.#coroutine;
    if (abandon.return?.().done === false) {
      throw new Error("a coroutine that was dropped waited in a finally block, where nothing can wake it");
    }
  }
}
