import { consumed, type Context, Future, Pending } from "../future.ts";

const FRESH = 0;
const WAITING = 1;
const ENDED = 2;

class PollFn<T> extends Future<T> {
  #state = FRESH;
  #poll: (context: Context) => T | Pending;
  #drop: (() => void) | undefined;

  constructor(poll: (context: Context) => T | Pending, drop: (() => void) | undefined) {
    super();
    this.#poll = poll;
    this.#drop = drop;
  }

  override describe(): string {
    return this.#poll.name === "" ? "pollFn()" : this.#poll.name;
  }

  override poll(context: Context): T | Pending {
    if (this.#state === ENDED) throw consumed("pollFn()");
    this.#state = WAITING;
    const poll = this.#poll;
    try {
      const value = poll(context);
      if (value !== Pending) this.#state = ENDED;
      return value;
    } catch (error) {
      this.#state = ENDED;
      throw error;
    }
  }

  override drop(): void {
    const state = this.#state;
    this.#state = ENDED;
    if (state === WAITING) this.#drop?.();
  }
}

/**
 * A future of a function. `poll` gives the value, or keeps `context.waker`, which is to be woken once the value may
 * be there, and gives `Pending`; it is not called again after a value or a throw. `drop` takes back what it has
 * arranged, where the future is abandoned between the two.
 *
 * @example
 * ```ts
 * import { Pending, pollFn, run } from "@oxbow/oxbow/task";
 *
 * let left = 3;
 * const countdown = pollFn(({ waker }) => {
 *   if (left-- === 0) return "lift-off";
 *   waker.wake();
 *   return Pending;
 * });
 * console.log(await run(() => countdown)); // lift-off
 * ```
 */
export function pollFn<T>(poll: (context: Context) => T | Pending, drop?: () => void): Future<T> {
  if (typeof poll !== "function") throw new TypeError("cannot make a future: poll is no function");
  return new PollFn(poll, drop);
}
