/**
 * A pool as futures-cpupool had it, over this library's own mutex and condition variables: one queue behind one mutex.
 *
 * In the map, after the mutex and the two condition variables, come words: how many jobs were ever put in, how many were
 * taken, how many are done, and whether it is over; then a ring of arguments, which results overwrite.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { SharedCondvar, SharedMutex } from "../../../lib/mem/shared.ts";
import type { MapHandle } from "../../../lib/mem/handle.ts";
import { increment } from "./work.ts";

const ADDED_AT = SharedMutex.byteSize;
const DONE_AT = ADDED_AT + SharedCondvar.byteSize;
const WORDS_AT = DONE_AT + SharedCondvar.byteSize;
const VALUES_AT = WORDS_AT + 64;
const PUT = 0;
const TAKEN = 1;
const DONE = 2;
const IS_OVER = 3;

/** What the threads have in common. */
interface Parts {
  readonly mutex: SharedMutex;
  readonly added: SharedCondvar;
  readonly done: SharedCondvar;
  readonly words: Int32Array<ArrayBuffer>;
  readonly values: Int32Array<ArrayBuffer>;
}

/** What a worker is given. */
export interface OneQueueInit {
  readonly handle: MapHandle;
  readonly capacity: number;
}

function partsOf(map: Mmap<"write">, capacity: number, mode: "create" | "open"): Parts {
  return {
    mutex: SharedMutex[mode](map),
    added: SharedCondvar[mode](map, ADDED_AT),
    done: SharedCondvar[mode](map, DONE_AT),
    words: map.view(Int32Array, WORDS_AT, 4),
    values: map.view(Int32Array, VALUES_AT, capacity),
  };
}

/** A worker's loop: the mutex is held but for the job itself. */
export function work({ handle, capacity }: OneQueueInit): void {
  using map = Mmap.adopt(handle, { mode: "r+" });
  const { mutex, added, done, words, values } = partsOf(map, capacity, "open");
  mutex.lockSync();
  for (;;) {
    while (words[TAKEN] === words[PUT]) {
      if (words[IS_OVER] === 1) return mutex.unlock();
      added.waitSync(mutex);
    }
    const at = words[TAKEN]++ % capacity;
    const argument = values[at];
    mutex.unlock();
    const result = increment(argument);
    mutex.lockSync();
    values[at] = result;
    words[DONE]++;
    if (words[DONE] === words[PUT]) done.notifyAll();
  }
}

/** The submitter's side. */
export class OneQueue {
  readonly #map: Mmap<"write">;
  readonly #parts: Parts;
  readonly #capacity: number;
  readonly #workers: readonly Worker[];

  private constructor(map: Mmap<"write">, parts: Parts, capacity: number, workers: readonly Worker[]) {
    this.#map = map;
    this.#parts = parts;
    this.#capacity = capacity;
    this.#workers = workers;
  }

  static async open(threads: number, capacity: number): Promise<OneQueue> {
    const map = Mmap.anonymous(VALUES_AT + 4 * capacity);
    const parts = partsOf(map, capacity, "create");
    const workerData: OneQueueInit = { handle: map.share(), capacity };
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL("one_queue_worker.ts", import.meta.url), { workerData }),
    );
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
    for (const worker of workers) worker.postMessage("begin");
    return new OneQueue(map, parts, capacity, workers);
  }

  /** Submits as many jobs as the ring has room for, one locking each, and adds their results. */
  incrementAll(first: number, count: number): number {
    const { mutex, added, done, words, values } = this.#parts;
    const start = words[PUT];
    for (let i = 0; i < count; i++) {
      mutex.lockSync();
      values[words[PUT]++ % this.#capacity] = first + i;
      mutex.unlock();
      added.notifyOne();
    }
    mutex.lockSync();
    while (words[DONE] !== words[PUT]) done.waitSync(mutex);
    mutex.unlock();
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[(start + i) % this.#capacity];
    return sum;
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    const { mutex, added, words } = this.#parts;
    const over = Promise.all(
      this.#workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))),
    );
    mutex.lockSync();
    words[IS_OVER] = 1;
    mutex.unlock();
    added.notifyAll();
    await over;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#map[Symbol.dispose]();
  }
}
