/** What the senders of a channel are counted by. */
export interface SenderCounts {
  senders: number;
  weak: number;
  /** Whether something may be sent yet: there are senders, or permits of theirs. */
  readonly hasSenders: boolean;
}

/** A sender that does not keep its channel open: it sends by being upgraded. */
export class WeakSender<S> implements Disposable {
  readonly #counts: SenderCounts;
  readonly #upgraded: () => S;
  #isClosed = false;

  /** The channel's own: `upgraded` makes a sender. */
  constructor(counts: SenderCounts, upgraded: () => S) {
    this.#counts = counts;
    this.#upgraded = upgraded;
    counts.weak++;
  }

  /** A sender, to be closed; or null where the senders have all been closed. */
  upgrade(): S | null {
    return this.#counts.hasSenders ? this.#upgraded() : null;
  }

  /** How many senders there are. */
  get strongCount(): number {
    return this.#counts.senders;
  }

  /** How many weak senders there are. */
  get weakCount(): number {
    return this.#counts.weak;
  }

  /** Is counted no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#counts.weak--;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
