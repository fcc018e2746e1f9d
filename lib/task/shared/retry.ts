import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { sleep } from "../time/sleep.ts";
import { yieldNow } from "../yield_now.ts";

/** Turns of the loop, at about 1 µs where it is idle, in which another process that is at work has answered. */
const TURNS = 50;
/** Milliseconds between two tries then, from the shortest to the longest, each twice the one before. */
const SHORTEST_MS = 1;
const LONGEST_MS = 8;

/**
 * Waits for what another process changes in shared memory, by trying again: no descriptor tells of a futex, and the
 * thread must not sleep on it. First in each turn of the runtime, then by a timer, ever more seldom.
 */
export abstract class Retry<T> extends Future<T> {
  #pause: Future<void> | null = null;
  #turns = 0;
  #ms = SHORTEST_MS;
  #isOver = false;

  /** Tries once, never waiting. */
  protected abstract attempt(): T | Pending;

  /** The call that made it, for messages. */
  protected abstract call(): string;

  override describe(): string {
    return this.call();
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed(this.call());
    for (;;) {
      if (this.#pause !== null && this.#pause.poll(context) === Pending) return Pending;
      this.#pause = null;
      if (!proceed(context)) return Pending;
      const value = this.#try();
      if (value !== Pending) {
        coop.left--;
        return value;
      }
      this.#pause = this.#next();
    }
  }

  #try(): T | Pending {
    try {
      const value = this.attempt();
      if (value !== Pending) this.#isOver = true;
      return value;
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  #next(): Future<void> {
    if (this.#turns++ < TURNS) return yieldNow();
    const ms = this.#ms;
    this.#ms = Math.min(LONGEST_MS, 2 * ms);
    return sleep(ms);
  }

  override drop(): void {
    this.#isOver = true;
    this.#pause?.drop();
    this.#pause = null;
  }
}
