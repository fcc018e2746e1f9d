import { currentRuntime } from "./current.ts";

/** What `poll` returns where the value is not there yet. */
export const Pending: unique symbol = Symbol("pending");
/** What `poll` returns where the value is not there yet. */
export type Pending = typeof Pending;

/** Puts a task back in its executor's queue, to be polled again: unpark, notify. */
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

/** What the coroutine that has the thread is polled with, for the futures that it waits for. */
export const polling: {
  context: Context | null;
  /** Why there is no context: the coroutine is being dropped, or has aborted its own task. */
  instead: "dropped" | "refused" | "aborted" | null;
} = { context: null, instead: null };

/** A `finally` block of a coroutine that was dropped has tried to wait, where nothing can wake it. */
export class WaitInFinallyError extends Error {
  override name = "WaitInFinallyError";

  constructor() {
    super(
      "cannot wait in a finally block of a coroutine that was dropped: nothing can wake it; " +
        "spawn a task for what must be waited for",
    );
  }
}

/** What a future throws that is polled or awaited again, once it has given its value. */
export function consumed(what: string): Error {
  return new Error(`cannot wait for ${what} again: its value was taken; share it with shared()`);
}

/**
 * A value that may not be there yet: lazy, polled, dropped. `poll` gives the value, once, or keeps the
 * waker and gives `Pending`; `drop` takes back what a poll arranged, for a future that is abandoned.
 *
 * It is waited for in three ways: polled by another future, `yield*`ed in a coroutine, or `await`ed.
 */
export abstract class Future<T> implements PromiseLike<T> {
  /** Set once it is awaited, and no field before: a base class with fields costs V8 6 ns at each `new`. */
  declare private awaited?: true;

  /** Throws what the future fails with, and where its value was taken already. */
  abstract poll(context: Context): T | Pending;

  /** Abandons it: what it waits for wakes nobody. Does nothing where nothing was arranged, or a second time. */
  drop(): void {}

  /** Lets a coroutine `yield*` the future. No generator is made for it, and none is left where it is ready. */
  [Symbol.iterator](): Iterator<Pending, T, void> {
    return new Yielded(this);
  }

  /** `await`: polled by the thread's runtime, or by one that is attached to the host's loop where none runs. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onFulfilled, onRejected);
  }

  /** The future as a promise, which polls it from now on. Rejects where it was awaited before. */
  toPromise(): Promise<T> {
    if (this.awaited) return Promise.reject(consumed("a future"));
    this.awaited = true;
    try {
      return currentRuntime().deliver(this);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** What the iterators of futures yield. */
export const PENDING: IteratorYieldResult<Pending> = Object.freeze({ done: false, value: Pending });

/** Polls the future at each turn of its coroutine: yields `Pending`, then returns the value. */
class Yielded<T> implements Iterator<Pending, T, void> {
  #future: Future<T>;

  constructor(future: Future<T>) {
    this.#future = future;
  }

  next(): IteratorResult<Pending, T> {
    const { context } = polling;
    if (context === null) return withoutContext();
    const value = this.#future.poll(context);
    return value === Pending ? PENDING : { done: true, value };
  }

  /** The coroutine is dropped. */
  return(value: T): IteratorResult<Pending, T> {
    this.#future.drop();
    return { done: true, value };
  }
}

/** Suspends the coroutine where its driver means to end it, and throws where there is no driver. */
export function withoutContext(): IteratorYieldResult<Pending> {
  switch (polling.instead) {
    case "aborted":
    // Told once already: a finally block that loops for ever is left where it stands.
    case "refused":
      return PENDING;
    case "dropped":
      polling.instead = "refused";
      throw new WaitInFinallyError();
    case null:
      throw new Error("cannot wait for a future here: the coroutine is driven by no task");
  }
}
