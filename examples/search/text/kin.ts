/**
 * The words of an index that a word of a query may mean: itself and its inflections; and where the index
 * lacks it, those one slip of the pen away, and those that it is the beginning of.
 *
 * None of it is built beforehand. A slip leaves the first or the second half of a word as it was (or swaps
 * the two characters in the middle), so all candidates lie in two short ranges of the sorted words, one of
 * them read backwards.
 *
 * @module
 */
import { isOneEditApart } from "./edits.ts";
import { isInflection, LONGEST_ENDING, stem } from "./stem.ts";
import type { Terms } from "../lexical/terms.ts";
import { ALONE, SPACED } from "./words.ts";

const INFLECTION_WEIGHT = 0.8;
const SLIP_WEIGHT = 0.6;
/** Shorter words have more neighbours than meaning. */
export const SHORTEST_GUESSED = 3;
/** The heaviest, and among those the most frequent, are kept. */
const MOST_KIN = 256;

/** A term of the index, and how much it counts: 1 for the word itself. */
export interface Kin {
  readonly term: number;
  readonly weight: number;
}

/** A folded word, and the kind that it was read as. */
export interface Word {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The kin of a word, the heaviest first; `frequencyOf` a term is in how many passages it is. */
export function kinOf(word: Word, terms: Terms, frequencyOf: (term: number) => number): Kin[] {
  const { bytes, kind } = word;
  const weights = new Map<number, number>();
  const add = (term: number, weight: number) => weights.set(term, Math.max(weight, weights.get(term) ?? 0));
  const exact = terms.find(bytes);
  if (exact >= 0) add(exact, 1);
  if (kind === SPACED) {
    forEachInflection(bytes, terms, (term) => add(term, INFLECTION_WEIGHT));
    const characters = Array.from(charactersOf(bytes));
    if (exact < 0 && characters.length >= SHORTEST_GUESSED) {
      forEachSlip(characters, terms, (term) => add(term, SLIP_WEIGHT));
      forEachCompletion(bytes, terms, (term) => add(term, bytes.length / terms.word(term).length));
    }
  } else if (kind === ALONE) {
    forEachCompletion(bytes, terms, (term) => add(term, 1));
  }
  return Array.from(weights, ([term, weight]) => ({ term, weight }))
    .sort((a, b) => b.weight - a.weight || frequencyOf(b.term) - frequencyOf(a.term) || a.term - b.term)
    .slice(0, MOST_KIN);
}

function forEachInflection(bytes: Uint8Array, terms: Terms, found: (term: number) => void): void {
  const root = stem(decoder.decode(bytes));
  const start = encoder.encode(root);
  const { first, end } = terms.startingWith(start);
  for (let term = first; term < end; term++) {
    const rest = terms.word(term).subarray(start.length);
    if (rest.length <= LONGEST_ENDING && isInflection(root, decoder.decode(rest))) found(term);
  }
}

function forEachCompletion(bytes: Uint8Array, terms: Terms, found: (term: number) => void): void {
  const { first, end } = terms.startingWith(bytes);
  for (let term = first; term < end; term++) found(term);
}

function forEachSlip(characters: readonly number[], terms: Terms, found: (term: number) => void): void {
  const middle = characters.length >>> 1;
  const test = (term: number) => {
    if (isOneEditApart(characters, charactersOf(terms.word(term)))) found(term);
  };
  const head = terms.startingWith(toUtf8(characters.slice(0, middle)));
  for (let term = head.first; term < head.end; term++) test(term);
  const tail = terms.endingWith(toUtf8(characters.slice(middle)));
  for (let place = tail.first; place < tail.end; place++) test(terms.backwards[place]);
  const swapped = terms.find(toUtf8(swapAt(characters, middle)));
  if (swapped >= 0) found(swapped);
}

/** With the characters before and at `place` in each other's place. */
function swapAt(characters: readonly number[], place: number): number[] {
  return characters.with(place - 1, characters[place]).with(place, characters[place - 1]);
}

/** ASCII is its own code points. */
function charactersOf(bytes: Uint8Array): ArrayLike<number> {
  if (bytes.every((byte) => byte < 0x80)) return bytes;
  return Array.from(decoder.decode(bytes), (character) => character.codePointAt(0) ?? 0);
}

function toUtf8(characters: readonly number[]): Uint8Array {
  return encoder.encode(String.fromCodePoint(...characters));
}
