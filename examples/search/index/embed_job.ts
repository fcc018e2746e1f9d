/**
 * What the threads of a pool do with a corpus in a map: they write the features of its words, and then the vectors of
 * its passages, each a range of them. A thread keeps the maps that it had last, by the name that they were given: to map
 * them for each job would cost a fault for each page of what it writes, and an interrupt of all threads at its end.
 *
 * @module
 */
import process from "node:process";
import { type MapHandle, Mmap } from "../../../lib/mem/mmap.ts";
import { writeFeatures } from "../vectors/features.ts";
import { HashedEmbedder } from "../vectors/hashed_embedder.ts";
import { corpusIn, type CorpusSizes, type SharedCorpus } from "./shared_corpus.ts";

/** A corpus, and where its vectors go, for the threads that embed it. */
export interface SharedWork {
  /** Tells it from any other. */
  readonly name: string;
  readonly corpus: MapHandle;
  /** Rows of `dims` numbers, of which each job is told where its own begin. */
  readonly rows: MapHandle;
  readonly sizes: CorpusSizes;
  readonly dims: number;
}

interface Kept {
  readonly name: string;
  readonly maps: DisposableStack;
  readonly corpus: SharedCorpus;
  readonly rows: Float32Array<ArrayBuffer>;
  readonly embedder: HashedEmbedder;
}

let kept: Kept | undefined;
// The maps would stay for as long as the process, which the thread may end before.
process.once("exit", drop);

function keptFor({ name, corpus: corpusHandle, rows: rowsHandle, sizes, dims }: SharedWork): Kept {
  if (kept?.name === name) return kept;
  drop();
  using adopted = new DisposableStack();
  const corpusMap = adopted.use(Mmap.adopt(corpusHandle, { mode: "r+" }));
  const corpus = corpusIn(corpusMap, sizes);
  const rowsMap = adopted.use(Mmap.adopt(rowsHandle, { mode: "r+" }));
  const rows = rowsMap.view(Float32Array, 0, rowsMap.byteLength / Float32Array.BYTES_PER_ELEMENT);
  const embedder = new HashedEmbedder(dims);
  embedder.useFeatures(corpus.words, corpus.table);
  return kept = { name, maps: adopted.move(), corpus, rows, embedder };
}

function drop(): void {
  kept?.maps[Symbol.dispose]();
  kept = undefined;
}

/** Writes the features of the words from `first` up to, but without, `end`. */
export function spellWords(work: SharedWork, first: number, end: number): void {
  const { corpus: { words: { bytes, offsets }, table: { starts, features } } } = keptFor(work);
  for (let word = first; word < end; word++) {
    writeFeatures(bytes, offsets[word], offsets[word + 1], work.dims, features, starts[word]);
  }
}

/** Writes the vectors of the asked passages from `first` up to, but without, `end`, to row `row` and on. */
export function embedPassages(work: SharedWork, first: number, end: number, row: number): void {
  const { corpus, embedder, rows } = keptFor(work);
  const { dims } = work;
  for (let i = first; i < end; i++) {
    const at = dims * (row + i - first);
    embedder.embedPassage(corpus, corpus.asked[i], rows.subarray(at, at + dims));
  }
}
