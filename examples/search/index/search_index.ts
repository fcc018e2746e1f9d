/**
 * Answers queries over a mapped index: the product of the queries' vectors and the matrix, fused with BM25,
 * and of that the exact best.
 *
 * A batch of queries is one product for each block of rows. Its results differ in their last bits from one
 * BLAS to the next, so they only choose candidates, with room for that error; candidates are then scored
 * again in one fixed order. So the ranking is the same on every backend and host, ties and all.
 *
 * @module
 */
import { Blas } from "../../../lib/blas/mod.ts";
import type { Embedder, QueryWord } from "../vectors/embedder.ts";
import { HashedEmbedder } from "../vectors/hashed_embedder.ts";
import { IndexError, IndexFile, locateIndex } from "./index_file.ts";
import { Lexicon } from "../lexical/lexicon.ts";
import { partition } from "../partition.ts";
import { checkQuery, type CountedWord, wordsOf } from "../text/query.ts";
import { TopK } from "./top_k.ts";

export { checkQuery } from "../text/query.ts";

/** A passage that answers a query. */
export interface Hit {
  /** Its file's path, below the folder that was indexed. */
  readonly file: string;
  /** Its first and last line, from 1. */
  readonly lines: [from: number, to: number];
  /** Above 0, and 1 at most. */
  readonly score: number;
  /** Its text, without the blank lines at either end. */
  readonly text: string;
}
/** Opens an embedder from the index: `state` reads what it kept, by name. */
export type EmbedderOpener = (dims: number, state: (name: string) => Float32Array) => Embedder;

/** How an index is opened. */
export interface SearchOptions {
  /** What multiplies. Where nothing is said, one is opened when it is needed: see {@linkcode SearchIndex}. */
  readonly blas?: Blas;
  /** By their names in an index, besides `hashed`. */
  readonly embedders?: Readonly<Record<string, EmbedderOpener>>;
  /** What the words that a passage shares, and the nearness of its vector, count for: 0.75 and 0.25. */
  readonly weights?: { readonly lexical: number; readonly vector: number };
}

/** Products of fewer rows are done before a BLAS would be loaded. */
const FEW_ROWS = 20_000;
/** Elements of a product that are made at once: 2 MiB, so that they are still in the cache when they are read. */
const BLOCK = 2 ** 19;
/** Elements of lexical scores that are kept at once: 64 MiB. A larger batch goes in parts. */
const MOST_SCORES = 2 ** 24;

/**
 * A mapped index. Without a `blas` of the caller's, small products are done by the portable backend, and
 * from 20,000 rows on the best that is installed is loaded.
 */
export class SearchIndex implements Disposable {
  readonly #file: IndexFile;
  readonly #embedder: Embedder;
  readonly #lexicon: Lexicon;
  readonly #weights: { readonly lexical: number; readonly vector: number };
  readonly #givenBlas: Blas | undefined;
  #scores = new Float32Array();
  #isDisposed = false;
  #portable: Blas | undefined;
  #best: Blas | undefined;

  private constructor(file: IndexFile, embedder: Embedder, { blas, weights }: SearchOptions) {
    this.#file = file;
    this.#embedder = embedder;
    const meanLength = file.wordCount / file.passageCount;
    this.#lexicon = new Lexicon(file.terms, file.postings, file.idf, file.lengths, meanLength);
    this.#weights = weights ?? { lexical: 0.75, vector: 0.25 };
    this.#givenBlas = blas;
  }

  /**
   * Maps the index of `folder`, or the one that is in it. Reads nothing yet: the cost hangs on no size.
   *
   * @throws {IndexError} where there is none, it is damaged, or it is of another version.
   */
  static open(folder: string, options: SearchOptions = {}): SearchIndex {
    const file = IndexFile.open(locateIndex(folder));
    try {
      return new SearchIndex(file, openEmbedder(file, folder, options), options);
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** How many passages it holds. */
  get passages(): number {
    return this.#file.passageCount;
  }

  /** A passage's text as its file has it. Throws a `RangeError` where there is no such passage. */
  text(passage: number): string {
    if (!Number.isInteger(passage) || passage < 0 || passage >= this.passages) {
      throw new RangeError(`passage is ${passage}, not a whole number from 0 to ${this.passages - 1}`);
    }
    return decoder.decode(this.#file.text(passage, passage + 1));
  }

  /** The backend that multiplies for `queries` at once, opened if it was not. */
  backend(queries = 1): Blas {
    if (this.#givenBlas) return this.#givenBlas;
    if (queries * this.passages < FEW_ROWS) {
      return this.#best ?? (this.#portable ??= Blas.open({ backend: "portable" }));
    }
    return this.#best ??= Blas.open();
  }

  /**
   * The `k` best passages for each of `queries`, best first, ties in the order of the files; fewer where
   * fewer have anything in common with it. Reads the whole matrix once, however many the queries.
   *
   * @throws {RangeError} where a query has no words or is too long, or `k` is not a whole number from 1 up.
   */
  search(queries: readonly string[], k = 10): Hit[][] {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`k is ${k}, not a whole number of 1 or more`);
    if (this.#isDisposed) throw new Error("cannot search: the index was disposed");
    const words = queries.map((query) => wordsOf(checkQuery(query)));
    const atOnce = Math.max(1, Math.floor(MOST_SCORES / this.passages));
    const hits: Hit[][] = [];
    for (let first = 0; first < words.length; first += atOnce) {
      hits.push(...this.#searchTogether(words.slice(first, first + atOnce), Math.min(k, this.passages)));
    }
    return hits;
  }

  #searchTogether(queries: readonly CountedWord[][], k: number): Hit[][] {
    const { passages } = this;
    const { matrix, dims } = this.#file;
    const vectors = new Float32Array(queries.length * dims);
    const lexical = this.#zeros(queries.length * passages);
    queries.forEach((words, q) => {
      this.#embedder.embedQuery(this.#withIdf(words), vectors.subarray(q * dims, (q + 1) * dims));
      this.#lexicon.score(words, lexical.subarray(q * passages, (q + 1) * passages));
    });
    const tops = queries.map(() => new TopK(k, this.#slack));
    const most = Math.min(passages, Math.max(1, Math.floor(BLOCK / queries.length)));
    const cosines = new Float32Array(queries.length * most);
    const blas = this.backend(queries.length);
    for (let first = 0; first < passages; first += most) {
      const rows = Math.min(most, passages - first);
      const b = matrix.subarray(first * dims, (first + rows) * dims);
      blas.sgemm({ m: queries.length, n: rows, k: dims, transB: true, a: vectors, b, c: cosines });
      tops.forEach((top, q) => {
        const words = lexical.subarray(q * passages + first, q * passages + first + rows);
        this.#offer(top, first, words, cosines.subarray(q * rows, (q + 1) * rows));
      });
    }
    return tops.map((top, q) => {
      const vector = vectors.subarray(q * dims, (q + 1) * dims);
      const best = top.best((passage) =>
        this.#weights.lexical * lexical[q * passages + passage] +
        this.#weights.vector * dot(vector, matrix, passage * dims)
      );
      return best.map(({ item, score }) => this.#hit(item, score));
    });
  }

  /** Offers the passages from `first` on, with their scores at `words` and `vectors`. Costs some 2 ns for each. */
  #offer(top: TopK, first: number, words: Float32Array, vectors: Float32Array): void {
    const { lexical, vector } = this.#weights;
    let { threshold } = top;
    for (let row = 0; row < vectors.length; row++) {
      const score = lexical * words[row] + vector * vectors[row];
      if (score < threshold) continue;
      top.offer(first + row, score);
      threshold = top.threshold;
    }
  }

  /** Twice the most that a product of unit vectors in float32 can be wrong by, in any order of its additions. */
  get #slack(): number {
    return 2 * this.#weights.vector * this.#file.dims * 2 ** -23;
  }

  /** So many zeros, in memory that each search uses again. */
  #zeros(length: number): Float32Array<ArrayBuffer> {
    if (this.#scores.length < length) this.#scores = new Float32Array(length);
    return this.#scores.subarray(0, length).fill(0);
  }

  #withIdf(words: readonly CountedWord[]): QueryWord[] {
    return words.map(({ bytes, count }) => ({ bytes, count, idf: this.#lexicon.idfOf(bytes) }));
  }

  #hit(passage: number, score: number): Hit {
    const { fileCount, files, lines } = this.#file;
    const file = partition(fileCount, (i) => files.passages[i] <= passage) - 1;
    const text = decoder.decode(withoutBlankEnds(this.#file.text(passage, passage + 1)));
    return { file: this.#file.path(file), lines: [lines[2 * passage], lines[2 * passage + 1]], score, text };
  }

  /** Unmaps the index. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#file[Symbol.dispose]();
    this.#portable?.[Symbol.dispose]();
    this.#best?.[Symbol.dispose]();
  }
}

const decoder = new TextDecoder();
const LINE_FEED = 10;

function openEmbedder(file: IndexFile, folder: string, { embedders }: SearchOptions): Embedder {
  if (file.embedder === "hashed") return new HashedEmbedder(file.dims);
  const open = embedders?.[file.embedder];
  if (open) return open(file.dims, (name) => file.state(name));
  throw new IndexError(
    `the index of ${folder} was made by the embedder "${file.embedder}", which is not known here: ` +
      "make it again with `search index`",
  );
}

/** In one order of additions, and in float64: the same on every host. */
function dot(vector: Float32Array, matrix: Float32Array, start: number): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * matrix[start + i];
  return sum;
}

function withoutBlankEnds(text: Uint8Array): Uint8Array {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end--;
  let start = 0;
  for (let i = 0; i < end && isBlank(text[i]); i++) {
    if (text[i] === LINE_FEED) start = i + 1;
  }
  return text.subarray(start, end);
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
