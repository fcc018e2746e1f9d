import { rmSync } from "node:fs";
import { deadlineOf, NEVER, type WaitOptions } from "./deadline.ts";
import { RingConsumer } from "./ring_consumer.ts";
import {
  CONSUMERS,
  ENDED,
  HEADER,
  isCapacity,
  largestMessage,
  MANY,
  PREFIX,
  PRODUCERS,
  requireCapacity,
  RING,
} from "./ring_layout.ts";
import { RingMessage, RingReservation } from "./ring_pieces.ts";
import { RingProducer } from "./ring_producer.ts";
import { deathsIn, type RingPeer, RingPeerDiedError } from "./ring_side.ts";
import { initMutex, requireFree } from "./robust_mutex.ts";
import { Piece, SharedFormatError } from "./piece.ts";
import { registerPlace } from "./place_crossing.ts";
import { Mmap } from "../mmap.ts";

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("SharedRing");

const SEND = "send to a SharedRing";
const RECEIVE = "receive from a SharedRing";

/** Which ring is made. */
export interface SharedRingOptions {
  /** Bytes of messages and their prefixes that it holds: a power of two from 64 to 2³⁰. */
  capacity: number;
  /** For one producer and one consumer, or for many: `"spsc"` where nothing is said. */
  kind?: "spsc" | "mpmc";
  /** Where it lies in the map, at a multiple of 64: 0 where nothing is said. */
  byteOffset?: number;
}

/** No message may be sent any more: `end` was called. */
export class RingEndedError extends Error {
  override readonly name = "RingEndedError";
}

/** Ends the sides of a ring that was forgotten: they hold mutexes, which must not go with their memory. */
const forgotten = new FinalizationRegistry<() => void>((end) => {
  try {
    end();
  } catch {
    // Nobody is there to be told that the file was cut short.
  }
});

function kindOf(kind: unknown): boolean {
  if (kind !== "spsc" && kind !== "mpmc") {
    throw new TypeError(`cannot create a SharedRing: kind is ${String(kind)}, not "spsc" or "mpmc"`);
  }
  return kind === "mpmc";
}

/**
 * A queue of byte messages of any length in a shared map, for threads and processes. The first that sends, or
 * receives, has that side of an `"spsc"` ring until it disposes or dies; an `"mpmc"` ring has a mutex for each side,
 * taken for each message.
 *
 * A message is there whole or not at all: a producer killed in the middle leaves nothing. One killed consumer leaves
 * the message that it had not released, and the next one gets it again. `deaths` tells how often that was. Where one
 * waits for the only producer, or consumer, and that one died, a `RingPeerDiedError` tells within 0.1 s.
 *
 * Sending and receiving make no system call while nobody sleeps. Messages are at most half the capacity, less 8 bytes.
 * An open ring holds its map: dispose it. It is of the thread that opened it.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { SharedRing } from "@oxbow/oxbow/shared";
 *
 * using map = Mmap.anonymous(SharedRing.byteSize(4096));
 * using ring = SharedRing.create(map, { capacity: 4096 });
 * ring.sendSync(Uint8Array.of(1, 2, 3));
 * using place = ring.reserve(2); // written where it lies
 * place?.bytes.set([4, 5]);
 * place?.commit();
 * console.log(ring.recvSync({ timeout: 1000 })); // Uint8Array(3) [ 1, 2, 3 ]
 * using message = ring.peek(); // read where it lies
 * console.log(message?.bytes); // Uint8Array(2) [ 4, 5 ]
 * ```
 */
export class SharedRing implements Disposable, Iterable<Uint8Array<ArrayBuffer>> {
  readonly capacity: number;
  readonly kind: "spsc" | "mpmc";
  #memory: Piece;
  #producer: RingProducer;
  #consumer: RingConsumer;
  #end: () => void;
  #closed = false;

  static {
    registerPlace(
      SharedRing,
      (ring) => ring.#memory,
      (map, byteOffset) => SharedRing.open(map, { byteOffset }),
    );
  }

  private constructor(
    key: symbol,
    memory: Piece,
    capacity: number,
    isMany: boolean,
    isOwner: boolean,
  ) {
    if (key !== KEY) throw new TypeError("cannot make a SharedRing: call SharedRing.create or open");
    this.capacity = capacity;
    this.kind = isMany ? "mpmc" : "spsc";
    this.#memory = memory;
    const producer = new RingProducer(memory, capacity, isMany);
    const consumer = new RingConsumer(memory, capacity, isMany);
    const { map } = memory;
    map.retain();
    this.#producer = producer;
    this.#consumer = consumer;
    this.#end = () => {
      try {
        producer.dispose();
      } finally {
        try {
          consumer.dispose();
        } finally {
          map.release();
          if (isOwner) map[Symbol.dispose]();
        }
      }
    };
    forgotten.register(this, this.#end, this);
  }

  /** Bytes of the map that a ring of that capacity takes. Throws a `RangeError` for what is none. */
  static byteSize(capacity: number): number {
    requireCapacity(capacity);
    return HEADER + capacity;
  }

  /**
   * Makes an empty ring in a map, or a file of its own at a path. What was in the map is gone, and nobody may use it;
   * a file that was at the path goes on for those who have it open. Throws a `RangeError` for a capacity that is
   * none, and as `SharedMutex.create` and `Mmap.open` do.
   */
  static create(target: Mmap<"write"> | string | URL, options: SharedRingOptions): SharedRing {
    const { capacity, kind = "spsc", byteOffset = 0 } = options;
    requireCapacity(capacity);
    const isMany = kindOf(kind);
    if (target instanceof Mmap) return SharedRing.#make(target, byteOffset, capacity, isMany, false);
    rmSync(target, { force: true });
    const map = Mmap.open(target, { mode: "w+", length: byteOffset + HEADER + capacity });
    try {
      return SharedRing.#make(map, byteOffset, capacity, isMany, true);
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
  }

  static #make(
    map: Mmap<"write">,
    byteOffset: number,
    capacity: number,
    isMany: boolean,
    isOwner: boolean,
  ): SharedRing {
    const memory = new Piece(map, RING, byteOffset, HEADER + capacity);
    for (const mutex of [PRODUCERS, CONSUMERS]) requireFree(RING.name, memory.words, mutex);
    memory.format(capacity, () => {
      memory.words[MANY] = isMany ? 1 : 0;
      initMutex(memory.wordAt(PRODUCERS));
      initMutex(memory.wordAt(CONSUMERS));
    });
    return new SharedRing(KEY, memory, capacity, isMany, isOwner);
  }

  /**
   * Opens the ring that `create` has made in the map, or in the file. Throws a `SharedFormatError` where there is
   * none, and as `Mmap.open` does.
   */
  static open(target: Mmap<"write"> | string | URL, options: { byteOffset?: number } = {}): SharedRing {
    const { byteOffset = 0 } = options;
    if (target instanceof Mmap) return SharedRing.#find(target, byteOffset, false);
    const map = Mmap.open(target, { mode: "r+" });
    try {
      return SharedRing.#find(map, byteOffset, true);
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
  }

  static #find(map: Mmap<"write">, byteOffset: number, isOwner: boolean): SharedRing {
    const rest = map.byteLength - byteOffset;
    if (rest >= 0 && rest < HEADER) {
      throw new SharedFormatError(`cannot open a SharedRing: ${rest} bytes are no ring`);
    }
    const capacity = new Piece(map, RING, byteOffset, HEADER).parameter();
    if (!isCapacity(capacity) || rest < HEADER + capacity) {
      throw new SharedFormatError(
        `cannot open a SharedRing: its capacity is ${capacity}, and ${rest - HEADER} bytes follow its header`,
      );
    }
    const memory = new Piece(map, RING, byteOffset, HEADER + capacity);
    return new SharedRing(KEY, memory, capacity, memory.words[MANY] !== 0, isOwner);
  }

  /** Bytes of the longest message. */
  get largestMessage(): number {
    return largestMessage(this.capacity);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether `end` was called, by whomever. */
  get isEnded(): boolean {
    return this.#words()[ENDED] !== 0;
  }

  /** How many of each side have ended while they held it: killed, or without disposing their ring. */
  get deaths(): { producers: number; consumers: number } {
    return deathsIn(this.#words());
  }

  /** What is known of the one producer of an `"spsc"` ring. Of many nothing is. */
  get producer(): RingPeer {
    this.#words();
    return this.#consumer.peer;
  }

  /** As `producer`, of the consumer. */
  get consumer(): RingPeer {
    this.#words();
    return this.#producer.peer;
  }

  /**
   * Sends a copy of the message, where there is room for it. Never waits: where there are many producers, it sends
   * nothing while another is at it. Throws a `RangeError` for a message that is too long, a `RingEndedError`, and a
   * `RingTakenError` where another is the producer.
   */
  trySend(message: Uint8Array): boolean {
    this.#requireBytes(message);
    return this.#write(message, NEVER);
  }

  /**
   * As `trySend`, but waits for room. Throws a `TimeoutError` where the time was up, and a `RingPeerDiedError` where
   * the one consumer died.
   */
  sendSync(message: Uint8Array, options?: WaitOptions): void {
    this.#requireBytes(message);
    const deadline = options === undefined ? Infinity : deadlineOf(SEND, options);
    while (!this.#write(message, deadline)) this.#waitForRoom(deadline);
  }

  /** Room for a message of so many bytes, which is sent by its `commit()`. Else as `trySend`. */
  reserve(length: number): RingReservation | undefined {
    this.#requireLength(length);
    return this.#reserved(length, NEVER);
  }

  /** As `reserve`, but waits as `sendSync` does. */
  reserveSync(length: number, options?: WaitOptions): RingReservation {
    this.#requireLength(length);
    const deadline = deadlineOf(SEND, options);
    for (;;) {
      const place = this.#reserved(length, deadline);
      if (place !== undefined) return place;
      this.#waitForRoom(deadline);
    }
  }

  /** A copy of the first message, which is taken away; nothing where there is none. Never waits, as `trySend`. */
  tryRecv(): Uint8Array<ArrayBuffer> | undefined {
    const index = this.#front(NEVER);
    return index < 0 ? undefined : this.#taken(index);
  }

  /**
   * As `tryRecv`, but waits for a message. Gives nothing where none will come: `end` was called, or the one producer
   * disposed its ring. Throws a `TimeoutError` where the time was up, and a `RingPeerDiedError` where the one
   * producer died.
   */
  recvSync(options?: WaitOptions): Uint8Array<ArrayBuffer> | undefined {
    const index = this.#await(options);
    return index < 0 ? undefined : this.#taken(index);
  }

  /**
   * The first message where it lies, which is taken away by its `release()`; nothing where there is none. Where there
   * are many consumers, the others wait until then.
   */
  peek(): RingMessage | undefined {
    const index = this.#front(NEVER);
    return index < 0 ? undefined : new RingMessage(this.#consumer, index);
  }

  /** As `peek`, but waits as `recvSync` does. */
  peekSync(options?: WaitOptions): RingMessage | undefined {
    const index = this.#await(options);
    return index < 0 ? undefined : new RingMessage(this.#consumer, index);
  }

  /** Receives until none will come. */
  *[Symbol.iterator](): Generator<Uint8Array<ArrayBuffer>, void> {
    for (let message = this.recvSync(); message !== undefined; message = this.recvSync()) yield message;
  }

  /** Says that no message will come any more, for good: who waits gets nothing once the ring is empty. */
  end(options?: WaitOptions): void {
    this.#words();
    const what = "end a SharedRing";
    this.#producer.enter(what, deadlineOf(what, options));
    Atomics.store(this.#producer.words, ENDED, 1);
    this.#producer.wakePeer();
    this.#producer.leave();
  }

  /**
   * Leaves the ring. A reservation is lost, and a message that was not released stays. The map goes where `create` or
   * `open` was given a path. Does nothing the second time.
   */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    forgotten.unregister(this);
    this.#end();
  }

  #words(): Int32Array<ArrayBuffer> {
    if (this.#closed) throw new Error("cannot use a SharedRing that was disposed");
    if (this.#memory.words.length === 0 || this.#memory.map.isClosed) this.#memory.refresh();
    return this.#memory.words;
  }

  #requireBytes(message: Uint8Array): void {
    if (!(message instanceof Uint8Array)) throw new TypeError(`cannot ${SEND}: message is no Uint8Array`);
    this.#requireLength(message.length);
  }

  #requireLength(length: number): void {
    if (this.#closed) throw new Error("cannot use a SharedRing that was disposed");
    if (length >= 0 && length <= this.capacity / 2 - PREFIX && Number.isInteger(length)) return;
    throw new RangeError(
      `cannot ${SEND}: a message of ${length} bytes, and its capacity of ${this.capacity} takes up to ${this.largestMessage}`,
    );
  }

  /** Whether it holds the right to send, which is refused once the ring has ended. */
  #enter(deadline: number): boolean {
    const producer = this.#producer;
    if (!producer.enter(SEND, deadline)) return false;
    if (producer.words[ENDED] === 0) return true;
    producer.leave();
    throw new RingEndedError(`cannot ${SEND}: it has ended`);
  }

  #write(message: Uint8Array, deadline: number): boolean {
    if (!this.#enter(deadline)) return false;
    try {
      return this.#producer.write(message);
    } finally {
      this.#producer.leave();
    }
  }

  #reserved(length: number, deadline: number): RingReservation | undefined {
    if (!this.#enter(deadline)) return undefined;
    let index = -1;
    try {
      index = this.#producer.claim(length);
    } finally {
      if (index < 0) this.#producer.leave();
    }
    return index < 0 ? undefined : new RingReservation(this.#producer, index, length);
  }

  #waitForRoom(deadline: number): void {
    const producer = this.#producer;
    if (this.kind === "spsc" && producer.peer === "died" && !producer.hasRoom()) {
      throw new RingPeerDiedError(`cannot ${SEND}: it is full, and its consumer died`);
    }
    producer.pause(SEND, deadline);
  }

  /** The first message's index, or -1. */
  #front(deadline: number): number {
    if (this.#closed) throw new Error("cannot use a SharedRing that was disposed");
    const consumer = this.#consumer;
    if (!consumer.enter(RECEIVE, deadline)) return -1;
    let index = -1;
    try {
      index = consumer.front();
    } finally {
      if (index < 0) consumer.leave();
    }
    return index;
  }

  /** Waits for the first message's index; -1 where none will come. */
  #await(options: WaitOptions | undefined): number {
    const deadline = options === undefined ? Infinity : deadlineOf(RECEIVE, options);
    const first = this.#front(deadline);
    if (first >= 0) return first;
    for (;;) {
      // Asked before it is looked whether there is a message: what they have sent last is still received.
      const state = this.kind === "mpmc" ? "alive" : this.#consumer.peer;
      const { isEnded } = this;
      const index = this.#front(deadline);
      if (index >= 0) return index;
      if (isEnded || state === "left") return -1;
      if (state === "died") {
        throw new RingPeerDiedError(`cannot ${RECEIVE}: it is empty, and its producer died`);
      }
      this.#consumer.pause(RECEIVE, deadline);
    }
  }

  #taken(index: number): Uint8Array<ArrayBuffer> {
    const consumer = this.#consumer;
    const from = HEADER + index + PREFIX;
    const copy = consumer.bytes.slice(from, from + consumer.length);
    consumer.release();
    consumer.leave();
    return copy;
  }
}
