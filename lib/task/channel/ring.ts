import { Pending } from "../future.ts";

const SMALLEST = 8;
/** A ring larger than this gives its memory back when it is empty. */
const KEPT = 4096;

/**
 * First in, first out, in an array whose length is a power of two and doubles when it is full: so memory is taken
 * for what is queued, and not for what might be. A place is cleared when its value is taken.
 */
export class Ring<T> {
  #slots: (T | Pending)[] = [];
  #head = 0;
  length = 0;

  push(value: T): void {
    const { length } = this;
    if (length === this.#slots.length) this.#grow();
    const slots = this.#slots;
    slots[(this.#head + length) & (slots.length - 1)] = value;
    this.length = length + 1;
  }

  /** The oldest; `Pending` where there is none. */
  shift(): T | Pending {
    const { length } = this;
    if (length === 0) return Pending;
    const slots = this.#slots;
    const head = this.#head;
    const value = slots[head];
    slots[head] = Pending;
    this.#head = (head + 1) & (slots.length - 1);
    this.length = length - 1;
    if (length === 1 && slots.length > KEPT) this.clear();
    return value;
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.length = 0;
  }

  #grow(): void {
    const before = this.#slots;
    const mask = before.length - 1;
    const slots: (T | Pending)[] = [];
    for (let i = 0; i < before.length; i++) slots.push(before[(this.#head + i) & mask]);
    const size = Math.max(SMALLEST, 2 * before.length);
    while (slots.length < size) slots.push(Pending);
    this.#slots = slots;
    this.#head = 0;
  }
}
