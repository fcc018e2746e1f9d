import { coop, proceed } from "../coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import type { Waiter, Waiters } from "./waiters.ts";

/** A channel, as its senders' `closed()` sees it. */
export interface Closable {
  /** Whether nobody will receive any more. */
  readonly isDeaf: boolean;
  /** To be woken when it is. */
  readonly awaitingDeaf: Waiters;
}

/** Waits until nobody receives. */
export class Closed extends Future<void> {
  #channel: Closable | null;
  #waiter: Waiter | null = null;

  constructor(channel: Closable) {
    super();
    this.#channel = channel;
  }

  override poll(context: Context): void | Pending {
    const channel = this.#channel;
    if (channel === null) throw consumed("closed()");
    if (!channel.isDeaf) {
      this.#waiter = channel.awaitingDeaf.wait(this.#waiter, context.waker);
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    this.drop();
  }

  override drop(): void {
    this.#channel = null;
    this.#waiter?.leave();
    this.#waiter = null;
  }
}
