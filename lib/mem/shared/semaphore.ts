import { deadlineOf, timeLeft, timeoutError, type WaitOptions } from "./deadline.ts";
import { futexWait, futexWake } from "./futex.ts";
import { HEADER_BYTES, type Kind, Piece } from "./piece.ts";
import { registerPlace } from "./place_crossing.ts";
import { Spin } from "./spin.ts";
import type { Mmap } from "../mmap.ts";

const KIND: Kind = { name: "SharedSemaphore", number: 3 };
const BYTES = 64;
const WHAT = "acquire a SharedSemaphore";
const COUNT = HEADER_BYTES / 4;
/** How many wait, or were killed while they did. */
const WAITERS = COUNT + 1;
const LARGEST = 0x7fffffff;

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("SharedSemaphore");

function requireCount(what: string, name: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least || count > LARGEST) {
    throw new RangeError(`cannot ${what}: ${name} is ${count}, not an integer from ${least} to ${LARGEST}`);
  }
}

/**
 * A counter in a shared map that is waited for while it is 0. It has no owner: who is killed between `acquireSync`
 * and `release` takes what it has acquired along. Who is killed while it waits takes nothing.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { SharedSemaphore } from "@oxbow/oxbow/shared";
 *
 * using map = Mmap.anonymous(4096);
 * const slots = SharedSemaphore.create(map, 0, 2);
 * slots.acquireSync();
 * slots.acquireSync();
 * console.log(slots.tryAcquire()); // false
 * slots.release();
 * console.log(slots.count); // 1
 * ```
 */
export class SharedSemaphore {
  /** Bytes of the map that one takes, at a multiple of 64. */
  static readonly byteSize: number = BYTES;

  #memory: Piece;
  #spin = new Spin();

  static {
    registerPlace(SharedSemaphore, (one) => one.#memory, SharedSemaphore.open);
  }

  private constructor(key: symbol, memory: Piece) {
    if (key !== KEY) {
      throw new TypeError("cannot make a SharedSemaphore: call SharedSemaphore.create or open");
    }
    this.#memory = memory;
  }

  /** Makes one that can be acquired `count` times. Throws as `SharedMutex.create` does. */
  static create(map: Mmap<"write">, byteOffset = 0, count = 0): SharedSemaphore {
    requireCount("create a SharedSemaphore", "count", count, 0);
    const memory = new Piece(map, KIND, byteOffset, BYTES);
    memory.format(0, () => Atomics.store(memory.words, COUNT, count));
    return new SharedSemaphore(KEY, memory);
  }

  /** Opens the one that `create` has made there. Throws a `SharedFormatError` where there is none. */
  static open(map: Mmap<"write">, byteOffset = 0): SharedSemaphore {
    const memory = new Piece(map, KIND, byteOffset, BYTES);
    memory.parameter();
    return new SharedSemaphore(KEY, memory);
  }

  /** How often it can be acquired without waiting, as it was just now. */
  get count(): number {
    return Atomics.load(this.#words(), COUNT);
  }

  /** Takes one away, and waits while there is none. Throws a `TimeoutError` where the time was up. */
  acquireSync(options?: WaitOptions): void {
    const deadline = deadlineOf(WHAT, options);
    if (this.tryAcquire()) return;
    if (deadline > performance.now() && this.#spin.until(() => this.tryAcquire())) return;
    const words = this.#words();
    const at = this.#memory.wordAt(COUNT);
    Atomics.add(words, WAITERS, 1);
    try {
      while (!this.tryAcquire()) {
        const left = timeLeft(deadline);
        if (left <= 0) throw timeoutError(WHAT);
        futexWait(at, 0, left);
      }
    } finally {
      Atomics.sub(words, WAITERS, 1);
    }
  }

  /** Takes one away, where there is one. */
  tryAcquire(): boolean {
    const words = this.#words();
    for (let count = Atomics.load(words, COUNT); count > 0;) {
      const found = Atomics.compareExchange(words, COUNT, count, count - 1);
      if (found === count) return true;
      count = found;
    }
    return false;
  }

  /** Adds `count`, and wakes as many who wait. Throws a `RangeError` where there would be more than 2³¹ - 1. */
  release(count = 1): void {
    const what = "release a SharedSemaphore";
    requireCount(what, "count", count, 1);
    const words = this.#words();
    for (let before = Atomics.load(words, COUNT);;) {
      if (before > LARGEST - count) {
        throw new RangeError(`cannot ${what}: ${before} + ${count} is over ${LARGEST}`);
      }
      const found = Atomics.compareExchange(words, COUNT, before, before + count);
      if (found === before) break;
      before = found;
    }
    if (Atomics.load(words, WAITERS) !== 0) futexWake(this.#memory.wordAt(COUNT), count);
  }

  #words(): Int32Array<ArrayBuffer> {
    if (this.#memory.words.length === 0) this.#memory.refresh();
    return this.#memory.words;
  }
}
