import { deadlineOf, timeLeft, timeoutError, type WaitOptions } from "./deadline.ts";
import { futexWait, futexWake } from "./futex.ts";
import { lockAfterWait, type SharedMutex, unlockForWait } from "./mutex.ts";
import { HEADER_BYTES, type Kind, Piece } from "./piece.ts";
import { registerPlace } from "./place_crossing.ts";
import type { Mmap } from "../mmap.ts";

const KIND: Kind = { name: "SharedCondvar", number: 2 };
const BYTES = 64;
const WHAT = "wait for a SharedCondvar";
/** Counts notifications, and wraps: who waits sleeps while it stays the same. */
const SEQUENCE = HEADER_BYTES / 4;
/** How many wait, or were killed while they did. */
const WAITERS = SEQUENCE + 1;

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("SharedCondvar");

/**
 * A condition variable in a shared map, used with a `SharedMutex`. What is waited for is asked in a loop, as with
 * every condition variable: a wait may end for no reason. Of our own on futex(2), for glibc's waits for ever for a
 * group of waiters of which one was killed.
 *
 * Where a thread ends holding the mutex, those who wait are woken within 0.1 s by the mutex's `ownerDied`; where one
 * ends in the middle of notifying, they wake as late.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { SharedCondvar, SharedMutex } from "@oxbow/oxbow/shared";
 *
 * using map = Mmap.anonymous(4096);
 * const mutex = SharedMutex.create(map, 0);
 * const changed = SharedCondvar.create(map, 64);
 * const jobs = map.view(Int32Array, 128, 1);
 * jobs[0] = 1; // as another process would, with the mutex held, before changed.notifyOne()
 *
 * using _guard = mutex.lockSync();
 * while (jobs[0] === 0) changed.waitSync(mutex, { timeout: 1000 });
 * console.log(jobs[0]); // 1
 * ```
 */
export class SharedCondvar {
  /** Bytes of the map that one takes, at a multiple of 64. */
  static readonly byteSize: number = BYTES;

  #memory: Piece;

  static {
    registerPlace(SharedCondvar, (one) => one.#memory, SharedCondvar.open);
  }

  private constructor(key: symbol, memory: Piece) {
    if (key !== KEY) throw new TypeError("cannot make a SharedCondvar: call SharedCondvar.create or open");
    this.#memory = memory;
  }

  /** Makes one that nobody waits for. Throws as `SharedMutex.create` does. */
  static create(map: Mmap<"write">, byteOffset = 0): SharedCondvar {
    const memory = new Piece(map, KIND, byteOffset, BYTES);
    memory.format(0, () => {});
    return new SharedCondvar(KEY, memory);
  }

  /** Opens the one that `create` has made there. Throws a `SharedFormatError` where there is none. */
  static open(map: Mmap<"write">, byteOffset = 0): SharedCondvar {
    const memory = new Piece(map, KIND, byteOffset, BYTES);
    memory.parameter();
    return new SharedCondvar(KEY, memory);
  }

  /** How often it was notified, modulo 2³²: one who looks again knows whether it was since. */
  get notifications(): number {
    return Atomics.load(this.#words(), SEQUENCE);
  }

  /**
   * Unlocks `mutex`, sleeps until it is notified, and locks it again, which its guard does not notice. Throws a
   * `TimeoutError` where the time was up, with the mutex locked as well; and a `SystemError`: `EPERM` where `mutex`
   * is not held, `ENOTRECOVERABLE` where it was left unusable meanwhile, and is not held then.
   */
  waitSync(mutex: SharedMutex, options?: WaitOptions): void {
    const deadline = deadlineOf(WHAT, options);
    if (mutex.ownerDied) {
      throw new Error(`cannot ${WHAT}: an owner of the mutex died; call its markConsistent() first`);
    }
    const words = this.#words();
    const { map } = this.#memory;
    map.retain();
    const at = this.#memory.wordAt(SEQUENCE);
    const before = Atomics.load(words, SEQUENCE);
    Atomics.add(words, WAITERS, 1);
    try {
      for (;;) {
        unlockForWait(mutex);
        futexWait(at, before, timeLeft(deadline));
        lockAfterWait(mutex);
        if (mutex.ownerDied || Atomics.load(words, SEQUENCE) !== before) return;
        if (timeLeft(deadline) <= 0) throw timeoutError(WHAT);
      }
    } finally {
      Atomics.sub(words, WAITERS, 1);
      map.release();
    }
  }

  /** Wakes one of those who wait, where there is one. No system call where nobody waits. */
  notifyOne(): void {
    this.#notify(1);
  }

  /** Wakes all who wait. */
  notifyAll(): void {
    this.#notify(0x7fffffff);
  }

  #notify(count: number): void {
    const words = this.#words();
    Atomics.add(words, SEQUENCE, 1);
    if (Atomics.load(words, WAITERS) !== 0) futexWake(this.#memory.wordAt(SEQUENCE), count);
  }

  #words(): Int32Array<ArrayBuffer> {
    if (this.#memory.words.length === 0) this.#memory.refresh();
    return this.#memory.words;
  }
}
