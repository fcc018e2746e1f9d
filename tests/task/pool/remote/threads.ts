/**
 * Threads that run the programs of `peer.ts`. One that has run one to its end runs the next.
 *
 * @module
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { RemoteEndHandle } from "../../../../lib/task/pool/remote.ts";
import type { Task } from "./peer.ts";

/** What a thread says. */
interface Said {
  readonly told?: unknown;
  readonly done?: true;
  readonly error?: string;
}

const idle: Worker[] = [];

/** Runs one program. */
export class Thread {
  readonly #worker: Worker;
  readonly #told: unknown[] = [];
  #awake: () => void = () => {};
  /** The program's end. Throws what it has thrown. */
  readonly done: Promise<void>;

  constructor(worker: Worker, task: Task) {
    this.#worker = worker;
    this.done = new Promise((resolve, reject) => {
      const hear = (said: Said): void => {
        if (said.done) {
          worker.off("message", hear);
          idle.push(worker);
          resolve();
        } else if (said.error !== undefined) reject(new Error(said.error));
        else {
          this.#told.push(said.told);
          this.#awake();
        }
      };
      worker.on("message", hear);
      worker.once("error", reject);
    });
    this.done.catch(() => {});
    worker.postMessage(task);
  }

  /** The next thing that it tells. */
  async told(): Promise<unknown> {
    while (this.#told.length === 0) {
      const more = new Promise<void>((resolve) => this.#awake = resolve);
      await Promise.race([more, this.done.then(() => more)]);
    }
    return this.#told.shift();
  }

  async terminate(): Promise<void> {
    const exit = once(this.#worker, "exit");
    await this.#worker.terminate();
    await exit;
  }

  /** Lets the thread end by itself, once the program has. */
  async end(): Promise<void> {
    await this.done;
    idle.splice(idle.indexOf(this.#worker), 1);
    const exit = once(this.#worker, "exit");
    this.#worker.postMessage(null);
    await exit;
  }
}

/** Has a thread run a program. */
export function startThread(
  program: string,
  handle: RemoteEndHandle,
  { id = 0, count = 0, inRun = false }: Partial<Task> = {},
): Thread {
  const worker = idle.pop() ?? new Worker(new URL("./peer.ts", import.meta.url));
  return new Thread(worker, { program, handle, id, count, inRun });
}

/** For the end of a file of tests. */
export async function endThreads(): Promise<void> {
  for (const worker of idle.splice(0)) await worker.terminate();
}
