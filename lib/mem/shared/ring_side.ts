import type { Pointer } from "../../../ffi/mod.ts";
import { NEVER, timeLeft, timeoutError } from "./deadline.ts";
import { futexWait, futexWake } from "./futex.ts";
import { CONSUMERS, DEATHS, HEADER, LEFT, PRODUCERS } from "./ring_layout.ts";
import {
  EBUSY,
  EDEADLK,
  EOWNERDEAD,
  isLost,
  lock,
  makeConsistent,
  mutexError,
  ownerOf,
  tryLock,
  unlock,
} from "./robust_mutex.ts";
import { type Piece, SharedFormatError } from "./piece.ts";
import { Spin } from "./spin.ts";

/** Another has the only place of a producer, or of a consumer. */
export class RingTakenError extends Error {
  override readonly name = "RingTakenError";
}

/** The other side of a ring that is waited for is gone: it was killed, or ended without disposing its ring. */
export class RingPeerDiedError extends Error {
  override readonly name = "RingPeerDiedError";
}

/** What is known of the other side of a ring for one producer and one consumer. */
export type RingPeer = "none" | "alive" | "left" | "died";

/** Where a side's words are: its mutex, and the word that says that it sleeps. */
export interface Place {
  readonly name: "producer" | "consumer";
  readonly mutex: number;
  readonly sleeps: number;
  readonly peerMutex: number;
  readonly peerSleeps: number;
}

/** What is known of the side whose mutex is there. */
export function stateOf(words: Int32Array<ArrayBuffer>, mutex: number): RingPeer {
  const owner = ownerOf(words, mutex);
  return owner === "none" && Atomics.load(words, mutex + LEFT) !== 0 ? "left" : owner;
}

/** How many have died, of each side. */
export function deathsIn(words: Int32Array<ArrayBuffer>): { producers: number; consumers: number } {
  function count(mutex: number): number {
    return Atomics.load(words, mutex + DEATHS) + (ownerOf(words, mutex) === "died" ? 1 : 0);
  }
  return { producers: count(PRODUCERS), consumers: count(CONSUMERS) };
}

/**
 * What a producer and a consumer have in common: the right to write their position, sleeping, and waking the other.
 * Where there are many the right is a mutex's for one message, and otherwise for good.
 */
export abstract class RingSide {
  readonly memory: Piece;
  readonly capacity: number;
  readonly isMany: boolean;
  words: Int32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether the mutex is held, by this object. */
  isHeld = false;
  /** Whether a reservation is open, or a message looked at. */
  isOpen = false;
  readonly #place: Place;
  readonly #mutex: Pointer;
  readonly #sleeps: Pointer;
  readonly #peerSleeps: Pointer;
  readonly #spin = new Spin();
  readonly #ready = (): boolean => this.isReady();

  constructor(memory: Piece, capacity: number, isMany: boolean, place: Place) {
    this.memory = memory;
    this.capacity = capacity;
    this.isMany = isMany;
    this.words = memory.words;
    this.bytes = memory.bytes;
    this.#place = place;
    this.#mutex = memory.wordAt(place.mutex);
    this.#sleeps = memory.wordAt(place.sleeps);
    this.#peerSleeps = memory.wordAt(place.peerSleeps);
  }

  /** Whether it looks, to one without the mutex, as if there were something to do. */
  protected abstract isReady(): boolean;

  /** Reads the positions, once the mutex is held. */
  protected abstract begin(): void;

  /** Takes the right to write. False where others have it, and it is `NEVER` waited for. */
  enter(what: string, deadline: number): boolean {
    if (this.isOpen) {
      throw new Error(
        `cannot ${what}: the last ${this.#place.name === "producer" ? "reservation" : "message"} is open`,
      );
    }
    if (this.words.length === 0 || this.memory.map.isClosed) this.#refresh();
    if (this.isHeld) return true;
    if (isLost(this.words, this.#place.mutex)) throw this.memory.lost();
    return this.isMany ? this.#lock(what, deadline) : this.#take(what);
  }

  /** Gives the right back, where there are many. */
  leave(): void {
    if (this.isMany) this.#unlock();
  }

  /** Leaves for good. */
  dispose(): void {
    this.isOpen = false;
    if (!this.isHeld) return;
    // Nothing of it is there to be written where a buffer of the map was transferred away.
    const isThere = this.words.length > 0;
    if (isThere && !this.isMany) Atomics.store(this.words, this.#place.mutex + LEFT, 1);
    this.#unlock();
    if (isThere) this.wakePeer();
  }

  get peer(): RingPeer {
    return stateOf(this.words, this.#place.peerMutex);
  }

  /** Wakes those of the other side who sleep. */
  wakePeer(): void {
    const { peerSleeps } = this.#place;
    if (Atomics.load(this.words, peerSleeps) === 0) return;
    Atomics.store(this.words, peerSleeps, 0);
    futexWake(this.#peerSleeps);
  }

  /** Waits for a while until it looks as if there were something to do. False where it does not. */
  pause(what: string, deadline: number): boolean {
    if (timeLeft(deadline) <= 0) throw timeoutError(what);
    if (this.#spin.until(this.#ready)) return true;
    const { sleeps } = this.#place;
    Atomics.store(this.words, sleeps, 1);
    if (this.isReady()) return true;
    futexWait(this.#sleeps, 1, timeLeft(deadline));
    return this.isReady();
  }

  /** Throws where the map was disposed, or a buffer of it transferred away. */
  #refresh(): void {
    this.memory.refresh();
    this.words = this.memory.words;
    this.bytes = this.memory.bytes;
  }

  #take(what: string): boolean {
    const code = tryLock(this.#mutex, this.words, this.#place.mutex);
    if (code === EBUSY || code === EDEADLK) {
      throw new RingTakenError(`cannot ${what}: it has a ${this.#place.name} already, and is for one alone`);
    }
    this.#hold(code, "pthread_mutex_trylock");
    Atomics.store(this.words, this.#place.mutex + LEFT, 0);
    return true;
  }

  #lock(what: string, deadline: number): boolean {
    const code = tryLock(this.#mutex, this.words, this.#place.mutex);
    if (code !== EBUSY && code !== EDEADLK) this.#hold(code, "pthread_mutex_trylock");
    else if (deadline === NEVER) return false;
    else this.#hold(lock(what, this.#mutex, deadline) ? EOWNERDEAD : 0, "pthread_mutex_lock");
    return true;
  }

  /** What the dead one had begun is behind the position that it did not write: nothing is to be mended. */
  #hold(code: number, call: string): void {
    if (code === EOWNERDEAD) {
      Atomics.add(this.words, this.#place.mutex + DEATHS, 1);
      makeConsistent(this.#mutex);
    } else if (code !== 0) throw mutexError(code, call);
    this.isHeld = true;
    try {
      this.begin();
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  /** Bytes between the positions. Throws where they cannot be those of a ring. */
  protected distance(tail: number, head: number): number {
    const bytes = (tail - head) | 0;
    if (bytes < 0 || bytes > this.capacity || ((tail | head) & 7) !== 0) throw this.damaged("its positions");
    return bytes;
  }

  /** For what no ring of ours has written. */
  protected damaged(part: string): SharedFormatError {
    return new SharedFormatError(`cannot use a SharedRing: ${part} are damaged; create it again`);
  }

  #unlock(): void {
    this.isHeld = false;
    if (unlock(this.#mutex, this.words, this.#place.mutex)) return;
    this.memory.keep();
    throw this.memory.lost();
  }

  /** A record's bytes, at an index that counts from the first record. */
  view(index: number, length: number): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.bytes;
    return new Uint8Array(buffer, byteOffset + HEADER + index, length);
  }
}
