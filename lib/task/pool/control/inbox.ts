import type { Layout } from "./layout.ts";

/** Of the word of an inbox: the last slot plus 1, and above it the epoch, which begins anew with each owner. */
const SLOT_MASK = 0xffffff;
const EPOCH_SHIFT = 24;
const EPOCH_MASK = 0x7f;

/** Which words of a lane and of slots an inbox is made of. */
export interface InboxWords {
  /** The lane's: the inbox itself. */
  readonly head: number;
  /** The slot's: the one that lies below. */
  readonly next: number;
  /** The slot's: in which inbox it lies. None where 0. */
  readonly mark: number;
}

/**
 * A lane's inbox: everybody puts slots in, its owner takes them out first in, first out. Treiber's stack through a word
 * of the slots, which the owner takes as a whole and turns round: with nobody taking single ones there is no ABA.
 *
 * Inboxes of jobs mark a slot while it lies there, so that it is not put into two; with the mark goes the epoch, so that
 * the mark of a slot that an owner had taken when it died is known to be void.
 */
export class Inbox {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #lane: number;
  readonly #head: number;
  readonly #next: number;
  readonly #mark: number;
  /** The first of those that the owner has taken, plus 1. */
  #first = 0;

  constructor(words: Int32Array<ArrayBuffer>, layout: Layout, lane: number, of: InboxWords) {
    this.#words = words;
    this.#layout = layout;
    this.#lane = lane;
    this.#head = layout.ofLane(lane, of.head);
    this.#next = of.next;
    this.#mark = of.mark;
  }

  /** Puts in a slot that lies in no inbox. */
  put(slot: number): void {
    const words = this.#words;
    const next = this.#layout.ofSlot(slot, this.#next);
    for (;;) {
      const head = Atomics.load(words, this.#head);
      words[next] = head & SLOT_MASK;
      if (this.#mark !== 0) {
        Atomics.store(words, this.#layout.ofSlot(slot, this.#mark), this.#markAt(head >>> EPOCH_SHIFT));
      }
      const mine = (head & ~SLOT_MASK) | (slot + 1);
      if (Atomics.compareExchange(words, this.#head, head, mine) === head) return;
    }
  }

  #markAt(epoch: number): number {
    return (this.#lane << 8) | (epoch + 1);
  }

  /** Whether a mark says of its slot that it lies here, and not that it did before this owner's time. */
  holds(mark: number): boolean {
    return mark === this.#markAt(Atomics.load(this.#words, this.#head) >>> EPOCH_SHIFT);
  }

  /** The owner's: the slot that is next, which stays, or -1. */
  peek(): number {
    // What was just put in may show late: who goes to sleep asks `hasAny`.
    if (this.#first === 0 && (this.#words[this.#head] & SLOT_MASK) !== 0) this.#refill();
    return this.#first - 1;
  }

  /** The owner's: takes the slot that is next, or -1. */
  take(): number {
    const slot = this.peek();
    if (slot >= 0) this.pass(slot);
    return slot;
  }

  /** The owner's: takes the slot that `peek` gave. */
  pass(slot: number): void {
    const words = this.#words;
    this.#first = words[this.#layout.ofSlot(slot, this.#next)];
    if (this.#mark !== 0) Atomics.store(words, this.#layout.ofSlot(slot, this.#mark), 0);
  }

  /** The owner's: whether there is one. */
  hasAny(): boolean {
    return this.#first !== 0 || (Atomics.load(this.#words, this.#head) & SLOT_MASK) !== 0;
  }

  /** Takes all, and turns them round. */
  #refill(): void {
    const words = this.#words;
    let head = Atomics.load(words, this.#head);
    for (;;) {
      const found = Atomics.compareExchange(words, this.#head, head, head & ~SLOT_MASK);
      if (found === head) break;
      head = found;
    }
    let before = 0;
    for (let slot = head & SLOT_MASK; slot !== 0;) {
      const at = this.#layout.ofSlot(slot - 1, this.#next);
      const after = words[at];
      words[at] = before;
      before = slot;
      slot = after;
    }
    this.#first = before;
  }

  /** Empties it after its owner's end: what lay there, and what the owner had taken, is marked no more. */
  reset(): void {
    const words = this.#words;
    for (;;) {
      const head = Atomics.load(words, this.#head);
      const epoch = ((head >>> EPOCH_SHIFT) + 1) & EPOCH_MASK;
      if (Atomics.compareExchange(words, this.#head, head, epoch << EPOCH_SHIFT) === head) return;
    }
  }
}
