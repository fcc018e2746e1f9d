/**
 * Threads that run the programs of `peer.ts`.
 *
 * @module
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { RemoteEndHandle } from "../../../../lib/task/pool/remote.ts";

export interface Thread {
  /** The next thing that it tells. */
  told(): Promise<unknown>;
  /** Its end. Throws what it has thrown. */
  readonly ended: Promise<void>;
  terminate(): Promise<void>;
}

export interface Task {
  readonly id?: number;
  readonly count?: number;
  /** On a runtime of its own, and not in the host's loop. */
  readonly inRun?: boolean;
}

/** Starts one. */
export function startThread(program: string, handle: RemoteEndHandle, task: Task = {}): Thread {
  const worker = new Worker(new URL("./peer.ts", import.meta.url), {
    workerData: { program, handle, id: 0, count: 0, inRun: false, ...task },
  });
  const messages: unknown[] = [];
  let awake = (): void => {};
  worker.on("message", (message) => {
    messages.push(message);
    awake();
  });
  const ended = new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
  ended.catch(() => {});
  return {
    ended,
    async told() {
      while (messages.length === 0) {
        const more = new Promise<void>((resolve) => awake = resolve);
        await Promise.race([more, ended.then(() => Promise.reject(new Error("the thread has ended")))]);
      }
      return messages.shift();
    },
    async terminate() {
      const exit = once(worker, "exit");
      await worker.terminate();
      await exit;
    },
  };
}
