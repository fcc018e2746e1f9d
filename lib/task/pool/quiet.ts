import { type Context, Future, Pending } from "../future.ts";
import type { Lane } from "./lane.ts";

/** Ends when none of the lane's jobs is in flight. */
export class Quiet extends Future<void> {
  readonly #lane: Lane;
  #isWaiting = false;

  constructor(lane: Lane) {
    super();
    this.#lane = lane;
  }

  override poll(context: Context): void | Pending {
    if (this.#lane.inFlight === 0) {
      this.drop();
      return;
    }
    if (!this.#isWaiting) this.#lane.awaits(1);
    this.#isWaiting = true;
    this.#lane.onDrained = () => context.waker.wake();
    return Pending;
  }

  override drop(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#lane.onDrained = null;
    this.#lane.awaits(-1);
  }
}
