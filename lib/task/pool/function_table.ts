/**
 * The functions that a pool's jobs call, by numbers that all its threads know: a list in shared memory that only grows.
 *
 *     words 0, 1       how many entries, and how many bytes of text, were taken
 *     words 2, 3       how many threads were started, and may be; 4: whether one was asked for
 *     16…              entries of two words: where the text begins, and its length, which is written last
 *     TEXT…            text: a module's URL, a line feed, the name of what it exports
 *
 * Two threads may enter the same function, which has two numbers then: no harm.
 */
import { type MapHandle, Mmap } from "../../mem/mmap.ts";

const BYTES = 1 << 20;
const ENTRIES = 8192;
const STARTED = 2;
const THREADS = 3;
const ASKED = 4;
const FIRST_ENTRY = 16;
const TEXT = 4 * (FIRST_ENTRY + 2 * ENTRIES);

/** Numbers that no function has: what they stand for is known to all lanes. */
export const FIRST_FUNCTION = 16;

/** What a job calls. */
export interface FunctionName {
  /** A URL. */
  readonly module: string;
  readonly name: string;
}

/** A thread's view of the table. */
export class FunctionTable implements Disposable {
  readonly handle: MapHandle;
  readonly #map: Mmap<"write">;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #numbers: Map<string, number> = new Map();

  private constructor(map: Mmap<"write">, handle: MapHandle) {
    this.#map = map;
    this.handle = handle;
    this.#words = map.view(Int32Array, 0, TEXT / 4);
    this.#bytes = map.view(Uint8Array, TEXT, BYTES - TEXT);
  }

  static create(): FunctionTable {
    const map = Mmap.memfd("oxbow-pool-functions", BYTES, { seals: ["grow", "shrink"] });
    return new FunctionTable(map, map.share());
  }

  static adopt(handle: MapHandle): FunctionTable {
    return new FunctionTable(Mmap.adopt(handle, { mode: "r+" }), handle);
  }

  /** The opener's: how many threads there are, of how many. */
  setThreads(started: number, threads: number): void {
    Atomics.store(this.#words, THREADS, threads);
    Atomics.store(this.#words, STARTED, started);
    Atomics.store(this.#words, ASKED, 0);
  }

  /** How many threads there may be. */
  get threads(): number {
    return Atomics.load(this.#words, THREADS);
  }

  /** Whether a thread may be asked for, by this one: not where all have been started, or one was asked for already. */
  askForThread(): boolean {
    const words = this.#words;
    if (Atomics.load(words, STARTED) >= Atomics.load(words, THREADS)) return false;
    return Atomics.compareExchange(words, ASKED, 0, 1) === 0;
  }

  /** The function's number, which it is given where it has none. Throws a `RangeError` where there are too many. */
  numberOf(module: string, name: string): number {
    const text = `${module}\n${name}`;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#enter(text);
    this.#numbers.set(text, number);
    return number;
  }

  #enter(text: string): number {
    const words = this.#words;
    const bytes = new TextEncoder().encode(text);
    const at = Atomics.add(words, 1, bytes.length);
    const entry = at + bytes.length > this.#bytes.length ? ENTRIES : Atomics.add(words, 0, 1);
    if (entry >= ENTRIES) {
      throw new RangeError(
        `cannot make a job of ${text.replace("\n", " ")}: the pool has ${ENTRIES} functions, or the text of as many`,
      );
    }
    this.#bytes.set(bytes, at);
    words[FIRST_ENTRY + 2 * entry] = at;
    Atomics.store(words, FIRST_ENTRY + 2 * entry + 1, bytes.length);
    return FIRST_FUNCTION + entry;
  }

  /** What that number stands for. */
  at(number: number): FunctionName {
    const at = FIRST_ENTRY + 2 * (number - FIRST_FUNCTION);
    const length = Atomics.load(this.#words, at + 1);
    const start = this.#words[at];
    const text = new TextDecoder().decode(this.#bytes.subarray(start, start + length));
    const end = text.indexOf("\n");
    return { module: text.slice(0, end), name: text.slice(end + 1) };
  }

  [Symbol.dispose](): void {
    this.#map[Symbol.dispose]();
  }
}
