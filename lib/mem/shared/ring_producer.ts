import {
  CONSUMER_SLEEPS,
  CONSUMERS,
  HEAD,
  HEADER,
  PREFIX,
  PRODUCER_SLEEPS,
  PRODUCERS,
  recordBytes,
  TAIL,
  WRAPPED,
} from "./ring_layout.ts";
import { type Place, RingSide } from "./ring_side.ts";
import type { Piece } from "./piece.ts";

const PLACE: Place = {
  name: "producer",
  mutex: PRODUCERS,
  sleeps: PRODUCER_SLEEPS,
  peerMutex: CONSUMERS,
  peerSleeps: CONSUMER_SLEEPS,
};

/** The side that writes records and the tail. */
export class RingProducer extends RingSide {
  /** The tail as it is, where the mutex is held. */
  #tail = 0;
  /** The head as it was seen last: there is at least so much room. */
  #head = 0;
  /** Where the record that is claimed begins, behind what wrapping wastes. */
  #start = 0;
  /** How much room the last claim lacked. */
  #wanted = 0;

  constructor(memory: Piece, capacity: number, isMany: boolean) {
    super(memory, capacity, isMany, PLACE);
  }

  protected override begin(): void {
    this.#tail = Atomics.load(this.words, TAIL);
    this.#head = Atomics.load(this.words, HEAD);
    this.distance(this.#tail, this.#head);
  }

  protected override isReady(): boolean {
    const used = Atomics.load(this.words, TAIL) - Atomics.load(this.words, HEAD);
    return this.capacity - (used | 0) >= this.#wanted;
  }

  /** Whether there is the room by now that the last claim lacked. */
  hasRoom(): boolean {
    return this.isReady();
  }

  /** The index of a record for so many bytes, which nobody sees before `publish`; -1 where there is no room. */
  claim(length: number): number {
    const size = recordBytes(length);
    const index = this.#tail & (this.capacity - 1);
    const toEnd = this.capacity - index;
    const wasted = size > toEnd ? toEnd : 0;
    if (this.capacity - this.distance(this.#tail, this.#head) < wasted + size) {
      this.#head = Atomics.load(this.words, HEAD);
      if (this.capacity - this.distance(this.#tail, this.#head) < wasted + size) {
        this.#wanted = wasted + size;
        return -1;
      }
    }
    this.#start = (this.#tail + wasted) | 0;
    if (wasted === 0) return index;
    this.words[(HEADER + index) >> 2] = WRAPPED;
    return 0;
  }

  /** Lets the other side see the record that was claimed, as one of `length` bytes. */
  publish(index: number, length: number): void {
    this.words[(HEADER + index) >> 2] = length;
    this.#tail = (this.#start + recordBytes(length)) | 0;
    Atomics.store(this.words, TAIL, this.#tail);
    this.wakePeer();
  }

  /** Where it holds the mutex: whether there was room. */
  write(message: Uint8Array): boolean {
    const index = this.claim(message.length);
    if (index < 0) return false;
    this.bytes.set(message, HEADER + index + PREFIX);
    this.publish(index, message.length);
    return true;
  }
}
