/**
 * What a word is to a hashed embedding: itself, and its character 3-, 4- and 5-grams with its two ends
 * marked, each hashed to one element of the vector and one sign.
 *
 * @module
 */
import { FNV_BASIS, FNV_PRIME, mix } from "../hash.ts";
import { MAX_WORD_BYTES } from "../text/words.ts";

const SHORTEST_GRAM = 3;
const LONGEST_GRAM = 5;
/** More than a word has: itself, and a gram of each length from each of its characters and the first mark. */
export const MAX_FEATURES: number = 1 + (LONGEST_GRAM - SHORTEST_GRAM + 1) * (MAX_WORD_BYTES + 1);
/** A feature is an element times two, plus its sign, in 16 bits. */
export const MAX_DIMS = 1 << 15;

/** The ends of a word within its grams; no word holds these bytes. */
const BEGIN = 0x02;
const END = 0x03;
/** Tells a word from the gram of the same bytes. */
const WORD_SALT = 0x5bd1e995;

const marked = new Uint8Array(MAX_WORD_BYTES + 2);

/**
 * Writes the features of the word at `start` to `end` of `bytes` to `out` from `at` on, the word itself
 * first, and returns how many there are. Feature `f` is element `f >> 1`, negative where `f & 1`.
 */
export function writeFeatures(
  bytes: Uint8Array,
  start: number,
  end: number,
  dims: number,
  out: Uint16Array,
  at: number,
): number {
  marked[0] = BEGIN;
  let length = 1;
  let hash = FNV_BASIS;
  for (let i = start; i < end; i++) {
    marked[length++] = bytes[i];
    hash = Math.imul(hash ^ bytes[i], FNV_PRIME);
  }
  marked[length++] = END;
  let count = 0;
  out[at + count++] = feature(hash ^ WORD_SALT, dims);
  for (let first = 0; first < length; first++) {
    if (isContinuation(marked[first])) continue;
    let gram = FNV_BASIS;
    let characters = 0;
    for (let i = first; i < length; i++) {
      gram = Math.imul(gram ^ marked[i], FNV_PRIME);
      if (i + 1 < length && isContinuation(marked[i + 1])) continue;
      characters++;
      if (characters >= SHORTEST_GRAM) out[at + count++] = feature(gram, dims);
      if (characters === LONGEST_GRAM) break;
    }
  }
  return count;
}

/** How many features the word at `start` to `end` of `bytes` has. */
export function countFeatures(bytes: Uint8Array, start: number, end: number): number {
  let characters = 2;
  for (let i = start; i < end; i++) if (!isContinuation(bytes[i])) characters++;
  let count = 1;
  for (let length = SHORTEST_GRAM; length <= LONGEST_GRAM; length++) {
    count += Math.max(0, characters - length + 1);
  }
  return count;
}

function feature(hash: number, dims: number): number {
  const mixed = mix(hash);
  return 2 * ((mixed >>> 1) % dims) + (mixed & 1);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
