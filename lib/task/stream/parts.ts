import { coop } from "../runtime/coop.ts";
import type { Context, Waker } from "../future.ts";

/** The context in which one of many is polled: its waker tells which one was woken. It outlives what is polled. */
export class Part<O> implements Context, Waker {
  readonly owner: O;
  isWoken = false;
  /** Behind it among those that were woken. */
  after: Part<O> | null = null;
  #parts: Parts<O>;

  constructor(parts: Parts<O>, owner: O) {
    this.owner = owner;
    this.#parts = parts;
  }

  get waker(): Waker {
    return this;
  }

  wake(): void {
    if (!this.isWoken) this.#parts.add(this);
  }
}

/** Those that were woken, in order. The first of them wakes whoever polled last, once for all. */
export class Parts<O> {
  #first: Part<O> | null = null;
  #last: Part<O> | null = null;
  #count = 0;
  /** How many are polled in this turn: who is woken meanwhile waits for the next. */
  #turn = 0;
  #waker: Waker | null = null;

  /** A part's own: it was woken. */
  add(part: Part<O>): void {
    part.isWoken = true;
    if (this.#last === null) this.#first = part;
    else this.#last.after = part;
    this.#last = part;
    this.#count++;
    this.wake();
  }

  wake(): void {
    const waker = this.#waker;
    this.#waker = null;
    waker?.wake();
  }

  /** A turn begins: who is woken from now on wakes `waker`. */
  begin(waker: Waker): void {
    this.#waker = waker;
    this.#turn = this.#count;
  }

  /** Who is to be polled next in this turn; `null` at its end, or where the budget is spent. */
  take(): O | null {
    const part = this.#first;
    if (part === null || this.#turn === 0) return null;
    if (coop.left === 0) {
      this.#turn = 0;
      coop.yields++;
      this.wake();
      return null;
    }
    this.#turn--;
    this.#count--;
    this.#first = part.after;
    if (part.after === null) this.#last = null;
    part.after = null;
    part.isWoken = false;
    return part.owner;
  }

  /** Nobody is woken any more. */
  end(): void {
    this.#waker = null;
    this.#turn = 0;
  }
}
