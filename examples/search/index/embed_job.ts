/**
 * What the threads of a pool do with a corpus in a map: they write the features of its words, and then the vectors of
 * its passages, each a range of them. A thread keeps the corpus that it had last, by the name that it was given.
 *
 * @module
 */
import type { Mmap } from "../../../lib/mem/mmap.ts";
import { writeFeatures } from "../vectors/features.ts";
import { HashedEmbedder } from "../vectors/hashed_embedder.ts";
import { corpusIn, type CorpusSizes, type SharedCorpus } from "./shared_corpus.ts";

/** A corpus, for the threads that embed it. */
export interface SharedWork {
  /** Tells it from any other. */
  readonly name: string;
  readonly map: Mmap<"write">;
  readonly sizes: CorpusSizes;
  readonly dims: number;
}

interface Kept {
  readonly work: SharedWork;
  readonly corpus: SharedCorpus;
  readonly embedder: HashedEmbedder;
}

let kept: Kept | undefined;

/** Each job is given a map of its own, of which the first is kept. */
function keptFor(work: SharedWork): Kept {
  if (kept?.work.name === work.name) {
    if (kept.work.map !== work.map) work.map[Symbol.dispose]();
    return kept;
  }
  kept?.work.map[Symbol.dispose]();
  const corpus = corpusIn(work.map, work.sizes);
  const embedder = new HashedEmbedder(work.dims);
  embedder.useFeatures(corpus.words, corpus.table);
  return kept = { work, corpus, embedder };
}

/** Writes the features of the words from `first` up to, but without, `end`. */
export function spellWords(work: SharedWork, first: number, end: number): void {
  const { corpus: { words: { bytes, offsets }, table: { starts, features } } } = keptFor(work);
  for (let word = first; word < end; word++) {
    writeFeatures(bytes, offsets[word], offsets[word + 1], work.dims, features, starts[word]);
  }
}

/** Writes the vectors of the asked passages from `first` up to, but without, `end`, to row `row` of `rows` and on. */
export function embedPassages(
  work: SharedWork,
  first: number,
  end: number,
  rows: Mmap<"write">,
  row: number,
): void {
  using map = rows;
  const { corpus, embedder } = keptFor(work);
  const { dims } = work;
  const vectors = map.view(Float32Array, 4 * dims * row, dims * (end - first));
  for (let i = first; i < end; i++) {
    const out = vectors.subarray(dims * (i - first), dims * (i + 1 - first));
    embedder.embedPassage(corpus, corpus.asked[i], out);
  }
}
