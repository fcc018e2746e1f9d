/**
 * The distinct words of a folder while it is being indexed: each gets a number, from 0 up, in an
 * open-addressing table over typed arrays, its bytes one after another in a single block. No string is
 * made for a word, and none of its lookups allocates.
 *
 * @module
 */
import { mix } from "../hash.ts";

/** Numbers words by their bytes. */
export class Vocabulary {
  #size = 0;
  /** Word number + 1, or 0 where the slot is free; never more than half full. */
  #slots = new Uint32Array(1 << 12);
  #hashes = new Uint32Array(1 << 11);
  /** One longer than the words: the end of each is the start of the next. */
  #offsets = new Uint32Array((1 << 11) + 1);
  #bytes = new Uint8Array(1 << 15);

  /** Words numbered so far. */
  get size(): number {
    return this.#size;
  }

  /** The bytes of all words; word `i` is at `offsets[i]` to `offsets[i + 1]`. Valid until the next `add`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#offsets[this.#size]);
  }

  /** Where each word starts, and where the last one ends. Valid until the next `add`. */
  get offsets(): Uint32Array<ArrayBuffer> {
    return this.#offsets.subarray(0, this.#size + 1);
  }

  /** The number of the word at `from` in `text`, a new one where it was not there; `hash` is of its bytes. */
  add(text: Uint8Array, from: number, length: number, hash: number): number {
    const mask = this.#slots.length - 1;
    const mixed = mix(hash);
    let slot = mixed & mask;
    for (let found = this.#slots[slot]; found !== 0; found = this.#slots[slot]) {
      if (this.#hashes[found - 1] === mixed && this.#equals(found - 1, text, from, length)) return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#size + 1;
    return this.#append(text, from, length, mixed);
  }

  #equals(word: number, text: Uint8Array, from: number, length: number): boolean {
    const start = this.#offsets[word];
    if (this.#offsets[word + 1] - start !== length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      if (bytes[start + i] !== text[from + i]) return false;
    }
    return true;
  }

  #append(text: Uint8Array, from: number, length: number, mixed: number): number {
    const word = this.#size++;
    const start = this.#offsets[word];
    if (start + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(2 * this.#bytes.length));
    }
    for (let i = 0; i < length; i++) this.#bytes[start + i] = text[from + i];
    this.#offsets[word + 1] = start + length;
    this.#hashes[word] = mixed;
    if (this.#size === this.#hashes.length) this.#grow();
    return word;
  }

  #grow(): void {
    const room = 2 * this.#size;
    this.#hashes = new Uint32Array(this.#hashes.buffer.transfer(4 * room));
    this.#offsets = new Uint32Array(this.#offsets.buffer.transfer(4 * (room + 1)));
    this.#slots = new Uint32Array(2 * room);
    const mask = 2 * room - 1;
    for (let word = 0; word < this.#size; word++) {
      let slot = this.#hashes[word] & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = word + 1;
    }
  }
}
