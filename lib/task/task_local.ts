import { consumed, type Context, Future, Pending } from "./future.ts";
import { type Spawnable, toFuture } from "./futures/to_future.ts";

/**
 * A value that futures and coroutines see for as long as they are polled, whatever task polls them: tokio's
 * `task_local!`. It is not handed on to spawned tasks. An async function sees it up to its first `await`.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, TaskLocal } from "@oxbow/oxbow/task";
 *
 * const requestId = new TaskLocal<number>();
 *
 * function* handle(): Coroutine<string> {
 *   yield* sleep(1);
 *   return `request ${requestId.get()}`;
 * }
 *
 * console.log(await run(() => requestId.scope(7, handle))); // request 7
 * ```
 */
export class TaskLocal<T> {
  #value: { value: T } | null = null;

  /** A future of what `fn` gives, called with `args` at the first poll, in which the value is `value`. */
  scope<A extends unknown[], R>(value: T, fn: (...args: A) => Spawnable<R>, ...args: A): Future<R> {
    if (typeof fn !== "function") throw new TypeError("cannot set a task's local: fn is no function");
    return new Local(this, { value }, fn, args);
  }

  /** Calls `fn`, in which the value is `value`. */
  sync<R>(value: T, fn: () => R): R {
    return this.within({ value }, fn);
  }

  /** The value. Throws where none is set. */
  get(): T {
    if (this.#value === null) throw new Error("cannot get a task's local: no scope has set it");
    return this.#value.value;
  }

  /** Whether a scope has set it. */
  get isSet(): boolean {
    return this.#value !== null;
  }

  /** `scope`'s own: calls `fn` with the value set, and puts the one from outside back. */
  within<R>(value: { value: T }, fn: () => R): R {
    const outer = this.#value;
    this.#value = value;
    try {
      return fn();
    } finally {
      this.#value = outer;
    }
  }
}

class Local<T, A extends unknown[], R> extends Future<R> {
  #local: TaskLocal<T>;
  #value: { value: T };
  #fn: (...args: A) => Spawnable<R>;
  #args: A;
  #body: Future<R> | null = null;
  #isDone = false;

  constructor(local: TaskLocal<T>, value: { value: T }, fn: (...args: A) => Spawnable<R>, args: A) {
    super();
    this.#local = local;
    this.#value = value;
    this.#fn = fn;
    this.#args = args;
  }

  override describe(): string {
    return this.#body === null ? "a scope of a TaskLocal" : this.#body.describe();
  }

  override poll(context: Context): R | Pending {
    if (this.#isDone) throw consumed("a task's local scope");
    try {
      const value = this.#local.within(this.#value, () => {
        this.#body ??= toFuture(this.#fn(...this.#args));
        return this.#body.poll(context);
      });
      if (value !== Pending) this.#isDone = true;
      return value;
    } catch (error) {
      this.#isDone = true;
      throw error;
    }
  }

  override drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#local.within(this.#value, () => this.#body?.drop());
  }
}
