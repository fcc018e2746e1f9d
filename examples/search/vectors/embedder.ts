import type { Bags } from "../lexical/bags.ts";
import type { WordBytes } from "../lexical/terms.ts";

/** A folder as an embedding sees it: sorted words, and passages as bags of their numbers. */
export interface Corpus {
  readonly words: WordBytes;
  readonly bags: Bags;
}

/** A word of a query: folded bytes, how often it stands there, and its inverse document frequency. */
export interface QueryWord {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly idf: number;
}

/**
 * Makes vectors of passages and queries, so that the nearer two are in meaning or spelling, the larger is
 * the dot product of theirs. Vectors have unit length, or are zero where there is no word, or
 * where what the words add cancels out.
 */
export interface Embedder {
  /** Names the way in the index, so that it can be opened again. */
  readonly name: string;
  /** Elements of a vector. */
  readonly dims: number;
  /** What else the index must keep for {@linkcode embedQuery}, by name. */
  readonly state: Readonly<Record<string, Float32Array>>;
  /**
   * Learns from the whole folder before the first passage is embedded. An embedder that has this makes
   * each vector hang on every file: then a second run embeds all passages anew.
   */
  train?(corpus: Corpus): void;
  /** Writes the vector of passage `passage` of `corpus` to `out`, which has `dims` elements. */
  embedPassage(corpus: Corpus, passage: number, out: Float32Array): void;
  /** Writes the vector of a query to `out`. */
  embedQuery(words: readonly QueryWord[], out: Float32Array): void;
}
