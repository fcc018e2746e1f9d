/**
 * The words of an index in the order of their bytes, as two flat arrays that a file can be mapped into,
 * and a second order by their bytes read backwards. A word is found by binary search, and so are all that
 * begin alike or end alike: nothing is built when an index is opened.
 *
 * @module
 */
import { partition } from "../partition.ts";

/** The words, word `i` at `offsets[i]` to `offsets[i + 1]` of `bytes`. */
export interface WordBytes {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** Numbers from `first` up to, but without, `end`. */
export interface Range {
  first: number;
  end: number;
}

/** Sorted words: a word's place in the order is its term number. */
export class Terms implements WordBytes {
  /** The words' bytes, one after another. */
  readonly bytes: Uint8Array;
  /** Where each word starts; the last element is where the last one ends. */
  readonly offsets: Uint32Array;
  /** Term numbers, by the order of their words read backwards. */
  readonly backwards: Uint32Array;

  constructor(bytes: Uint8Array, offsets: Uint32Array, backwards: Uint32Array) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.backwards = backwards;
  }

  get size(): number {
    return this.offsets.length - 1;
  }

  /** The bytes of a term's word. */
  word(term: number): Uint8Array {
    return this.bytes.subarray(this.offsets[term], this.offsets[term + 1]);
  }

  /** The term number of a word, or -1. */
  find(word: Uint8Array): number {
    const { first, end } = this.startingWith(word);
    return first < end && this.offsets[first + 1] - this.offsets[first] === word.length ? first : -1;
  }

  /** The terms that start with `prefix`; the word itself, where it is there, is the first. */
  startingWith(prefix: Uint8Array): Range {
    const compare = (term: number) => this.#compareStart(term, prefix);
    return {
      first: partition(this.size, (i) => compare(i) < 0),
      end: partition(this.size, (i) => compare(i) <= 0),
    };
  }

  /** The places in {@linkcode backwards} of the terms that end with `suffix`. */
  endingWith(suffix: Uint8Array): Range {
    const compare = (place: number) => this.#compareEnd(this.backwards[place], suffix);
    return {
      first: partition(this.size, (i) => compare(i) < 0),
      end: partition(this.size, (i) => compare(i) <= 0),
    };
  }

  /** Below 0 where the term sorts before every word with this prefix, 0 where it has it. */
  #compareStart(term: number, prefix: Uint8Array): number {
    const start = this.offsets[term];
    const length = this.offsets[term + 1] - start;
    for (let i = 0; i < prefix.length; i++) {
      if (i === length) return -1;
      const difference = this.bytes[start + i] - prefix[i];
      if (difference !== 0) return difference;
    }
    return 0;
  }

  #compareEnd(term: number, suffix: Uint8Array): number {
    const end = this.offsets[term + 1];
    const length = end - this.offsets[term];
    for (let i = 1; i <= suffix.length; i++) {
      if (i > length) return -1;
      const difference = this.bytes[end - i] - suffix[suffix.length - i];
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
