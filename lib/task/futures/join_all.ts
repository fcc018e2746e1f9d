import { Children } from "./children.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFutures } from "./to_future.ts";

const WAITING = 0;
const FAILED = 1;
const ENDED = 2;

class JoinAll<T> extends Future<T[]> {
  #children: Children<T>;
  #values: T[];
  #error: unknown = undefined;
  #state = WAITING;
  #failsFast: boolean;

  constructor(futures: readonly Future<T>[], failsFast: boolean) {
    super();
    this.#children = new Children(futures);
    this.#values = new Array(futures.length);
    this.#failsFast = failsFast;
  }

  override describe(): string {
    return `joinAll(${this.#children.describe()})`;
  }

  override poll(context: Context): T[] | Pending {
    if (this.#state === ENDED) throw consumed("joinAll()");
    const children = this.#children;
    children.begin(context.waker);
    for (let child = children.take(); child !== null; child = children.take()) {
      try {
        const value = child.poll();
        if (value !== Pending) this.#values[child.index] = value;
      } catch (error) {
        this.#fail(error);
      }
    }
    const state = this.#state;
    // It was dropped by one that it has polled.
    if (children.left > 0 || state === ENDED) return Pending;
    this.#state = ENDED;
    if (state === FAILED) throw this.#error;
    return this.#values;
  }

  #fail(error: unknown): void {
    if (this.#state !== WAITING) return;
    this.#state = FAILED;
    this.#error = error;
    if (!this.#failsFast) return;
    try {
      this.#children.drop();
    } catch (dropped) {
      this.#error = new SuppressedError(dropped, error);
    }
  }

  override drop(): void {
    this.#state = ENDED;
    this.#children.drop();
  }
}

/**
 * The values of all of them, in their order. Only what was woken is polled, so that ten thousand cost what as many
 * tasks do. Where any fails it throws the first failure, once all have ended: `tryJoinAll` does not wait for that.
 */
export function joinAll<T>(bodies: Iterable<Spawnable<T>>): Future<T[]> {
  return new JoinAll(toFutures(bodies), false);
}

/** `joinAll` that fails with the first of them that does, and drops the others then. */
export function tryJoinAll<T>(bodies: Iterable<Spawnable<T>>): Future<T[]> {
  return new JoinAll(toFutures(bodies), true);
}
