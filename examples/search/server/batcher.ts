import { type Coroutine, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import type { Hit, SearchIndex } from "../index/search_index.ts";

/** More at once would keep the first of them waiting longer than it is worth. */
const LARGEST_BATCH = 256;
/** Queries that may wait; one more is refused. */
const LARGEST_QUEUE = 4096;

/** Too many queries wait: the answer is 503. */
export class OverloadedError extends Error {
  override readonly name = "OverloadedError";
}

interface Waiting {
  readonly query: string;
  readonly k: number;
  resolve(hits: Hit[]): void;
  reject(error: unknown): void;
}

/** How much of the last batch's time its clients are given to ask again: see `Batcher`. */
const PATIENCE = 0.1;
const PATIENCE_STEP_MS = 1;

/** Told of each batch, for the metrics. */
export type BatchObserver = (queries: number, ms: number) => void;

/**
 * Answers queries that arrive together by one product. A query is put in a queue, and the first of a queue
 * spawns the task that will empty it: by that task's turn, every connection that the same wait of the
 * reactor made ready has put its query there too. What arrives during a product waits for the next.
 *
 * Clients that were answered together ask again one after another. So after a batch of several the next waits
 * for as many, for a tenth of the time that the last one took; after a single query nothing is waited for.
 */
export class Batcher {
  #index: SearchIndex;
  #observe: BatchObserver;
  #queue: Waiting[] = [];
  #largest: number;
  #lastSize = 0;
  #lastMs = 0;

  /** With `batching` false each query is a product of its own. */
  constructor(index: SearchIndex, batching: boolean, observe: BatchObserver) {
    this.#index = index;
    this.#observe = observe;
    this.#largest = batching ? LARGEST_BATCH : 1;
  }

  /** The `k` best passages. Rejects with an `OverloadedError`, or with what the search throws. */
  search(query: string, k: number): Promise<Hit[]> {
    if (this.#queue.length >= LARGEST_QUEUE) {
      return Promise.reject(
        new OverloadedError(`${LARGEST_QUEUE} queries wait already; ask again in a second`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ query, k, resolve, reject });
      if (this.#queue.length === 1) spawn(answerAll, this);
    });
  }

  /** Answers the first of the queue, as many as a batch takes; whether any are left. */
  answerSome(): boolean {
    const [{ k }] = this.#queue;
    // Many hits are dear: whoever asks for few does not wait for another's.
    const batch = this.#queue.filter((waiting) => waiting.k === k).slice(0, this.#largest);
    const taken = new Set(batch);
    this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
    const start = performance.now();
    try {
      const answers = this.#index.search(batch.map(({ query }) => query), k);
      for (const [i, waiting] of batch.entries()) waiting.resolve(answers[i]);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
    this.#lastSize = batch.length;
    this.#lastMs = performance.now() - start;
    this.#observe(this.#lastSize, this.#lastMs);
    return this.#queue.length > 0;
  }

  /** Waits for the clients of the last batch. */
  *gather(): Coroutine<void> {
    if (this.#lastSize <= 1) return;
    const until = performance.now() + PATIENCE * this.#lastMs;
    while (this.#queue.length < this.#lastSize && performance.now() < until) yield* sleep(PATIENCE_STEP_MS);
  }
}

function* answerAll(batcher: Batcher): Coroutine<void> {
  yield* batcher.gather();
  while (batcher.answerSome()) {
    yield* yieldNow();
    yield* batcher.gather();
  }
}
