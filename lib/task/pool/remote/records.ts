import { check, libc } from "../../../../ffi/mod.ts";
import { mman } from "../../../../ffi/mman.ts";
import { createSealed } from "../../../mem/memfd.ts";
import { CAPACITY, HEAD, RING_BYTES, SENT, TAIL } from "./layout.ts";
import type { Memory } from "./memory.ts";

/**
 * Records lie at multiples of 32 bytes: the message's length, or -1 where the next record is at the ring's start; its
 * number; a descriptor of the file that has the message instead, or -1; a word that is nothing; the message.
 */
const LENGTH = 0;
const NUMBER = 1;
const FILE = 2;
const PREFIX = 16;
const UNIT = 32;
const WRAPPED = -1;
const NO_FILE = -1;
const NAME = "oxbow-message";

function sizeOf(length: number): number {
  return (PREFIX + length + UNIT - 1) & -UNIT;
}

/** The least that a ring for so many messages has: each may be one that lies in a file. */
export function leastRing(capacity: number): number {
  return capacity * UNIT;
}

/** A message as it lies in the ring, or a copy of the file that it lies in. Good until it is taken away. */
export interface Front {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly file: number;
}

/**
 * The messages of a queue, in order, in a ring. Positions count bytes for ever, in 32 bits that wrap. There is always
 * room for as many records of one unit as there is room for messages: a message for which there is no more lies in a
 * file of its own. Whoever holds the mutex pushes; the one receiver takes, and needs none.
 */
export class Records {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    const { words } = this.#memory;
    return Atomics.load(words, TAIL) === Atomics.load(words, HEAD);
  }

  /** Whether more than seven eighths of the ring are taken. */
  get isNearlyFull(): boolean {
    const { words } = this.#memory;
    const used = (Atomics.load(words, TAIL) - Atomics.load(words, HEAD)) | 0;
    return used > words[RING_BYTES] - (words[RING_BYTES] >> 3);
  }

  /** How many there are: exact for who holds the mutex, and for the receiver. */
  get length(): number {
    const memory = this.#memory;
    const { words } = memory;
    const head = Atomics.load(words, HEAD);
    if (head === Atomics.load(words, TAIL)) return 0;
    const number = this.#words[((head & (words[RING_BYTES] - 1)) >> 2) + NUMBER];
    return (Atomics.load(words, SENT) - number) | 0;
  }

  #view: Int32Array<ArrayBuffer> = new Int32Array(0);

  /** The ring as words. */
  get #words(): Int32Array<ArrayBuffer> {
    const { bytes } = this.#memory;
    if (this.#view.buffer !== bytes.buffer) {
      this.#view = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    }
    return this.#view;
  }

  /** Appends a message, for which there is room. Of who holds the mutex. */
  push(message: Uint8Array): void {
    const { words, bytes } = this.#memory;
    const tail = words[TAIL];
    const size = sizeOf(message.length);
    const index = tail & (words[RING_BYTES] - 1);
    const rest = words[RING_BYTES] - index;
    const wasted = size > rest ? rest : 0;
    const free = words[RING_BYTES] - ((tail - Atomics.load(words, HEAD)) | 0);
    const kept = (words[CAPACITY] - this.length - 1) * UNIT;
    const number = words[SENT];
    const ring = this.#words;
    if (free - wasted - size < kept) {
      const file = createSealed(NAME, new Uint8Array(message));
      this.#write(index >> 2, message.length, number, file.number);
      this.#publish((tail + UNIT) | 0);
      return;
    }
    if (wasted > 0) {
      ring[index >> 2] = WRAPPED;
      ring[(index >> 2) + NUMBER] = number;
    }
    const start = wasted > 0 ? 0 : index;
    this.#write(start >> 2, message.length, number, NO_FILE);
    bytes.set(message, start + PREFIX);
    this.#publish((tail + wasted + size) | 0);
  }

  #write(at: number, length: number, number: number, file: number): void {
    const ring = this.#words;
    ring[at + LENGTH] = length;
    ring[at + NUMBER] = number;
    ring[at + FILE] = file;
  }

  #publish(tail: number): void {
    const { words } = this.#memory;
    Atomics.store(words, SENT, (words[SENT] + 1) | 0);
    Atomics.store(words, TAIL, tail);
  }

  /** The index of the record at a position, behind what wrapping wastes, in words. */
  #find(position: number): number {
    const at = (position & (this.#memory.words[RING_BYTES] - 1)) >> 2;
    return this.#words[at + LENGTH] === WRAPPED ? 0 : at;
  }

  /** The position behind the record at a position. */
  #next(position: number): number {
    const { words } = this.#memory;
    const index = position & (words[RING_BYTES] - 1);
    const at = this.#find(position);
    const wasted = at << 2 === index ? 0 : words[RING_BYTES] - index;
    const length = this.#words[at + FILE] === NO_FILE ? this.#words[at + LENGTH] : 0;
    return (position + wasted + sizeOf(length)) | 0;
  }

  /** The first message, of a queue that is not empty. */
  front(): Front {
    const { words, bytes } = this.#memory;
    const at = this.#find(words[HEAD]);
    const length = this.#words[at + LENGTH];
    const file = this.#words[at + FILE];
    if (file !== NO_FILE) return { bytes: readFile(file, length), file };
    const from = (at << 2) + PREFIX;
    return { bytes: bytes.subarray(from, from + length), file };
  }

  /** Takes the first message away. */
  pop({ file }: Front): void {
    const { words } = this.#memory;
    const next = this.#next(words[HEAD]);
    Atomics.store(words, HEAD, next);
    if (file !== NO_FILE) libc().close(file);
  }

  /** Counts anew, where an owner of the mutex died. */
  mend(): void {
    const { words } = this.#memory;
    let position = Atomics.load(words, HEAD);
    const tail = words[TAIL];
    while (position !== tail) {
      words[SENT] = (this.#words[this.#find(position) + NUMBER] + 1) | 0;
      position = this.#next(position);
    }
  }
}

/** What a sealed file has. */
export function readFile(file: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const part = bytes.subarray(at);
    at += check(Number(mman().pread(file, part, part.length, at)), "pread", { path: NAME });
  }
  return bytes;
}
