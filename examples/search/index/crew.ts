/**
 * Who reads batches of files and embeds passages: the thread itself, or a pool of others, by the same functions.
 *
 * @module
 */
import type { Corpus, Embedder } from "../vectors/embedder.ts";
import { MAX_FILE_BYTES } from "../files/read_text.ts";
import { type AskedFile, type Batch, batchesOf, readBatch } from "./batch.ts";

/** Vectors that are made in an order that was said before. */
export interface Rows extends Disposable {
  /** Writes the next vector to `out`. */
  next(out: Float32Array): void;
}

/** Does the work that hangs on some files, or some passages, alone. Disposing ends its threads. */
export interface Crew extends AsyncDisposable {
  /** What the files below `folder` are, in batches, in their order. */
  read(folder: string, files: readonly AskedFile[]): AsyncGenerator<Batch, undefined>;
  /** The vectors of the passages of `corpus` whose numbers are in `passages`, in that order. */
  embed(embedder: Embedder, corpus: Corpus, passages: Uint32Array): Rows;
}

/** What has fewer bytes has been read before a thread has started. */
const FEW_BYTES = 8 * 2 ** 20;
/** A crew of `threads`, or this thread alone where there is little to read. */
export async function openCrew(threads: number, files: readonly AskedFile[]): Promise<Crew> {
  const bytes = files.reduce((sum, { size }) => size > MAX_FILE_BYTES ? sum : sum + size, 0);
  if (threads === 1 || bytes < FEW_BYTES) return new LoneCrew();
  const { PoolCrew } = await import("./pool_crew.ts");
  return new PoolCrew(threads);
}

/** This thread alone. */
export class LoneCrew implements Crew {
  async *read(folder: string, files: readonly AskedFile[]): AsyncGenerator<Batch, undefined> {
    for (const batch of batchesOf(files)) yield readBatch(folder, batch);
    return undefined;
  }

  embed(embedder: Embedder, corpus: Corpus, passages: Uint32Array): Rows {
    let place = 0;
    return {
      next: (out) => embedder.embedPassage(corpus, passages[place++], out),
      [Symbol.dispose]: () => {},
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
