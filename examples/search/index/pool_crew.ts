import { job, type JobHandle, Pool } from "../../../lib/task/pool.ts";
import type { Corpus, Embedder } from "../vectors/embedder.ts";
import { HashedEmbedder } from "../vectors/hashed_embedder.ts";
import { type AskedFile, type Batch, batchesOf } from "./batch.ts";
import { type Crew, LoneCrew, type Rows } from "./crew.ts";
import { PooledRows } from "./pooled_rows.ts";

const READ = job<typeof import("./batch.ts"), "readBatch">(
  new URL("./batch.ts", import.meta.url),
  "readBatch",
);

/** Fewer are embedded sooner than a map is made for them. */
const FEW_PASSAGES = 2048;

/** The threads of a pool. */
export class PoolCrew implements Crew {
  readonly #pool: Pool;
  readonly #threads: number;

  constructor(threads: number) {
    this.#pool = Pool.open({ threads });
    this.#threads = threads;
  }

  async *read(folder: string, files: readonly AskedFile[]): AsyncGenerator<Batch, undefined> {
    const batches = batchesOf(files);
    const ahead: JobHandle<Batch>[] = [];
    try {
      for (;;) {
        while (ahead.length < 2 * this.#threads) {
          const { value } = batches.next();
          if (value === undefined) break;
          ahead.push(this.#pool.run(READ, folder, value));
        }
        const first = ahead.shift();
        if (first === undefined) return undefined;
        yield await first;
      }
    } finally {
      for (const handle of ahead) handle.cancel();
    }
  }

  embed(embedder: Embedder, corpus: Corpus, passages: Uint32Array): Rows {
    if (!(embedder instanceof HashedEmbedder) || passages.length < FEW_PASSAGES) {
      return new LoneCrew().embed(embedder, corpus, passages);
    }
    return new PooledRows(this.#pool, this.#threads, corpus, passages, embedder.dims);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}
