import type { TensorSource } from "../../../lib/formats/safetensors.ts";
import type { Batch } from "./batch.ts";
import type { Crew } from "./crew.ts";
import { BagCollector } from "../lexical/bags.ts";
import type { Corpus, Embedder } from "../vectors/embedder.ts";
import { hashOf } from "../hash.ts";
import { inverseFrequency } from "../lexical/lexicon.ts";
import { invert, type Postings, revert } from "../lexical/postings.ts";
import type { PreviousIndex } from "./previous_index.ts";
import { sortWords } from "../lexical/sort_words.ts";
import type { WordBytes } from "../lexical/terms.ts";
import { Vocabulary } from "../lexical/vocabulary.ts";

/** Rows of the matrix that are written at once. */
const ROWS_AT_ONCE = 128;
/** Of a passage that is in no previous index. */
const NEW = -1;

/** A batch, and by each of its words the number that the word has in the index that is made. */
export interface NumberedBatch extends Batch {
  readonly numbers: Uint32Array;
}

/** Collects files, in the order of their paths, and turns them into the arrays of an index. */
export class IndexBuilder {
  readonly #paths: string[] = [];
  readonly #digests: Uint8Array[] = [];
  readonly #firstPassages: number[] = [];
  readonly #offsets: number[] = [0];
  readonly #lines: number[] = [];
  readonly #lengths: number[] = [];
  /** By passage: which one it was in the previous index, or {@linkcode NEW}. */
  readonly #sources: number[] = [];
  readonly #vocabulary = new Vocabulary();
  readonly #bags = new BagCollector();
  /** By term of the previous index: its word's number here plus 1, or 0 before it is met. */
  #wordsOfTerms = new Uint32Array();
  #wordCount = 0;

  get fileCount(): number {
    return this.#paths.length;
  }

  get passageCount(): number {
    return this.#lengths.length;
  }

  /** The words of all passages. */
  get wordCount(): number {
    return this.#wordCount;
  }

  /** Takes in a file of a batch, whose words have got their numbers. */
  addFile(path: string, batch: NumberedBatch, file: number): void {
    const { bytes, lines, lengths, bags, files } = batch;
    this.#startFile(path, files[file].digest);
    const first = file === 0 ? 0 : files[file - 1].passageEnd;
    for (let passage = first; passage < files[file].passageEnd; passage++) {
      this.#bags.addAll(bags, bags.starts[passage], bags.starts[passage + 1], batch.numbers);
      this.#endPassage(bytes[passage], lines[2 * passage], lines[2 * passage + 1], lengths[passage], NEW);
    }
  }

  /** Gives the words of a batch their numbers here. Costs a look for each distinct word. */
  number(batch: Batch): NumberedBatch {
    const { bytes, offsets } = batch.words;
    const numbers = new Uint32Array(offsets.length - 1);
    for (let word = 0; word < numbers.length; word++) {
      const start = offsets[word];
      const end = offsets[word + 1];
      numbers[word] = this.#vocabulary.add(bytes, start, end - start, hashOf(bytes, start, end));
    }
    return { ...batch, numbers };
  }

  /** Takes in a file as the previous index has it, and returns its text. */
  keepFile(path: string, previous: PreviousIndex, file: number): Uint8Array {
    const { index, bags } = previous;
    this.#startFile(path, previous.digest(file));
    if (this.#wordsOfTerms.length === 0) this.#wordsOfTerms = new Uint32Array(index.terms.size);
    const first = index.files.passages[file];
    const end = index.files.passages[file + 1];
    for (let passage = first; passage < end; passage++) {
      for (let i = bags.starts[passage]; i < bags.starts[passage + 1]; i++) {
        this.#bags.add(this.#wordOf(bags.words[i], index.terms), bags.counts[i]);
      }
      const bytes = index.offsets[passage + 1] - index.offsets[passage];
      const { lines, lengths } = index;
      this.#endPassage(bytes, lines[2 * passage], lines[2 * passage + 1], lengths[passage], passage);
    }
    return index.text(first, end);
  }

  #startFile(path: string, digest: Uint8Array): void {
    this.#paths.push(path);
    this.#digests.push(digest);
    this.#firstPassages.push(this.passageCount);
  }

  #endPassage(bytes: number, firstLine: number, lastLine: number, words: number, source: number): void {
    this.#bags.close();
    this.#offsets.push(this.#offsets[this.passageCount] + bytes);
    this.#lines.push(firstLine, lastLine);
    this.#lengths.push(words);
    this.#sources.push(source);
    this.#wordCount += words;
  }

  #wordOf(term: number, { bytes, offsets }: WordBytes): number {
    if (this.#wordsOfTerms[term] === 0) {
      const start = offsets[term];
      const end = offsets[term + 1];
      this.#wordsOfTerms[term] = 1 +
        this.#vocabulary.add(bytes, start, end - start, hashOf(bytes, start, end));
    }
    return this.#wordsOfTerms[term] - 1;
  }

  /** The arrays of the index. The matrix is made while it is read, but for the rows that `previous` has. */
  tensors(
    embedder: Embedder,
    previous: PreviousIndex | undefined,
    crew: Crew,
  ): Record<string, TensorSource> {
    const order = sortWords(this.#vocabulary, "forwards");
    const words = reordered(this.#vocabulary, order);
    const postings = invert(this.#bags, order);
    const corpus = { words, bags: revert(postings, this.passageCount) };
    embedder.train?.(corpus);
    const kept = embedder.train ? undefined : previous?.index.matrix;
    const paths = concatenated(this.#paths.map((path) => encoder.encode(path)));
    const state = Object.entries(embedder.state).map(([name, data]) => [`embedder.${name}`, f32(data)]);
    return {
      matrix: {
        dtype: "F32",
        shape: [this.passageCount, embedder.dims],
        data: this.#rows(embedder, corpus, kept, crew),
      },
      "passages.offset": {
        dtype: "F64",
        shape: [this.#offsets.length],
        data: Float64Array.from(this.#offsets),
      },
      "passages.lines": u32(this.#lines),
      "passages.words": u32(this.#lengths),
      "files.path": u8(paths.bytes),
      "files.path_offset": u32(paths.offsets),
      "files.digest": u8(concatenated(this.#digests).bytes),
      "files.passage": u32([...this.#firstPassages, this.passageCount]),
      "terms.word": u8(words.bytes),
      "terms.word_offset": u32(words.offsets),
      "terms.backwards": u32(sortWords(words, "backwards")),
      "terms.idf": f32(idfOf(postings, this.passageCount)),
      "postings.offset": u32(postings.offsets),
      "postings.passage": u32(postings.passages),
      "postings.count": { dtype: "U16", shape: [postings.counts.length], data: postings.counts },
      ...Object.fromEntries(state),
    };
  }

  /** The rows of the matrix in pieces, each valid until the next is asked for. */
  *#rows(
    embedder: Embedder,
    corpus: Corpus,
    kept: Float32Array | undefined,
    crew: Crew,
  ): Iterable<Float32Array> {
    const { dims } = embedder;
    const isNew = (passage: number) => kept === undefined || this.#sources[passage] === NEW;
    const passages = Uint32Array.from(this.#sources.keys()).filter(isNew);
    using made = crew.embed(embedder, corpus, passages);
    const rows = new Float32Array(ROWS_AT_ONCE * dims);
    let count = 0;
    for (let passage = 0; passage < this.passageCount; passage++) {
      const source = this.#sources[passage];
      const row = rows.subarray(count * dims, (count + 1) * dims);
      if (kept === undefined || source === NEW) made.next(row);
      else row.set(kept.subarray(source * dims, (source + 1) * dims));
      if (++count < ROWS_AT_ONCE) continue;
      yield rows;
      count = 0;
    }
    yield rows.subarray(0, count * dims);
  }
}

const encoder = new TextEncoder();

function reordered({ bytes, offsets }: WordBytes, order: Uint32Array): WordBytes {
  const sorted = { bytes: new Uint8Array(bytes.length), offsets: new Uint32Array(offsets.length) };
  for (let i = 0; i < order.length; i++) {
    const start = sorted.offsets[i];
    const from = offsets[order[i]];
    const end = offsets[order[i] + 1];
    for (let at = from; at < end; at++) sorted.bytes[start + at - from] = bytes[at];
    sorted.offsets[i + 1] = start + end - from;
  }
  return sorted;
}

function concatenated(pieces: readonly Uint8Array[]): WordBytes {
  const offsets = new Uint32Array(pieces.length + 1);
  pieces.forEach((piece, i) => offsets[i + 1] = offsets[i] + piece.length);
  const bytes = new Uint8Array(offsets[pieces.length]);
  pieces.forEach((piece, i) => bytes.set(piece, offsets[i]));
  return { bytes, offsets };
}

function idfOf({ offsets }: Postings, passages: number): Float32Array {
  return Float32Array.from(
    { length: offsets.length - 1 },
    (_, term) => inverseFrequency(offsets[term + 1] - offsets[term], passages),
  );
}

function u8(data: Uint8Array): TensorSource {
  return { dtype: "U8", shape: [data.length], data };
}

function u32(data: ArrayLike<number>): TensorSource {
  return { dtype: "U32", shape: [data.length], data: Uint32Array.from(data) };
}

function f32(data: Float32Array): TensorSource {
  return { dtype: "F32", shape: [data.length], data };
}
