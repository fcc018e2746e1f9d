import { currentRuntime } from "./current.ts";

/** What `poll` returns where the value is not there yet. */
export const Pending: unique symbol = Symbol("pending");
/** What `poll` returns where the value is not there yet. */
export type Pending = typeof Pending;

/** Puts a task back in its executor's queue, to be polled again: unpark. */
export interface Waker {
  wake(): void;
}

/** What a future is polled with. */
export interface Context {
  /** To be kept by whatever the future waits for, and woken once that is there. */
  readonly waker: Waker;
}

/** A task in the style of threads: `yield*` of a future waits for it, and is its value. */
export type Coroutine<T> = Generator<Future<unknown>, T, unknown>;

/**
 * A value that may not be there yet: lazy, polled, dropped. `poll` gives the value, once, or keeps the
 * waker and gives `Pending`; `drop` takes back what a poll arranged, for a future that is abandoned.
 *
 * It is waited for in three ways: polled by another future, `yield*`ed in a coroutine, or `await`ed on a
 * runtime.
 */
export abstract class Future<T> implements PromiseLike<T> {
  /** Throws what the future fails with. */
  abstract poll(context: Context): T | Pending;

  /** Abandons it: what it waits for wakes nobody. Does nothing where nothing was arranged. */
  drop(): void {}

  /** Lets a coroutine's `yield*` hand the future to its driver; no generator is made for it. */
  [Symbol.iterator](): Iterator<Future<unknown>, T, T> {
    return new Yielded(this);
  }

  /** `await`: the future becomes a task of the running runtime. Rejects where none runs. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve, reject) => currentRuntime().deliver(this, resolve, reject)).then(
      onFulfilled,
      onRejected,
    );
  }
}

/** Yields the future, then returns what its driver answers: the future's value. */
class Yielded<T> implements Iterator<Future<unknown>, T, T> {
  #future: Future<T>;
  #yielded = false;

  constructor(future: Future<T>) {
    this.#future = future;
  }

  next(value: T): IteratorResult<Future<unknown>, T> {
    if (this.#yielded) return { done: true, value };
    this.#yielded = true;
    return { done: false, value: this.#future };
  }

  throw(error: unknown): IteratorResult<Future<unknown>, T> {
    throw error;
  }
}
