import { Pending } from "../future.ts";
import type { Waiters } from "./waiters.ts";
import { Waiting } from "./waiting.ts";

/** A channel, as its senders' `closed()` sees it. */
export interface Closable {
  /** Whether nobody will receive any more. */
  readonly isDeaf: boolean;
  /** To be woken when it is. */
  readonly awaitingDeaf: Waiters;
}

/** Waits until nobody receives. */
export class Closed extends Waiting<void> {
  protected override readonly call = "closed()";
  readonly #channel: Closable;

  constructor(channel: Closable) {
    super();
    this.#channel = channel;
  }

  protected override get waiters(): Waiters {
    return this.#channel.awaitingDeaf;
  }

  protected override attempt(): void | Pending {
    return this.#channel.isDeaf ? undefined : Pending;
  }
}
