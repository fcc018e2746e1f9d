/** A context whose waker counts, to poll futures by hand. */
import { type Context, type Future, Pending, type Waker } from "../../lib/task/future.ts";

/** Polls by hand, and counts how often it is woken. */
export class Probe implements Context, Waker {
  wakes = 0;

  get waker(): Waker {
    return this;
  }

  wake(): void {
    this.wakes++;
  }

  poll<T>(future: Future<T>): T | Pending {
    return future.poll(this);
  }

  /** Whether a poll finds nothing yet. */
  isPending(future: Future<unknown>): boolean {
    return future.poll(this) === Pending;
  }
}
