/**
 * Passages as bags of words: for each, the words that occur in it and how often, in flat arrays. It is what
 * an index is turned out of, and all that an embedding sees of a passage.
 *
 * @module
 */

/** Counts stop here: they are kept in 16 bits. */
export const MOST_COUNTED = 0xffff;

/** The bags of the passages from 0 up, in order: passage `p` is at `starts[p]` to `starts[p + 1]` of the rest. */
export interface Bags {
  readonly starts: Uint32Array;
  /** Numbers of words, each once a passage. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly counts: Uint16Array<ArrayBuffer>;
}

/** Collects bags, one after another, in arrays that double. */
export class BagCollector implements Bags {
  #size = 0;
  #end = 0;
  #starts = new Uint32Array(1 << 8);
  #words = new Uint32Array(1 << 14);
  #counts = new Uint16Array(1 << 14);
  /** By word: where it was last put. That is in the open bag where it is no less than this one's start. */
  #places = new Uint32Array(1 << 12);

  get starts(): Uint32Array<ArrayBuffer> {
    return this.#starts.subarray(0, this.#size + 1);
  }

  get words(): Uint32Array<ArrayBuffer> {
    return this.#words.subarray(0, this.#end);
  }

  get counts(): Uint16Array<ArrayBuffer> {
    return this.#counts.subarray(0, this.#end);
  }

  /** Puts a word into the open bag, `count` times. */
  add(word: number, count = 1): void {
    if (word >= this.#places.length) this.#growPlaces(word);
    const place = this.#places[word];
    if (place >= this.#starts[this.#size] && place < this.#end && this.#words[place] === word) {
      this.#counts[place] = Math.min(this.#counts[place] + count, MOST_COUNTED);
      return;
    }
    if (this.#end === this.#words.length) this.#growWords();
    this.#places[word] = this.#end;
    this.#words[this.#end] = word;
    this.#counts[this.#end++] = Math.min(count, MOST_COUNTED);
  }

  /** Puts the words of another's bag, from place `start` to `end`, into the open one, which has none of them. */
  addAll({ words, counts }: Bags, start: number, end: number, numbers: Uint32Array): void {
    while (this.#end + end - start > this.#words.length) this.#growWords();
    for (let i = start; i < end; i++) {
      this.#words[this.#end] = numbers[words[i]];
      this.#counts[this.#end++] = counts[i];
    }
  }

  /** Ends the open bag and opens the next. */
  close(): void {
    if (++this.#size === this.#starts.length) {
      this.#starts = new Uint32Array(this.#starts.buffer.transfer(8 * this.#size));
    }
    this.#starts[this.#size] = this.#end;
  }

  #growWords(): void {
    const length = 2 * this.#words.length;
    this.#words = new Uint32Array(this.#words.buffer.transfer(4 * length));
    this.#counts = new Uint16Array(this.#counts.buffer.transfer(2 * length));
  }

  #growPlaces(word: number): void {
    let length = this.#places.length;
    while (length <= word) length *= 2;
    this.#places = new Uint32Array(this.#places.buffer.transfer(4 * length));
  }
}
