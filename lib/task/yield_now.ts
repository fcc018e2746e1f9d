import { currentRuntime } from "./current.ts";
import { type Context, Future, Pending } from "./future.ts";

class YieldNow extends Future<void> {
  #yielded = false;

  override poll(context: Context): void | Pending {
    if (this.#yielded) return;
    this.#yielded = true;
    currentRuntime().defer(context.waker);
    return Pending;
  }
}

/** Gives up the task's turn: the other tasks, the reactor and the timers go first. */
export function yieldNow(): Future<void> {
  return new YieldNow();
}
