/**
 * An embedding that learns nothing: each word falls, and its character 3-, 4- and 5-grams fall with weight
 * 0.3, on single elements of the vector with a sign, by hashes (Weinberger et al., "Feature Hashing for
 * Large Scale Multitask Learning", 2009). So words that are spelt alike share most of what they add.
 *
 * The weights are SMART's lnc.ltc: both sides take 1 + ln(count), but only the query multiplies by the
 * inverse document frequency. A passage's vector then depends on its own text alone, and an index brought
 * up to date is, byte for byte, the one made anew. On the passage's side the length of a word stands in for
 * its rarity.
 *
 * @module
 */
import type { Corpus, Embedder, QueryWord } from "./embedder.ts";
import { MAX_DIMS, MAX_FEATURES, writeFeatures } from "./features.ts";
import { ln } from "../logarithm.ts";
import type { WordBytes } from "../lexical/terms.ts";

const GRAM_WEIGHT = 0.3;
/** From this many bytes on a word of a passage counts in full, a shorter one in proportion. */
const FULL_WEIGHT_BYTES = 8;
/**
 * A vector shorter than this part of the weights that were added is what rounding left of their cancelling out:
 * its direction would depend on the order of the words. It is less than an element's last bit.
 */
const RESIDUE = 2 ** -24;

/** The features of words, those of word `i` in `features` from `starts[i]`, which is not 0, on: so many as `lengths[i]` says. */
export interface FeatureTable {
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint8Array<ArrayBuffer>;
  readonly features: Uint16Array<ArrayBuffer>;
}

/** Embeds by signed hashing of words and of their character n-grams. */
export class HashedEmbedder implements Embedder {
  readonly name = "hashed";
  readonly dims: number;
  readonly state: Readonly<Record<string, Float32Array>> = {};

  readonly #sums: Float64Array;
  /** The weights that went into the sums, without their signs. */
  #added = 0;
  readonly #logarithms = Float64Array.from({ length: 256 }, (_, count) => 1 + ln(count || 1));
  #features = new Uint16Array(1 << 14);
  #end = 0;
  /** The words whose features are kept, and where those of each start: 0 before they are asked for. */
  #words: WordBytes | undefined;
  #starts = new Uint32Array();
  #lengths = new Uint8Array();

  /** @throws {RangeError} where `dims` is not a whole number of 1 to 32,768. */
  constructor(dims = 1024) {
    if (!Number.isInteger(dims) || dims < 1 || dims > MAX_DIMS) {
      throw new RangeError(`dims is ${dims}, not a whole number of 1 to ${MAX_DIMS}`);
    }
    this.dims = dims;
    this.#sums = new Float64Array(dims);
  }

  /** Costs some 2 ns for each feature of each of its distinct words. */
  embedPassage({ words, bags }: Corpus, passage: number, out: Float32Array): void {
    if (words !== this.#words) this.#forget(words);
    this.#clear();
    for (let i = bags.starts[passage]; i < bags.starts[passage + 1]; i++) {
      const word = bags.words[i];
      const length = words.offsets[word + 1] - words.offsets[word];
      const weight = this.#logOf(bags.counts[i]) * Math.min(1, length / FULL_WEIGHT_BYTES);
      if (this.#starts[word] === 0) this.#remember(word, words);
      this.#add(weight, this.#starts[word], this.#lengths[word]);
    }
    this.#writeUnit(out);
  }

  embedQuery(words: readonly QueryWord[], out: Float32Array): void {
    this.#clear();
    for (const { bytes, count, idf } of words) {
      this.#makeRoom();
      const features = writeFeatures(bytes, 0, bytes.length, this.dims, this.#features, this.#end);
      this.#add(this.#logOf(count) * idf, this.#end, features);
    }
    this.#writeUnit(out);
  }

  #clear(): void {
    this.#sums.fill(0);
    this.#added = 0;
  }

  #logOf(count: number): number {
    return count < this.#logarithms.length ? this.#logarithms[count] : 1 + ln(count);
  }

  /**
   * Takes the features of all of `words` from a table, for passages whose words are these: they are not made again in
   * each thread.
   */
  useFeatures(words: WordBytes, { starts, lengths, features }: FeatureTable): void {
    this.#words = words;
    this.#starts = starts;
    this.#lengths = lengths;
    this.#features = features;
  }

  #forget(words: WordBytes): void {
    this.#words = words;
    this.#starts = new Uint32Array(words.offsets.length - 1);
    this.#lengths = new Uint8Array(words.offsets.length - 1);
    this.#features = new Uint16Array(1 << 14);
    this.#end = 1;
  }

  #remember(word: number, { bytes, offsets }: WordBytes): void {
    this.#makeRoom();
    const { dims } = this;
    const count = writeFeatures(bytes, offsets[word], offsets[word + 1], dims, this.#features, this.#end);
    this.#starts[word] = this.#end;
    this.#lengths[word] = count;
    this.#end += count;
  }

  #makeRoom(): void {
    if (this.#end + MAX_FEATURES <= this.#features.length) return;
    this.#features = new Uint16Array(this.#features.buffer.transfer(2 * this.#features.byteLength));
  }

  #add(weight: number, start: number, count: number): void {
    const features = this.#features;
    const sums = this.#sums;
    const word = features[start];
    sums[word >> 1] += (word & 1) === 0 ? weight : -weight;
    const signed = weight * GRAM_WEIGHT;
    this.#added += weight + signed * (count - 1);
    for (let i = start + 1; i < start + count; i++) {
      const feature = features[i];
      sums[feature >> 1] += signed * (1 - 2 * (feature & 1));
    }
  }

  #writeUnit(out: Float32Array): void {
    const sums = this.#sums;
    let squares = 0;
    for (let i = 0; i < sums.length; i++) squares += sums[i] * sums[i];
    const length = Math.sqrt(squares);
    if (length <= RESIDUE * this.#added) {
      out.fill(0);
      return;
    }
    const scale = 1 / length;
    for (let i = 0; i < sums.length; i++) out[i] = sums[i] * scale;
  }
}
