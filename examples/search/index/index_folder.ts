/**
 * Makes the index of a folder, or brings it up to date.
 *
 * Files go through in the order of their paths: cut into passages, their words counted, their text appended
 * to the text file. A file that an index of the same kind holds already, by size and time or by its digest,
 * is taken from there, words and vectors too. When the words are known they are sorted, and the bags turned
 * into postings; vectors are made last, while the matrix is being written, so that it is never in memory.
 *
 * The outcome depends on the files alone: brought up to date or made anew, on whatever host, it is the same
 * bytes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { AskedFile, Batch } from "./batch.ts";
import { type Crew, openCrew } from "./crew.ts";
import type { Embedder } from "../vectors/embedder.ts";
import { HashedEmbedder } from "../vectors/hashed_embedder.ts";
import { indexChecksum } from "./checksum.ts";
import { IndexBuilder, type NumberedBatch } from "./index_builder.ts";
import { FOLDER_NAME, FORMAT, VERSION } from "./index_file.ts";
import { IndexWriter, turn } from "./index_writer.ts";
import { PreviousIndex } from "./previous_index.ts";
import type { Skip } from "../files/read_text.ts";
import { SeenFiles } from "../files/seen_files.ts";
import { type FoundFile, walk } from "../files/walk.ts";

/** How a folder is indexed. */
export interface IndexOptions {
  /** Where the index goes: `.oxbow` in the folder, where nothing is said. */
  readonly out?: string;
  /** What makes the vectors: hashing into 1,024 elements, where nothing is said. */
  readonly embedder?: Embedder;
  /**
   * How many threads read and embed: as many as there are cores, where nothing is said. What takes one a fraction of
   * a second anyway is done by this one; an `embedder` that is no `HashedEmbedder` embeds on this one.
   */
  readonly threads?: number;
  /** Abandons the run: the old index stays as it was. */
  readonly signal?: AbortSignal;
  /** Told now and then how far the files' bytes are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a run did. */
export interface IndexReport {
  /** Where the index is. */
  readonly folder: string;
  /** The files and passages in it. */
  readonly files: number;
  readonly passages: number;
  /** Files that were read and embedded, and their bytes. */
  readonly embedded: number;
  readonly embeddedBytes: number;
  /** Files that were taken over from the index before. */
  readonly kept: number;
  /** Files of the index before that are no longer there, or no longer text. */
  readonly gone: number;
  /** Files that are not in the index, by why. */
  readonly skipped: Readonly<Record<Skip, number>>;
}

/** In bytes: what can be mapped as one array on every host. */
const LARGEST_MATRIX = 2 ** 32;
/** The loop of the host gets a turn after so many milliseconds of work. */
const WORK = 50;

/**
 * Makes the index of the text files below `folder`, or brings it up to date. Costs a read of the files that
 * have changed; the other files' part is copied.
 *
 * @throws {Error} where `folder` is not there, cannot be read, or holds no text: the old index stays.
 * @throws {IndexError} where the index cannot be written, or another process is writing it.
 */
export async function indexFolder(folder: string, options: IndexOptions = {}): Promise<IndexReport> {
  const { out = join(folder, FOLDER_NAME), embedder = new HashedEmbedder(), signal, onProgress } = options;
  const { threads = availableParallelism() } = options;
  if (!(Number.isInteger(threads) && threads > 0)) {
    throw new RangeError(`cannot index ${folder}: threads is ${threads}, not a whole number of 1 or more`);
  }
  signal?.throwIfAborted();
  const { files, unreadable } = walk(folder, out);
  using previous = PreviousIndex.open(out, embedder);
  using run = new Run(folder, out, embedder, previous);
  run.skipped.unreadable += unreadable;
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const asked = run.asked(files);
  await using crew = await openCrew(threads, asked);
  const batches = crew.read(folder, asked);
  let done = 0;
  let worked = performance.now();
  let batch: NumberedBatch | undefined;
  let place = 0;
  for (const file of files) {
    if (performance.now() - worked > WORK) {
      onProgress?.(done, total);
      await turn();
      signal?.throwIfAborted();
      worked = performance.now();
    }
    if (!run.keep(file)) {
      if (batch === undefined || place === batch.files.length) {
        const { value } = await batches.next();
        signal?.throwIfAborted();
        if (value === undefined) throw new Error(`cannot index ${folder}: ${file.path} was not read`);
        batch = run.number(value);
        place = 0;
      }
      run.take(file, batch, place++);
    }
    done += file.size;
  }
  onProgress?.(total, total);
  return await run.finish(crew, signal);
}

/** One making of an index. */
class Run implements Disposable {
  readonly skipped = { binary: 0, large: 0, changed: 0, unreadable: 0 };
  readonly #folder: string;
  readonly #out: string;
  readonly #embedder: Embedder;
  readonly #previous: PreviousIndex | undefined;
  readonly #writer: IndexWriter;
  readonly #builder = new IndexBuilder();
  /** Of the paths and contents of all files. */
  readonly #digest = createHash("sha256");
  readonly #taken: FoundFile[] = [];
  /** By path: which file it was in the index before, of those that are known not to have changed. */
  readonly #unchanged: Map<string, number> = new Map();
  #kept = 0;
  #replaced = 0;
  #embeddedBytes = 0;

  constructor(folder: string, out: string, embedder: Embedder, previous: PreviousIndex | undefined) {
    this.#folder = folder;
    this.#out = out;
    this.#embedder = embedder;
    this.#previous = previous;
    this.#writer = new IndexWriter(out);
  }

  /** Those of the files that are to be read: by what is seen of the others they are as they were. */
  asked(files: readonly FoundFile[]): AskedFile[] {
    const previous = this.#previous;
    const asked: AskedFile[] = [];
    for (const file of files) {
      const unchanged = previous?.findUnchanged(file);
      if (unchanged !== undefined) {
        this.#unchanged.set(file.path, unchanged);
        continue;
      }
      const before = previous?.find(file.path);
      asked.push({ ...file, digest: before === undefined ? undefined : previous?.digest(before).slice() });
    }
    return asked;
  }

  /** Takes a file over from the index before, where that needs no look into it. */
  keep(found: FoundFile): boolean {
    const unchanged = this.#unchanged.get(found.path);
    if (this.#previous === undefined || unchanged === undefined) return false;
    this.#keep(found, this.#previous, unchanged);
    return true;
  }

  number(batch: Batch): NumberedBatch {
    return this.#builder.number(batch);
  }

  /** Puts a file that was read into the index, or counts why not. */
  take(found: FoundFile, batch: NumberedBatch, place: number): void {
    const { outcome, digest, bytes, textEnd } = batch.files[place];
    if (outcome !== "new" && outcome !== "same") {
      this.skipped[outcome]++;
      return;
    }
    const before = this.#previous?.find(found.path);
    if (this.#previous && before !== undefined) {
      if (outcome === "same") return this.#keep(found, this.#previous, before);
      this.#replaced++;
    }
    this.#embeddedBytes += bytes;
    this.#builder.addFile(found.path, batch, place);
    const textStart = place === 0 ? 0 : batch.files[place - 1].textEnd;
    this.#add(found, digest, batch.text.subarray(textStart, textEnd));
  }

  #keep(found: FoundFile, previous: PreviousIndex, file: number): void {
    this.#kept++;
    this.#add(found, previous.digest(file), this.#builder.keepFile(found.path, previous, file));
  }

  #add(found: FoundFile, digest: Uint8Array, text: Uint8Array): void {
    const most = Math.floor(LARGEST_MATRIX / (4 * this.#embedder.dims));
    if (this.#builder.passageCount > most) {
      throw new Error(
        `cannot index ${this.#folder}: it has more than the ${most} passages that an index holds; ` +
          "index its folders one by one",
      );
    }
    this.#taken.push(found);
    this.#digest.update(`${found.path}\0`).update(digest);
    this.#writer.appendText(text);
  }

  async finish(crew: Crew, signal: AbortSignal | undefined): Promise<IndexReport> {
    const builder = this.#builder;
    const gone = (this.#previous?.index.fileCount ?? 0) - this.#kept - this.#replaced;
    const report = {
      folder: this.#out,
      files: builder.fileCount,
      passages: builder.passageCount,
      embedded: builder.fileCount - this.#kept,
      embeddedBytes: this.#embeddedBytes,
      kept: this.#kept,
      gone,
      skipped: this.skipped,
    };
    if (report.passages === 0) throw this.#empty();
    const textName = `passages-${this.#digest.digest("hex").slice(0, 16)}.txt`;
    if (report.embedded > 0 || gone > 0 || this.#previous === undefined) {
      const tensors = builder.tensors(this.#embedder, this.#previous, crew);
      const metadata = {
        format: FORMAT,
        version: String(VERSION),
        embedder: this.#embedder.name,
        words: String(builder.wordCount),
      };
      await this.#writer.commit(textName, tensors, metadata, signal);
    }
    SeenFiles.write(this.#out, indexChecksum(this.#out, textName), this.#taken, this.#writer.start);
    return report;
  }

  #empty(): Error {
    const skipped = Object.values(this.skipped).reduce((sum, count) => sum + count, 0);
    return new Error(
      `cannot index ${this.#folder}: it holds no text` + (skipped > 0 ? ` (${skipped} files skipped)` : ""),
    );
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
