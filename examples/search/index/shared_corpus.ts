/**
 * A corpus in one map, which other threads adopt: its words, its bags, which of its passages are to be embedded, and
 * a table of all words' features, which those threads fill. The arrays lie one after another, each from a line of
 * the cache of its own on.
 *
 * @module
 */
import { Mmap } from "../../../lib/mem/mmap.ts";
import type { Corpus } from "../vectors/embedder.ts";
import { countFeatures } from "../vectors/features.ts";
import type { FeatureTable } from "../vectors/hashed_embedder.ts";

/** How many elements the arrays have. */
export interface CorpusSizes {
  /** Of all words together. */
  readonly bytes: number;
  readonly words: number;
  readonly passages: number;
  /** Words in all bags. */
  readonly bagged: number;
  /** Passages to be embedded. */
  readonly asked: number;
  /** Of all words together. */
  readonly features: number;
}

/** The arrays, as views of a map. */
export interface SharedCorpus extends Corpus {
  /** The passages that are to be embedded. */
  readonly asked: Uint32Array<ArrayBuffer>;
  readonly table: FeatureTable;
}

const LINE = 64;

/** Gives out places behind one another. */
class Places {
  end = 0;

  take(bytes: number): number {
    const start = this.end;
    this.end += Math.ceil(bytes / LINE) * LINE;
    return start;
  }
}

function placesOf(sizes: CorpusSizes) {
  const places = new Places();
  const { bytes, words, passages, bagged, asked, features } = sizes;
  const starts = {
    bytes: places.take(bytes),
    offsets: places.take(4 * (words + 1)),
    bagStarts: places.take(4 * (passages + 1)),
    bagWords: places.take(4 * bagged),
    bagCounts: places.take(2 * bagged),
    asked: places.take(4 * asked),
    featureStarts: places.take(4 * words),
    featureCounts: places.take(words),
    features: places.take(2 * features),
  };
  return { starts, end: places.end };
}

/** The arrays of a map that `shareCorpus` made. Valid until the map is disposed. */
export function corpusIn(map: Mmap<"write">, sizes: CorpusSizes): SharedCorpus {
  const { starts } = placesOf(sizes);
  const { bytes, words, passages, bagged, asked, features } = sizes;
  return {
    words: {
      bytes: map.view(Uint8Array, starts.bytes, bytes),
      offsets: map.view(Uint32Array, starts.offsets, words + 1),
    },
    bags: {
      starts: map.view(Uint32Array, starts.bagStarts, passages + 1),
      words: map.view(Uint32Array, starts.bagWords, bagged),
      counts: map.view(Uint16Array, starts.bagCounts, bagged),
    },
    asked: map.view(Uint32Array, starts.asked, asked),
    table: {
      starts: map.view(Uint32Array, starts.featureStarts, words),
      lengths: map.view(Uint8Array, starts.featureCounts, words),
      features: map.view(Uint16Array, starts.features, features),
    },
  };
}

/** Copies a corpus into a map of its own. The features have their places, and are still to be written. */
export function shareCorpus(
  { words, bags }: Corpus,
  asked: Uint32Array,
): { map: Mmap<"write">; sizes: CorpusSizes } {
  const count = words.offsets.length - 1;
  const lengths = new Uint8Array(count);
  // None has place 0, which stands for a word that has no features yet.
  let features = 1;
  for (let word = 0; word < count; word++) {
    lengths[word] = countFeatures(words.bytes, words.offsets[word], words.offsets[word + 1]);
    features += lengths[word];
  }
  const sizes = {
    bytes: words.bytes.length,
    words: count,
    passages: bags.starts.length - 1,
    bagged: bags.words.length,
    asked: asked.length,
    features,
  };
  const map = Mmap.anonymous(placesOf(sizes).end);
  const shared = corpusIn(map, sizes);
  shared.words.bytes.set(words.bytes);
  shared.words.offsets.set(words.offsets);
  shared.bags.starts.set(bags.starts);
  shared.bags.words.set(bags.words);
  shared.bags.counts.set(bags.counts);
  shared.asked.set(asked);
  shared.table.lengths.set(lengths);
  const { starts } = shared.table;
  let start = 1;
  for (let word = 0; word < count; word++) {
    starts[word] = start;
    start += lengths[word];
  }
  return { map, sizes };
}
