/**
 * A count of owners in shared memory, and who counts what: each thread has a row of its own, so that what a thread
 * held when it ended can be told. Words of 32 bits:
 *
 *     0  owners in all, among them those that leaked
 *     1  a descriptor, for whoever is last
 *     2  owners in messages between threads, which are in nobody's row
 *     3  zero
 *     4  rows of four: thread, its start, its owners, zero; a thread 0 has a free row
 *
 * A thread can be ended between any two of its steps, and does nothing in two that one can do. A row changes hands
 * in one step, thread and start at once. Owners are added to the row first, and subtracted from it last: what is
 * in the total and in no living thread's row has leaked, wherever its thread was ended; what is in flight has not.
 */
import { HandleError } from "./map_errors.ts";
import { currentThread, isAlive, type Thread } from "./thread.ts";

const TOTAL = 0;
const DESCRIPTOR = 1;
const IN_FLIGHT = 2;
const HEADER = 4;
const ROW = 4;
const OWNERS = 2;
const ROWS = 128;
const WORDS = HEADER + ROW * ROWS;
const FREE = 0n;
/** How often the words are read, for two times that are the same. */
const READINGS = 100;

/** Where the row's owners are. */
function ownersAt(row: number): number {
  return HEADER + ROW * row + OWNERS;
}

/** Where its thread and start are, among words of 64 bits. */
function keyAt(row: number): number {
  return (HEADER + ROW * row) / 2;
}

function keyOf({ id, start }: Thread): bigint {
  return BigInt(start) << 32n | BigInt(id);
}

function threadOf(key: bigint): Thread {
  return { id: Number(key & 0xffffffffn), start: Number(key >> 32n) };
}

/** Of every `SharedArrayBuffer`, and nothing else. */
function byteLengthOf(memory: SharedArrayBuffer): number | undefined {
  try {
    return Reflect.get(SharedArrayBuffer.prototype, "byteLength", memory);
  } catch {
    return undefined;
  }
}

/** A count as one thread has it, while it has owners. */
export class SharedCount {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #keys: BigInt64Array<SharedArrayBuffer>;
  /** This thread's: nobody else changes it while the thread runs. */
  readonly #row: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#keys = new BigInt64Array(memory, 0, WORDS / 2);
    this.#row = this.#takeRow(keyOf(currentThread()));
  }

  /** The thread's row, or else a free one, or that of a thread which has ended. */
  #takeRow(key: bigint): number {
    const found = Array.from({ length: ROWS }, (_, row) => Atomics.load(this.#keys, keyAt(row)));
    const own = found.indexOf(key);
    if (own >= 0) return own;
    for (let row = 0; row < ROWS; row++) {
      if (found[row] === FREE && this.#claim(row, FREE, key)) return row;
    }
    for (let row = 0; row < ROWS; row++) {
      const other = Atomics.load(this.#keys, keyAt(row));
      if (other !== FREE && isAlive(threadOf(other))) continue;
      if (this.#claim(row, other, key)) return row;
    }
    throw new RangeError(`cannot adopt an Arc: ${ROWS} threads have it already`);
  }

  /** Of several that see the row so, one takes it. */
  #claim(row: number, expected: bigint, key: bigint): boolean {
    if (Atomics.compareExchange(this.#keys, keyAt(row), expected, key) !== expected) return false;
    Atomics.store(this.#words, ownersAt(row), 0);
    return true;
  }

  /** A count of one owner, in this thread. */
  static create(descriptor: number): SharedCount {
    const count = new SharedCount(new SharedArrayBuffer(4 * WORDS));
    count.#words[DESCRIPTOR] = descriptor;
    count.add();
    return count;
  }

  /** One owner more, in this thread. Throws a `HandleError` where the last has gone, and for what is no count. */
  static join(memory: SharedArrayBuffer): SharedCount {
    if (byteLengthOf(memory) !== 4 * WORDS) {
      throw new HandleError(
        "cannot adopt an Arc: what was given is no handle; handle() of an Arc makes them",
      );
    }
    const count = new SharedCount(memory);
    const words = count.#words;
    Atomics.add(words, ownersAt(count.#row), 1);
    for (let total = Atomics.load(words, TOTAL);;) {
      if (total <= 0) {
        count.#subtractHere(1);
        throw new HandleError("cannot adopt an Arc: its last owner was disposed");
      }
      const found = Atomics.compareExchange(words, TOTAL, total, total + 1);
      if (found === total) return count;
      total = found;
    }
  }

  /** One owner more, in a message, while there is one in this thread. */
  depart(): void {
    Atomics.add(this.#words, IN_FLIGHT, 1);
    Atomics.add(this.#words, TOTAL, 1);
  }

  /** The owner of a message is one in this thread from now on. Throws as `join`. */
  static arrive(memory: SharedArrayBuffer): SharedCount {
    const count = new SharedCount(memory);
    Atomics.add(count.#words, ownersAt(count.#row), 1);
    Atomics.sub(count.#words, IN_FLIGHT, 1);
    return count;
  }

  /** The owner of a message is none any more. Gives the descriptor where it was the last. */
  static abandon(memory: SharedArrayBuffer): number | undefined {
    const words = new Int32Array(memory, 0, WORDS);
    const isLast = Atomics.sub(words, TOTAL, 1) === 1;
    Atomics.sub(words, IN_FLIGHT, 1);
    return isLast ? words[DESCRIPTOR] : undefined;
  }

  /** Whether it is a count's memory. */
  static isMemory(memory: unknown): memory is SharedArrayBuffer {
    return memory instanceof SharedArrayBuffer && byteLengthOf(memory) === 4 * WORDS;
  }

  get total(): number {
    return Atomics.load(this.#words, TOTAL);
  }

  get descriptor(): number {
    return this.#words[DESCRIPTOR];
  }

  /** One owner more, where there is one in this thread. */
  add(): void {
    Atomics.add(this.#words, ownersAt(this.#row), 1);
    Atomics.add(this.#words, TOTAL, 1);
  }

  /** Whether they were the last. */
  subtract(owners: number): boolean {
    const isLast = Atomics.sub(this.#words, TOTAL, owners) === owners;
    this.#subtractHere(owners);
    return isLast;
  }

  #subtractHere(owners: number): void {
    const before = Atomics.sub(this.#words, ownersAt(this.#row), owners);
    if (before === owners) Atomics.store(this.#keys, keyAt(this.#row), FREE);
  }

  /**
   * How many owners leaked with threads that ended. Where other threads add and subtract without a pause it may be
   * off by those on their way.
   */
  leaked(): number {
    const words = this.#reading();
    const keys = new BigInt64Array(words.buffer);
    let living = 0;
    for (let row = 0; row < ROWS; row++) {
      const key = keys[keyAt(row)];
      if (key !== FREE && isAlive(threadOf(key))) living += words[ownersAt(row)];
    }
    return Math.max(words[TOTAL] - words[IN_FLIGHT] - living, 0);
  }

  /** All words as they were at one time, as far as that can be had. */
  #reading(): Int32Array<ArrayBuffer> {
    let words = new Int32Array(this.#words);
    for (let i = 1; i < READINGS; i++) {
      const again = new Int32Array(this.#words);
      const isSame = again.every((word, at) => word === words[at]);
      words = again;
      if (isSame) break;
    }
    return words;
  }
}
