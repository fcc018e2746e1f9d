/**
 * A count of owners in shared memory, and who counts what: each thread has a row of its own, so that what a thread
 * held when it ended can be told. Words of 32 bits:
 *
 *     0  owners in all, among them those that leaked
 *     1  owners leaked with their threads
 *     2  a descriptor, for whoever is last
 *     3  zero
 *     4  rows of three: thread, its start, its owners; thread 0 is a free row, -1 one that is changing hands
 */
import { HandleError } from "./map_errors.ts";
import { currentThread, isAlive, type Thread } from "./thread.ts";

const TOTAL = 0;
const LEAKED = 1;
const DESCRIPTOR = 2;
const HEADER = 4;
const ROW = 3;
const ROWS = 128;
const CHANGING = -1;
const BYTES = 4 * (HEADER + ROW * ROWS);

function rowOf(words: Int32Array, { id, start }: Thread): number | undefined {
  for (let row = HEADER; row < words.length; row += ROW) {
    if (Atomics.load(words, row) === id && Atomics.load(words, row + 1) === start) return row;
  }
  return undefined;
}

function takeRow(words: Int32Array, { id, start }: Thread): number | undefined {
  for (let row = HEADER; row < words.length; row += ROW) {
    if (Atomics.compareExchange(words, row, 0, CHANGING) !== 0) continue;
    Atomics.store(words, row + 1, start);
    Atomics.store(words, row, id);
    return row;
  }
  return undefined;
}

/** Gives the rows of threads that ended to others. */
function clearRows(words: Int32Array): void {
  for (let row = HEADER; row < words.length; row += ROW) {
    const id = Atomics.load(words, row);
    if (id <= 0 || isAlive({ id, start: Atomics.load(words, row + 1) })) continue;
    // Of several that see it, one takes the row.
    if (Atomics.compareExchange(words, row, id, CHANGING) !== id) continue;
    Atomics.add(words, LEAKED, Atomics.exchange(words, row + 2, 0));
    Atomics.store(words, row, 0);
  }
}

/** A count as one thread has it, while it has owners. */
export class SharedCount {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** This thread's: nobody else changes it while the thread runs. */
  readonly #row: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    const thread = currentThread();
    let row = rowOf(this.#words, thread) ?? takeRow(this.#words, thread);
    if (row === undefined) {
      clearRows(this.#words);
      row = takeRow(this.#words, thread);
    }
    if (row === undefined) throw new RangeError(`cannot adopt an Arc: ${ROWS} threads have it already`);
    this.#row = row;
  }

  /** A count of one owner, in this thread. */
  static create(descriptor: number): SharedCount {
    const count = new SharedCount(new SharedArrayBuffer(BYTES));
    count.#words[DESCRIPTOR] = descriptor;
    count.add();
    return count;
  }

  /** One owner more, in this thread. Throws a `HandleError` where the last has gone, and for what is no count. */
  static join(memory: SharedArrayBuffer): SharedCount {
    if (!(memory instanceof SharedArrayBuffer) || memory.byteLength !== BYTES) {
      throw new HandleError(
        "cannot adopt an Arc: what was given is no handle; handle() of an Arc makes them",
      );
    }
    const count = new SharedCount(memory);
    const words = count.#words;
    for (let total = Atomics.load(words, TOTAL);;) {
      if (total <= 0) throw new HandleError("cannot adopt an Arc: its last owner was disposed");
      const found = Atomics.compareExchange(words, TOTAL, total, total + 1);
      if (found === total) break;
      total = found;
    }
    Atomics.add(words, count.#row + 2, 1);
    return count;
  }

  get total(): number {
    return Atomics.load(this.#words, TOTAL);
  }

  get descriptor(): number {
    return this.#words[DESCRIPTOR];
  }

  /** One owner more, where there is one in this thread. */
  add(): void {
    Atomics.add(this.#words, TOTAL, 1);
    Atomics.add(this.#words, this.#row + 2, 1);
  }

  /** Whether they were the last. */
  subtract(owners: number): boolean {
    const words = this.#words;
    if (Atomics.sub(words, this.#row + 2, owners) === owners) Atomics.store(words, this.#row, 0);
    return Atomics.sub(words, TOTAL, owners) === owners;
  }

  /** How many owners leaked with threads that ended. */
  leaked(): number {
    clearRows(this.#words);
    return Atomics.load(this.#words, LEAKED);
  }
}
