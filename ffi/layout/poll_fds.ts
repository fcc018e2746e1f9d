import { pointerTo } from "../pointer.ts";
import type { Pointer } from "../types.ts";

/** `struct pollfd` of poll.h: an int and two shorts, on every architecture. */
const BYTES = 8;

/** An array of `struct pollfd` that grows. An entry whose descriptor is negative is passed over by the kernel. */
export class PollFds {
  #capacity: number;
  #ints: Int32Array<ArrayBuffer>;
  #shorts: Uint16Array<ArrayBuffer>;
  #pointer: Pointer;

  constructor() {
    this.#capacity = 64;
    this.#ints = new Int32Array((BYTES / 4) * this.#capacity);
    this.#shorts = new Uint16Array(this.#ints.buffer);
    this.#pointer = pointerTo(this.#ints);
  }

  /** Of the first; another one once the array has grown. */
  get pointer(): Pointer {
    return this.#pointer;
  }

  fd(i: number): number {
    return this.#ints[2 * i];
  }

  /** What the last poll found. */
  found(i: number): number {
    return this.#shorts[4 * i + 3];
  }

  set(i: number, fd: number, events: number): void {
    if (i >= this.#capacity) this.#grow();
    this.#ints[2 * i] = fd;
    this.#ints[2 * i + 1] = events;
  }

  /** Puts the entry at `from` in the place of the one at `to`. */
  move(from: number, to: number): void {
    this.#ints[2 * to] = this.#ints[2 * from];
    this.#ints[2 * to + 1] = this.#ints[2 * from + 1];
  }

  #grow(): void {
    const before = this.#ints;
    this.#capacity *= 2;
    this.#ints = new Int32Array((BYTES / 4) * this.#capacity);
    this.#ints.set(before);
    this.#shorts = new Uint16Array(this.#ints.buffer);
    this.#pointer = pointerTo(this.#ints);
  }
}
