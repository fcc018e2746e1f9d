import {
  CONSUMER_SLEEPS,
  CONSUMERS,
  HEAD,
  HEADER,
  largestMessage,
  PRODUCER_SLEEPS,
  PRODUCERS,
  recordBytes,
  TAIL,
  WRAPPED,
} from "./ring_layout.ts";
import { type Place, RingSide } from "./ring_side.ts";
import type { Piece } from "./piece.ts";

const PLACE: Place = {
  name: "consumer",
  mutex: CONSUMERS,
  sleeps: CONSUMER_SLEEPS,
  peerMutex: PRODUCERS,
  peerSleeps: PRODUCER_SLEEPS,
};

/** The side that reads records and writes the head. */
export class RingConsumer extends RingSide {
  /** The head as it is, where the mutex is held. */
  #head = 0;
  /** The tail as it was seen last: up to there are messages. */
  #tail = 0;
  /** The head behind the message that `front` found. */
  #next = 0;
  /** Its bytes. */
  length = 0;

  constructor(memory: Piece, capacity: number, isMany: boolean) {
    super(memory, capacity, isMany, PLACE);
  }

  protected override begin(): void {
    this.#head = Atomics.load(this.words, HEAD);
    this.#tail = Atomics.load(this.words, TAIL);
    this.distance(this.#tail, this.#head);
  }

  protected override isReady(): boolean {
    return Atomics.load(this.words, TAIL) !== Atomics.load(this.words, HEAD);
  }

  /** The index of the first message's record, whose bytes are `length`; -1 where there is none. */
  front(): number {
    let left = (this.#tail - this.#head) | 0;
    if (left === 0) {
      this.#tail = Atomics.load(this.words, TAIL);
      left = this.distance(this.#tail, this.#head);
      if (left === 0) return -1;
    }
    let index = this.#head & (this.capacity - 1);
    let wasted = 0;
    let length = this.words[(HEADER + index) >> 2];
    if (length === WRAPPED) {
      wasted = this.capacity - index;
      index = 0;
      length = this.words[HEADER >> 2];
    }
    const size = wasted + recordBytes(length);
    if (length < 0 || length > largestMessage(this.capacity) || size > left) {
      throw this.damaged("its records");
    }
    this.length = length;
    this.#next = (this.#head + size) | 0;
    return index;
  }

  /** Gives the room of the message that `front` found back. */
  release(): void {
    this.#head = this.#next;
    Atomics.store(this.words, HEAD, this.#next);
    // A producer that is woken for one message's room sleeps again after one.
    if (((this.#tail - this.#next) | 0) <= this.capacity / 2) this.wakePeer();
  }
}
