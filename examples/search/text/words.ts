/**
 * Reads the words of UTF-8 text, folded, one after another, with no string or object made for any.
 *
 * A word is a run of letters and digits (`unicode.ts` says which those are); everything else separates,
 * so `read_file` is two words. Scripts without spaces give every pair of neighbours as a word, and the
 * last character of a run alone besides: so each character begins some word, and a search for a single
 * one finds all of its pairs by how they begin.
 *
 * @module
 */
import { FNV_BASIS, FNV_PRIME } from "../hash.ts";
import { classOf, fold, IGNORED, LETTER, SEPARATOR, UNSPACED } from "./unicode.ts";

/** What is longer is cut: a digest of 32 bytes in hexadecimal still fits. */
export const MAX_WORD_BYTES = 64;

/** How a word was come by; {@linkcode ALONE} and {@linkcode TAIL} are single characters of {@linkcode UNSPACED} scripts. */
export const SPACED = 0;
export const PAIR = 1;
/** A run of one character. */
export const ALONE = 2;
/** The last character of a longer run: its pair came just before. */
export const TAIL = 3;

const asciiFolded = new Uint8Array(128);
for (let byte = 0; byte < 128; byte++) {
  if (classOf(byte) === LETTER) asciiFolded[byte] = fold(byte);
}

/** Walks over the words of a piece of UTF-8 text. Allocates nothing. */
export class WordReader {
  /** The folded word lies in its first {@linkcode length} bytes until the next call of {@linkcode next}. */
  readonly bytes: Uint8Array = new Uint8Array(MAX_WORD_BYTES);
  /** Bytes of the folded word. */
  length = 0;
  /** FNV-1a of the folded word. */
  hash = 0;
  /** Byte of the text at which the word starts. */
  start = 0;
  /** Byte of the text at which it ends. */
  end = 0;
  /** {@linkcode SPACED}, {@linkcode PAIR}, {@linkcode ALONE} or {@linkcode TAIL}. */
  kind = SPACED;

  #text: Uint8Array = new Uint8Array();
  #at = 0;
  #limit = 0;

  /** Starts at byte `from` of valid UTF-8 and ends before byte `to`. */
  reset(text: Uint8Array, from = 0, to: number = text.length): void {
    this.#text = text;
    this.#at = from;
    this.#limit = to;
    this.kind = SPACED;
  }

  /** Steps to the next word; false where there is none. */
  next(): boolean {
    const text = this.#text;
    const limit = this.#limit;
    let at = this.#at;
    if (this.kind !== PAIR) this.kind = SPACED;
    while (at < limit) {
      const byte = text[at];
      if (byte < 0x80) {
        if (asciiFolded[byte] !== 0) return this.#readSpaced(at);
        at++;
      } else {
        const codePoint = decode(text, at);
        const class_ = classOf(codePoint);
        if (class_ === LETTER) return this.#readSpaced(at);
        if (class_ === UNSPACED) return this.#readUnspaced(at, codePoint);
        at += width(byte);
      }
      this.kind = SPACED;
    }
    this.#at = limit;
    return false;
  }

  #readSpaced(start: number): boolean {
    const text = this.#text;
    const limit = this.#limit;
    const out = this.bytes;
    let length = 0;
    let hash = FNV_BASIS;
    let at = start;
    while (at < limit) {
      const byte = text[at];
      if (byte < 0x80) {
        const folded = asciiFolded[byte];
        if (folded === 0) break;
        if (length < MAX_WORD_BYTES) {
          out[length++] = folded;
          hash = Math.imul(hash ^ folded, FNV_PRIME);
        }
        at++;
      } else {
        const codePoint = decode(text, at);
        const class_ = classOf(codePoint);
        if (class_ === SEPARATOR || class_ === UNSPACED) break;
        if (class_ !== IGNORED && length + 4 <= MAX_WORD_BYTES) {
          for (let packed = fold(codePoint); packed !== 0; packed >>>= 8) {
            out[length++] = packed & 0xff;
            hash = Math.imul(hash ^ (packed & 0xff), FNV_PRIME);
          }
        }
        at += width(byte);
      }
    }
    this.kind = SPACED;
    this.length = length;
    this.hash = hash;
    this.start = start;
    this.end = this.#at = at;
    return true;
  }

  #readUnspaced(start: number, first: number): boolean {
    const text = this.#text;
    const second = start + width(text[start]);
    this.kind = this.kind === PAIR ? TAIL : ALONE;
    this.length = 0;
    this.hash = FNV_BASIS;
    this.start = start;
    this.end = this.#at = second;
    this.#append(first);
    if (second < this.#limit && text[second] >= 0x80) {
      const codePoint = decode(text, second);
      if (classOf(codePoint) === UNSPACED) {
        this.kind = PAIR;
        this.end = second + width(text[second]);
        this.#append(codePoint);
      }
    }
    return true;
  }

  #append(codePoint: number): void {
    for (let packed = fold(codePoint); packed !== 0; packed >>>= 8) {
      this.bytes[this.length++] = packed & 0xff;
      this.hash = Math.imul(this.hash ^ (packed & 0xff), FNV_PRIME);
    }
  }
}

/** The code point whose UTF-8 starts at `at`, above ASCII. */
function decode(text: Uint8Array, at: number): number {
  const lead = text[at];
  const second = text[at + 1] & 0x3f;
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | second;
  const third = text[at + 2] & 0x3f;
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | (second << 6) | third;
  return ((lead & 0x07) << 18) | (second << 12) | (third << 6) | (text[at + 3] & 0x3f);
}

function width(lead: number): number {
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
