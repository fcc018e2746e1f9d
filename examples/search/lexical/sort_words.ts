/**
 * Sorts words by their bytes with a three-way radix quicksort (Bentley and Sedgewick, "Fast Algorithms for
 * Sorting and Searching Strings", 1997): it splits by one byte at a time, and only the words that are equal
 * there go on to the next.
 *
 * @module
 */
import type { WordBytes } from "./terms.ts";

/** Which end of a word is read first. */
export type Direction = "forwards" | "backwards";

/** The numbers of `words`, which are distinct, in the order of their bytes. */
export function sortWords(words: WordBytes, direction: Direction): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(words.offsets.length - 1);
  for (let i = 0; i < order.length; i++) order[i] = i;
  new Sorter(words, order, direction).sort(0, order.length, 0);
  return order;
}

class Sorter {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #order: Uint32Array;
  readonly #isBackwards: boolean;

  constructor(words: WordBytes, order: Uint32Array, direction: Direction) {
    this.#bytes = words.bytes;
    this.#offsets = words.offsets;
    this.#order = order;
    this.#isBackwards = direction === "backwards";
  }

  /** Sorts `low` to `high`, whose first `depth` bytes are equal. */
  sort(low: number, high: number, depth: number): void {
    while (high - low > 1) {
      const pivot = this.#byteAt((low + high) >>> 1, depth);
      let less = low;
      let more = high;
      for (let i = low; i < more;) {
        const byte = this.#byteAt(i, depth);
        if (byte < pivot) this.#swap(less++, i++);
        else if (byte > pivot) this.#swap(i, --more);
        else i++;
      }
      this.sort(low, less, depth);
      this.sort(more, high, depth);
      if (pivot === ENDED) return;
      low = less;
      high = more;
      depth++;
    }
  }

  #byteAt(place: number, depth: number): number {
    const word = this.#order[place];
    const start = this.#offsets[word];
    const end = this.#offsets[word + 1];
    if (start + depth >= end) return ENDED;
    return this.#bytes[this.#isBackwards ? end - 1 - depth : start + depth];
  }

  #swap(a: number, b: number): void {
    const word = this.#order[a];
    this.#order[a] = this.#order[b];
    this.#order[b] = word;
  }
}

const ENDED = -1;
