/**
 * What all threads of a pool look up: the functions that jobs call, by numbers, in a list that only grows, and how many
 * threads load them; which thread has which lane; and how far ranges are claimed. In words of shared memory:
 *
 *     0, 1       how many entries, and how many bytes of text, were taken
 *     2, 3, 4    how many threads were started, how many may be, and to how many jobs may be pinned
 *     5          whether one more was asked for
 *     THREADS…   of each lane two words: when its thread began, and the thread's number, which is written last
 *     ENTRIES…   of each function two words: where its text begins, and the length, which is written last
 *     LOADS…     of each function how many threads have begun to load it, and have not ended that
 *     CELLS…     of each range that threads share a cache line: see range_cell.ts
 *     TEXT…      text: a module's URL and the name of what it exports; how it is called where that is over a range, and
 *                by which module's function it is reduced then: each a line
 *
 * Two threads may enter the same function, which has two numbers then: no harm.
 */
import { PlainMap, type PlainMapHandle } from "../../mem/plain_map.ts";
import type { Thread } from "../../mem/thread.ts";
import { CELL_BYTES, CELLS, RangeCells } from "./range_cell.ts";

const BYTES = 5 << 18;
const ENTRIES = 8192;
const LANES = 256;
const STARTED = 2;
const MOST = 3;
const PINNABLE = 4;
const ASKED = 5;
const THREADS = 16;
const FIRST_ENTRY: number = THREADS + 2 * LANES;
const FIRST_LOAD: number = FIRST_ENTRY + 2 * ENTRIES;
const FIRST_CELL: number = FIRST_LOAD + ENTRIES;
const TEXT: number = 4 * FIRST_CELL + CELLS * CELL_BYTES;

/** How many threads may end while they load a function, before no other one tries. */
const MOST_ENDED = 3;

/** Numbers that no function has: what they stand for is known to all lanes. */
export const FIRST_FUNCTION = 16;

/** A function of a module. */
export interface FunctionName {
  /** A URL. */
  readonly module: string;
  readonly name: string;
}

/**
 * How a function is called that works on a range: with each piece; with each, and what it gives is reduced; or as what
 * reduces values.
 */
export type RangeCall = { readonly kind: "each" | "values" } | {
  readonly kind: "reduced";
  readonly by: FunctionName;
};

/** What a job calls, and how where that is not by the job's arguments alone. */
export interface Called extends FunctionName {
  readonly range?: RangeCall;
}

/** A thread's view of it. */
export class Directory implements Disposable {
  readonly #map: PlainMap;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  /** For the ranges that threads share. */
  readonly cells: RangeCells;
  readonly #numbers: Map<string, number> = new Map();
  /** How many entries were looked at. */
  #seen = 0;

  private constructor(map: PlainMap) {
    this.#map = map;
    const { buffer } = map.bytes;
    this.#words = new Int32Array(buffer, 0, FIRST_CELL);
    this.cells = new RangeCells(new Int32Array(buffer, 4 * FIRST_CELL, CELLS * CELL_BYTES / 4));
    this.#bytes = new Uint8Array(buffer, TEXT, BYTES - TEXT);
  }

  /** For `adopt`, in whichever thread, until this is disposed. */
  get handle(): PlainMapHandle {
    return this.#map.handle;
  }

  static create(): Directory {
    return new Directory(PlainMap.create("oxbow-pool-directory", BYTES));
  }

  static adopt(handle: PlainMapHandle): Directory {
    return new Directory(PlainMap.adopt(handle));
  }

  /** The lane's thread, once it is there. */
  threadOf(lane: number): Thread | undefined {
    const id = Atomics.load(this.#words, THREADS + 2 * lane + 1);
    return id === 0 ? undefined : { id, start: this.#words[THREADS + 2 * lane] };
  }

  /** Which thread has the lane. */
  setThread(lane: number, thread: Thread | undefined): void {
    this.#words[THREADS + 2 * lane] = thread?.start ?? 0;
    Atomics.store(this.#words, THREADS + 2 * lane + 1, thread?.id ?? 0);
  }

  /** The opener's: how many threads there are, of how many. */
  setStarted(started: number, most: number): void {
    Atomics.store(this.#words, MOST, most);
    Atomics.store(this.#words, STARTED, started);
    Atomics.store(this.#words, ASKED, 0);
  }

  /** How many threads the pool has by its opener's will, from lane 1 on. */
  get threads(): number {
    return this.#words[PINNABLE];
  }

  set threads(count: number) {
    this.#words[PINNABLE] = count;
  }

  /** Whether a thread may be asked for, by this one: not where all have been started, or one was asked for already. */
  askForThread(): boolean {
    const words = this.#words;
    if (Atomics.load(words, STARTED) >= Atomics.load(words, MOST)) return false;
    return Atomics.compareExchange(words, ASKED, 0, 1) === 0;
  }

  /** The function's number, which it is given where it has none. Throws a `RangeError` where there are too many. */
  numberOf(module: string, name: string, range?: RangeCall): number {
    const text = `${module}\n${name}${range === undefined ? "" : textOf(range)}`;
    const known = this.#numbers.get(text) ?? this.#find(text);
    if (known !== undefined) return known;
    const number = this.#enter(text);
    this.#numbers.set(text, number);
    return number;
  }

  /** Looks at what other threads have entered meanwhile. */
  #find(text: string): number | undefined {
    const count = Math.min(Atomics.load(this.#words, 0), ENTRIES);
    for (; this.#seen < count; this.#seen++) {
      const found = this.#textAt(this.#seen);
      // It is being entered: it is looked at again the next time.
      if (found === "") break;
      if (!this.#numbers.has(found)) this.#numbers.set(found, FIRST_FUNCTION + this.#seen);
    }
    return this.#numbers.get(text);
  }

  #textAt(entry: number): string {
    const at = FIRST_ENTRY + 2 * entry;
    const length = Atomics.load(this.#words, at + 1);
    const start = this.#words[at];
    return new TextDecoder().decode(this.#bytes.slice(start, start + length));
  }

  #enter(text: string): number {
    const words = this.#words;
    const bytes = new TextEncoder().encode(text);
    const at = Atomics.add(words, 1, bytes.length);
    const entry = at + bytes.length > this.#bytes.length ? ENTRIES : Atomics.add(words, 0, 1);
    if (entry >= ENTRIES) {
      throw new RangeError(
        `cannot make a job of ${
          text.replaceAll("\n", " ")
        }: the pool has ${ENTRIES} functions, or the text of as many`,
      );
    }
    this.#bytes.set(bytes, at);
    words[FIRST_ENTRY + 2 * entry] = at;
    Atomics.store(words, FIRST_ENTRY + 2 * entry + 1, bytes.length);
    return FIRST_FUNCTION + entry;
  }

  /** What that number stands for. */
  at(number: number): Called {
    const [module, name, kind, byModule, byName] = this.#textAt(number - FIRST_FUNCTION).split("\n");
    if (kind === "each" || kind === "values") return { module, name, range: { kind } };
    if (kind !== "reduced") return { module, name };
    return { module, name, range: { kind, by: { module: byModule, name: byName } } };
  }

  /** This thread is about to load the function; `false` where so many have ended over it that it is not to. */
  beginLoad(number: number): boolean {
    const at = FIRST_LOAD + number - FIRST_FUNCTION;
    // Each that lives loads it once.
    const most = MOST_ENDED + Atomics.load(this.#words, STARTED) - 1;
    if (Atomics.load(this.#words, at) >= most) return false;
    Atomics.add(this.#words, at, 1);
    return true;
  }

  /** It has been loaded, or failed to, and this thread is still there. */
  endLoad(number: number, hasLoaded: boolean): void {
    const at = FIRST_LOAD + number - FIRST_FUNCTION;
    if (hasLoaded) Atomics.store(this.#words, at, 0);
    else Atomics.sub(this.#words, at, 1);
  }

  [Symbol.dispose](): void {
    this.#map[Symbol.dispose]();
  }
}

function textOf(range: RangeCall): string {
  if (range.kind !== "reduced") return `\n${range.kind}`;
  return `\n${range.kind}\n${range.by.module}\n${range.by.name}`;
}
