import type { Runnable } from "../task.ts";

const SLOTS = 256;
const MASK = SLOTS - 1;

/**
 * Who is to be polled, first in, first out: a ring of 256 places, and what does not fit in a queue that grows,
 * from which the ring is filled when it is empty. So the order is kept, and a steady load allocates nothing.
 */
export class RunQueue {
  #ring: (Runnable | null)[] = new Array<Runnable | null>(SLOTS).fill(null);
  #head = 0;
  #length = 0;
  /** A ring as well, its size a power of two. */
  #overflow: (Runnable | null)[] = [];
  #overflowHead = 0;
  #overflowLength = 0;

  get length(): number {
    return this.#length + this.#overflowLength;
  }

  /** How many do not fit in the ring. */
  get overflow(): number {
    return this.#overflowLength;
  }

  /** Who is next. */
  get first(): Runnable | null {
    if (this.#length === 0 && this.#overflowLength > 0) this.#refill();
    return this.#length === 0 ? null : this.#ring[this.#head];
  }

  push(runnable: Runnable): void {
    const length = this.#length;
    if (length === SLOTS || this.#overflowLength > 0) {
      this.#pushOver(runnable);
      return;
    }
    this.#ring[(this.#head + length) & MASK] = runnable;
    this.#length = length + 1;
  }

  shift(): Runnable | null {
    if (this.#length === 0) {
      if (this.#overflowLength === 0) return null;
      this.#refill();
    }
    const head = this.#head;
    const runnable = this.#ring[head];
    this.#ring[head] = null;
    this.#head = (head + 1) & MASK;
    this.#length--;
    return runnable;
  }

  #pushOver(runnable: Runnable): void {
    if (this.#overflowLength === this.#overflow.length) this.#grow();
    const at = (this.#overflowHead + this.#overflowLength++) & (this.#overflow.length - 1);
    this.#overflow[at] = runnable;
  }

  #grow(): void {
    const before = this.#overflow;
    const from = this.#overflowHead;
    this.#overflow = [...before.slice(from), ...before.slice(0, from)];
    const size = Math.max(SLOTS, 2 * before.length);
    while (this.#overflow.length < size) this.#overflow.push(null);
    this.#overflowHead = 0;
  }

  #refill(): void {
    const count = Math.min(SLOTS, this.#overflowLength);
    const over = this.#overflow;
    const mask = over.length - 1;
    for (let i = 0; i < count; i++) {
      const at = (this.#overflowHead + i) & mask;
      this.#ring[i] = over[at];
      over[at] = null;
    }
    this.#head = 0;
    this.#length = count;
    this.#overflowHead = (this.#overflowHead + count) & mask;
    this.#overflowLength -= count;
    // A burst's memory is given back once it is over.
    if (this.#overflowLength === 0 && over.length > 16 * SLOTS) {
      this.#overflow = [];
      this.#overflowHead = 0;
    }
  }
}
