import { shown } from "../io/arguments.ts";
import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import type { Runtime } from "./runtime/runtime.ts";

const FRESH = 0;
const WAITING = 1;
const FULFILLED = 2;
const REJECTED = 3;
const ENDED = 4;

/** A promise, or a function that begins one and is told by the signal where nobody waits for it any more. */
export type PromiseSource<T> = PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>);

/** Whether it has a `then`, which is not called by that. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Waits for a promise. */
class PromiseFuture<T> extends Future<T> {
  #state = FRESH;
  #source: PromiseSource<T> | null;
  #value: T | Pending = Pending;
  #error: unknown = undefined;
  #waker: Waker | null = null;
  #runtime: Runtime | null = null;
  #controller: AbortController | null = null;

  /** `fromPromise`'s own. */
  constructor(source: PromiseSource<T>) {
    super();
    this.#source = source;
  }

  override describe(): string {
    return "a promise";
  }

  override poll(context: Context): T | Pending {
    if (this.#state === FRESH) this.#begin();
    const state = this.#state;
    if (state === WAITING) {
      this.#waker = context.waker;
      return Pending;
    }
    if (state === ENDED) throw consumed("a promise");
    this.#state = ENDED;
    if (state === REJECTED) throw this.#error;
    const value = this.#value;
    this.#value = Pending;
    return value;
  }

  #begin(): void {
    const runtime = currentRuntime();
    const source = this.#source;
    this.#source = null;
    this.#state = ENDED;
    const promise = typeof source === "function" ? this.#call(source) : source;
    if (!isThenable(promise)) {
      throw new TypeError(`cannot wait for ${shown(promise)}: it has no then(), so that it is no promise`);
    }
    this.#state = WAITING;
    this.#runtime = runtime;
    runtime.promisePending();
    try {
      promise.then((value) => this.#fulfilled(value), (error) => this.#rejected(error));
    } catch (error) {
      // As with `await`: what it throws once it has called back counts for nothing.
      this.#rejected(error);
    }
  }

  #call(begin: (signal: AbortSignal) => PromiseLike<T>): PromiseLike<T> {
    this.#controller = new AbortController();
    return begin(this.#controller.signal);
  }

  #fulfilled(value: T): void {
    if (this.#state !== WAITING) return;
    this.#value = value;
    this.#settled(FULFILLED);
  }

  #rejected(error: unknown): void {
    if (this.#state !== WAITING) return;
    this.#error = error;
    this.#settled(REJECTED);
  }

  #settled(state: number): void {
    const waker = this.#waker;
    this.#state = state;
    this.#waker = null;
    this.#runtime?.promiseSettled();
    waker?.wake();
  }

  override drop(): void {
    const state = this.#state;
    this.#state = ENDED;
    this.#source = null;
    this.#value = Pending;
    if (state !== WAITING) return;
    this.#waker = null;
    this.#runtime?.promiseSettled();
    this.#controller?.abort(new DOMException("nobody waits for the promise any more", "AbortError"));
  }
}

/**
 * A promise as a future. A promise that is given has begun already, and dropping the future does not stop it: what
 * it comes to is not heard. A function is called at the first poll, and the signal that it is given is aborted
 * where the future is dropped.
 *
 * @example
 * ```ts
 * import { fromPromise, run } from "@oxbow/oxbow/task";
 *
 * const page = fromPromise((signal) => fetch("data:text/plain,hello", { signal }));
 * console.log((await run(() => page.timeout(1_000))).status); // 200
 * ```
 */
export function fromPromise<T>(source: PromiseSource<T>): Future<T> {
  if (source instanceof Future) return source;
  if (typeof source !== "function" && (Object(source) !== source || !("then" in source))) {
    throw new TypeError(
      `cannot make a future of ${shown(source)}: it is no promise, nor a function that begins one`,
    );
  }
  return new PromiseFuture(source);
}
