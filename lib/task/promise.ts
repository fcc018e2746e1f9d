import { type Context, Future, Pending, type Waker } from "./future.ts";
import { currentRuntime } from "./current.ts";
import type { Runtime } from "./runtime.ts";

class PromiseFuture<T> extends Future<T> {
  #result: { value: T } | { error: unknown } | null = null;
  #waker: Waker | null = null;
  #runtime: Runtime = currentRuntime();

  constructor(promise: PromiseLike<T>) {
    super();
    this.#runtime.promisePending();
    promise.then((value) => this.#settle({ value }), (error) => this.#settle({ error }));
  }

  #settle(result: { value: T } | { error: unknown }): void {
    this.#result = result;
    this.#runtime.promiseSettled();
    this.#waker?.wake();
    this.#waker = null;
  }

  override poll(context: Context): T | Pending {
    if (this.#result === null) {
      this.#waker = context.waker;
      return Pending;
    }
    if ("error" in this.#result) throw this.#result.error;
    return this.#result.value;
  }

  override drop(): void {
    this.#waker = null;
  }
}

/** A promise as a future. The promise has begun already, and dropping the future does not stop it. */
export function fromPromise<T>(promise: PromiseLike<T>): Future<T> {
  return promise instanceof Future ? promise : new PromiseFuture(promise);
}
