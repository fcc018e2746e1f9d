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
export type Coroutine<T> = Generator<Pending, T, void>;

/** The key of a future's promise. */
export const delivery: unique symbol = Symbol("delivery");

/** What the coroutine that has the thread is polled with, for the futures that it waits for. */
export const polling: { context: Context | null } = { context: null };

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

  /** Lets a coroutine `yield*` the future. No generator is made for it, and none is left where it is ready. */
  [Symbol.iterator](): Iterator<Pending, T, void> {
    return new Yielded(this);
  }

  /** What `await` waits for while it does, so that awaiting it twice at once waits for one task. */
  declare [delivery]?: Promise<T>;

  /** `await`: the future becomes a task of the running runtime. Rejects where none runs. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#delivered().then(onFulfilled, onRejected);
  }

  #delivered(): Promise<T> {
    try {
      return this[delivery] ??= currentRuntime().deliver(this);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** Polls the future at each turn of its coroutine: yields `Pending`, then returns the value. */
class Yielded<T> implements Iterator<Pending, T, void> {
  #future: Future<T>;

  constructor(future: Future<T>) {
    this.#future = future;
  }

  next(): IteratorResult<Pending, T> {
    const { context } = polling;
    if (context === null) {
      throw new Error("cannot wait for a future here: the coroutine is driven by no task");
    }
    const value = this.#future.poll(context);
    return value === Pending ? { done: false, value: Pending } : { done: true, value };
  }

  /** The coroutine is dropped. */
  return(value: T): IteratorResult<Pending, T> {
    this.#future.drop();
    return { done: true, value };
  }
}
