import { Mmap } from "../../../lib/mem/mmap.ts";
import { job, type JobHandle, type Pool } from "../../../lib/task/pool.ts";
import type { Corpus } from "../vectors/embedder.ts";
import type { Rows } from "./crew.ts";
import type { SharedWork } from "./embed_job.ts";
import { shareCorpus } from "./shared_corpus.ts";

const WORK = new URL("./embed_job.ts", import.meta.url);
const SPELL = job<typeof import("./embed_job.ts"), "spellWords">(WORK, "spellWords");
const EMBED = job<typeof import("./embed_job.ts"), "embedPassages">(WORK, "embedPassages");

/** Passages of a job, where nothing is said. */
const PASSAGES = 64;
/** Jobs that each thread has in each half of the window. */
const JOBS = 4;
/** Words of a job: their features are made within milliseconds. */
const WORDS = 8192;

/** One half of the window. */
interface Half {
  /** Its first row in the window. */
  readonly row: number;
  /** The passage of its first row, and how many it has. */
  first: number;
  count: number;
  jobs: JobHandle<void>[];
}

/**
 * The vectors of a corpus's passages, by the threads of a pool: these write them into a window of two halves, of which
 * one is filled while the other is read.
 */
export class PooledRows implements Rows {
  readonly #pool: Pool;
  readonly #work: SharedWork;
  readonly #corpus: Mmap<"write">;
  readonly #window: Mmap<"write">;
  readonly #vectors: Float32Array<ArrayBuffer>;
  readonly #step: number;
  readonly #rows: number;
  readonly #count: number;
  #halves: [Half, Half];
  /** The passage that is next, and the first that no job was given. */
  #next = 0;
  #given = 0;

  constructor(
    pool: Pool,
    threads: number,
    corpus: Corpus,
    passages: Uint32Array,
    dims: number,
    passagesOfJob: number = PASSAGES,
  ) {
    this.#pool = pool;
    this.#step = passagesOfJob;
    this.#rows = threads * JOBS * passagesOfJob;
    this.#count = passages.length;
    const { map, sizes } = shareCorpus(corpus, passages);
    this.#corpus = map;
    this.#window = Mmap.anonymous(2 * this.#rows * 4 * dims);
    this.#work = {
      name: crypto.randomUUID(),
      corpus: map.share(),
      rows: this.#window.share(),
      sizes,
      dims,
    };
    this.#vectors = this.#window.view(Float32Array, 0, 2 * this.#rows * dims);
    this.#spell(sizes.words);
    this.#halves = [this.#fill(0), this.#fill(this.#rows)];
  }

  /** The features of all words are there when it is back. */
  #spell(words: number): void {
    const spelling: JobHandle<void>[] = [];
    for (let first = 0; first < words; first += WORDS) {
      spelling.push(this.#pool.run(SPELL, this.#work, first, Math.min(first + WORDS, words)));
    }
    for (const handle of spelling) handle.waitSync();
  }

  /** Has the half that begins at `row` filled. */
  #fill(row: number): Half {
    const first = this.#given;
    const end = Math.min(first + this.#rows, this.#count);
    const jobs: JobHandle<void>[] = [];
    for (let at = first; at < end; at += this.#step) {
      const to = Math.min(at + this.#step, end);
      jobs.push(this.#pool.run(EMBED, this.#work, at, to, row + at - first));
    }
    this.#given = end;
    return { row, first, count: end - first, jobs };
  }

  next(out: Float32Array): void {
    const [half, other] = this.#halves;
    for (const handle of half.jobs.splice(0)) handle.waitSync();
    const row = half.row + this.#next - half.first;
    out.set(this.#vectors.subarray(row * this.#work.dims, (row + 1) * this.#work.dims));
    if (++this.#next === half.first + half.count) this.#halves = [other, this.#fill(half.row)];
  }

  [Symbol.dispose](): void {
    for (const { jobs } of this.#halves) for (const handle of jobs) handle.cancel();
    this.#window[Symbol.dispose]();
    this.#corpus[Symbol.dispose]();
  }
}
