import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending } from "./future.ts";

const FRESH = 0;
const YIELDED = 1;
const DONE = 2;

class YieldNow extends Future<void> {
  #state = FRESH;

  override describe(): string {
    return "yieldNow()";
  }

  override poll(context: Context): void | Pending {
    if (this.#state === FRESH) {
      this.#state = YIELDED;
      currentRuntime().executor.defer(context.waker);
      return Pending;
    }
    if (this.#state === DONE) throw consumed("yieldNow()");
    this.#state = DONE;
  }
}

/** Gives up the task's turn: the other tasks, the reactor and the timers go first. */
export function yieldNow(): Future<void> {
  return new YieldNow();
}
