import { currentRuntime } from "../runtime/current.ts";
import type { Fuse } from "./fuse.ts";
import type { Shared } from "./shared.ts";
import type { Spawnable } from "./to_future.ts";

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

/**
 * A task in the style of threads: `yield*` of a future waits for it, and is its value. TypeScript takes what a
 * generator function yields that has no return type of its own for any symbol, so that this does, too; one that
 * is not `Pending` is thrown back.
 */
export type Coroutine<T> = Generator<symbol, T, void>;

/** What the coroutine that has the thread is polled with, for the futures that it waits for. */
export const polling: {
  context: Context | null;
  /** Why there is no context: the coroutine is being dropped, or has aborted its own task. */
  instead: "dropped" | "refused" | "aborted" | "described" | null;
  /** Whether what suspends the coroutine is a future that it waits for, which can be asked what it is. */
  isParked: boolean;
  /** Which future that is: asked for by resuming it with `instead` set to `described`. */
  described: Future<unknown> | null;
} = { context: null, instead: null, isParked: false, described: null };

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

let methods: typeof import("./methods.ts");

/** The methods' own: their classes extend `Future`, so that they are there only after it. */
export function provideMethods(given: typeof import("./methods.ts")): void {
  methods = given;
}

/**
 * A value that may not be there yet: lazy, polled, dropped. `poll` gives the value, once, or keeps the
 * waker and gives `Pending`; `drop` takes back what a poll arranged, for a future that is abandoned.
 *
 * It is waited for in three ways: polled by another future, `yield*`ed in a coroutine, or `await`ed. What a
 * method makes of it owns it: it polls and drops it, and nobody else may.
 */
export abstract class Future<T> implements PromiseLike<T> {
  /** Set once it is awaited, and no field before: a base class with fields costs V8 6 ns at each `new`. */
  declare private awaited?: true;

  /** Throws what the future fails with, and where its value was taken already. */
  abstract poll(context: Context): T | Pending;

  /** Abandons it: what it waits for wakes nobody. Does nothing where nothing was arranged, or a second time. */
  drop(): void {}

  /** What it waits for, for people who debug: what `dump` says. The name of its class, where it says nothing else. */
  describe(): string {
    return this.constructor.name;
  }

  /** Lets a coroutine `yield*` the future. No generator is made for it, and none is left where it is ready. */
  [Symbol.iterator](): Iterator<Pending, T, void> {
    return new Yielded(this);
  }

  /** `await`: polled by the thread's runtime, or by one that is attached to the host's loop where none runs. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (typeof onFulfilled !== "function" || typeof onRejected !== "function" || this.awaited) {
      return this.toPromise().then(onFulfilled, onRejected);
    }
    this.awaited = true;
    return methods.chained(this, onFulfilled, onRejected);
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

  /** What `f` makes of its value. */
  map<U>(f: (value: T) => U): Future<U> {
    return methods.map(this, f);
  }

  /** What `f` waits for next, given its value: a future, a coroutine or a promise. */
  andThen<U>(f: (value: T) => Spawnable<U>): Future<U> {
    return methods.andThen(this, f);
  }

  /** Its value, or what `f` waits for next, given what it failed with. */
  orElse<U>(f: (error: unknown) => Spawnable<U>): Future<T | U> {
    return methods.orElse(this, f);
  }

  /** Its value, once `f` has seen it. */
  inspect(f: (value: T) => void): Future<T> {
    return methods.inspect(this, f);
  }

  /** Calls `f` at its end: at its value, at its failure, or where it is dropped after it has begun. */
  finally(f: () => void): Future<T> {
    return methods.atEnd(this, f);
  }

  /** How it ended, as `Promise.allSettled` tells it: it never fails. */
  settled(): Future<PromiseSettledResult<T>> {
    return methods.settled(this);
  }

  /** Pends for ever once its value was taken, instead of throwing; says whether it has ended. */
  fuse(): Fuse<T> {
    return methods.fuse(this);
  }

  /** Polls it and, where that is dropped, leaves it as it stands: to go on with it after a `select` that it lost. */
  borrow(): Future<T> {
    return methods.borrow(this);
  }

  /** Can be waited for by many: each has a `clone()`, and it is dropped with the last of them. */
  shared(): Shared<T> {
    return methods.shared(this);
  }

  /**
   * Fails with a `DOMException` named `TimeoutError`, and drops it, where its value is not there `ms` milliseconds
   * after the first poll.
   */
  timeout(ms: number): Future<T> {
    return methods.timeout(ms, this);
  }

  /** Fails with `signal.reason`, and drops it, once the signal is aborted. */
  abortable(signal: AbortSignal): Future<T> {
    return methods.abortable(this, signal);
  }
}

const PENDING: IteratorYieldResult<Pending> = Object.freeze({ done: false, value: Pending });

/** Polls the future at each turn of its coroutine: yields `Pending`, then returns the value. */
class Yielded<T> implements Iterator<Pending, T, void> {
  #future: Future<T>;

  constructor(future: Future<T>) {
    this.#future = future;
  }

  next(): IteratorResult<Pending, T> {
    const { context } = polling;
    if (context === null) return withoutContext(this.#future);
    const value = this.#future.poll(context);
    return value === Pending ? parked() : { done: true, value };
  }

  /** The coroutine is dropped. */
  return(value: T): IteratorResult<Pending, T> {
    this.#future.drop();
    return { done: true, value };
  }
}

/** What the iterators of futures yield where the value is not there yet. */
export function parked(): IteratorYieldResult<Pending> {
  polling.isParked = true;
  return PENDING;
}

/** Suspends the coroutine where its driver means to end it, or to ask; throws where there is no driver. */
export function withoutContext(future: Future<unknown>): IteratorYieldResult<Pending> {
  switch (polling.instead) {
    case "described":
      polling.described = future;
      return PENDING;
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
