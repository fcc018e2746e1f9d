/**
 * Scores passages by the words that they share with a query: Okapi BM25 over an inverted index in flat
 * arrays (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with k1 and b as usual
 * for short passages. A word's kin stand in for it at a lower weight, and a passage counts the best of them.
 *
 * @module
 */
import { type Kin, kinOf, type Word } from "../text/kin.ts";
import { ln } from "../logarithm.ts";
import type { Postings } from "./postings.ts";
import type { Terms } from "./terms.ts";

const K1 = 0.9;
const B = 0.4;

/** The inverse document frequency of a term in `frequency` of `passages`, always above 0. */
export function inverseFrequency(frequency: number, passages: number): number {
  return ln(1 + (passages - frequency + 0.5) / (frequency + 0.5));
}

/** Words, the passages that each is in, and how long the passages are. */
export class Lexicon {
  readonly terms: Terms;
  readonly #postings: Postings;
  readonly #idf: Float32Array;
  readonly #lengths: Uint32Array;
  readonly #meanLength: number;
  /** What each passage has of the word that is being scored; all zero between words. */
  #best = new Float32Array();

  /** `lengths` are in words, of each passage, and `meanLength` is their mean. */
  constructor(terms: Terms, postings: Postings, idf: Float32Array, lengths: Uint32Array, meanLength: number) {
    this.terms = terms;
    this.#postings = postings;
    this.#idf = idf;
    this.#lengths = lengths;
    this.#meanLength = meanLength;
  }

  /** The inverse document frequency of a word, also of one that is in no passage. */
  idfOf(word: Uint8Array): number {
    const term = this.terms.find(word);
    return term < 0 ? this.#idfOfNone : this.#idf[term];
  }

  get #idfOfNone(): number {
    return inverseFrequency(0, this.#lengths.length);
  }

  /**
   * Adds to `scores`, by passage, how well it answers `words`: 0 where it has none of them, and always below
   * 1, which nothing but endless repetition of them all would reach. Costs as many steps as those words and
   * their kin have passages.
   */
  score(words: readonly Word[], scores: Float32Array): void {
    const meanings = words.map((word) => this.#meaningsOf(word));
    const most = meanings.reduce((sum, { most }) => sum + most, 0);
    for (const { kin } of meanings) {
      if (kin.length === 1) this.#addOnly(kin[0].term, kin[0].weight / most, scores);
      else if (kin.length > 1) this.#addBest(kin, most, scores);
    }
  }

  /** The kin of a word, weighted by idf too, and the largest of the weights: for an unknown word what it would be. */
  #meaningsOf(word: Word): { kin: Kin[]; most: number } {
    const offsets = this.#postings.offsets;
    const kin = kinOf(word, this.terms, (term) => offsets[term + 1] - offsets[term]);
    if (kin.length === 0) return { kin, most: this.#idfOfNone };
    // A rare inflection of a common word is no rarer in meaning.
    const ceiling = kin[0].weight === 1 ? this.#idf[kin[0].term] : Infinity;
    const weighted = kin.map(({ term, weight }) => ({
      term,
      weight: weight * Math.min(this.#idf[term], ceiling),
    }));
    return { kin: weighted, most: weighted.reduce((most, { weight }) => Math.max(most, weight), 0) };
  }

  #addOnly(term: number, weight: number, scores: Float32Array): void {
    const { offsets, passages, counts } = this.#postings;
    for (let i = offsets[term]; i < offsets[term + 1]; i++) {
      scores[passages[i]] += weight * this.#saturated(counts[i], passages[i]);
    }
  }

  #addBest(kin: readonly Kin[], most: number, scores: Float32Array): void {
    const { offsets, passages, counts } = this.#postings;
    if (this.#best.length === 0) this.#best = new Float32Array(this.#lengths.length);
    const best = this.#best;
    for (const { term, weight } of kin) {
      for (let i = offsets[term]; i < offsets[term + 1]; i++) {
        const passage = passages[i];
        const value = (weight / most) * this.#saturated(counts[i], passage);
        if (value > best[passage]) best[passage] = value;
      }
    }
    for (const { term } of kin) {
      for (let i = offsets[term]; i < offsets[term + 1]; i++) {
        scores[passages[i]] += best[passages[i]];
        best[passages[i]] = 0;
      }
    }
  }

  #saturated(count: number, passage: number): number {
    return count / (count + K1 * (1 - B + B * (this.#lengths[passage] / this.#meanLength)));
  }
}
