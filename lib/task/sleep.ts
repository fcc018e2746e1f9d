import { type Context, Future, Pending } from "./future.ts";
import { currentRuntime } from "./current.ts";
import { Timer } from "./timers.ts";

class Sleep extends Future<void> {
  #ms: number;
  #timer: Timer | null = null;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  override poll(context: Context): void | Pending {
    const runtime = currentRuntime();
    if (this.#timer === null) {
      this.#timer = new Timer(runtime.now() + this.#ms, context.waker);
      runtime.timers.add(this.#timer);
      return Pending;
    }
    if (runtime.now() >= this.#timer.deadline) return;
    this.#timer.rearm(context.waker);
    return Pending;
  }

  override drop(): void {
    this.#timer?.cancel();
  }
}

/** Waits for `ms` milliseconds from the first poll; never less, and at least one turn of the loop. */
export function sleep(ms: number): Future<void> {
  if (!(ms >= 0)) throw new RangeError(`cannot sleep: ms is ${ms}, not a count of milliseconds`);
  return new Sleep(ms);
}
