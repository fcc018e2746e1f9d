/**
 * Turns bags of words round: from the words of each passage to the passages of each word.
 *
 * @module
 */
import type { Bags } from "./bags.ts";

/** The passages of the terms from 0 up: those of term `t`, ascending, are at `offsets[t]` to `offsets[t + 1]`. */
export interface Postings {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly passages: Uint32Array<ArrayBuffer>;
  /** How often the term occurs in the passage. */
  readonly counts: Uint16Array<ArrayBuffer>;
}

/** Inverts `bags`, whose words are numbers below `order.length`; `order[t]` is the word that becomes term `t`. */
export function invert(bags: Bags, order: Uint32Array): Postings {
  const { starts, words, counts } = bags;
  const ranks = new Uint32Array(order.length);
  for (let term = 0; term < order.length; term++) ranks[order[term]] = term;
  const offsets = new Uint32Array(order.length + 1);
  for (let i = 0; i < words.length; i++) offsets[ranks[words[i]] + 1]++;
  for (let term = 0; term < order.length; term++) offsets[term + 1] += offsets[term];
  const next = offsets.slice();
  const passages = new Uint32Array(words.length);
  const termCounts = new Uint16Array(words.length);
  for (let passage = 0; passage + 1 < starts.length; passage++) {
    for (let i = starts[passage]; i < starts[passage + 1]; i++) {
      const place = next[ranks[words[i]]]++;
      passages[place] = passage;
      termCounts[place] = counts[i];
    }
  }
  return { offsets, passages, counts: termCounts };
}

/** The way back: the bags of `size` passages, their words ascending. */
export function revert({ offsets, passages, counts }: Postings, size: number): Bags {
  const starts = new Uint32Array(size + 1);
  for (let i = 0; i < passages.length; i++) starts[passages[i] + 1]++;
  for (let passage = 0; passage < size; passage++) starts[passage + 1] += starts[passage];
  const next = starts.slice();
  const words = new Uint32Array(passages.length);
  const bagCounts = new Uint16Array(passages.length);
  for (let term = 0; term + 1 < offsets.length; term++) {
    for (let i = offsets[term]; i < offsets[term + 1]; i++) {
      const place = next[passages[i]]++;
      words[place] = term;
      bagCounts[place] = counts[i];
    }
  }
  return { starts, words, counts: bagCounts };
}
