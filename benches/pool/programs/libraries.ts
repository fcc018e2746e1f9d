/**
 * The pools of others, and a worker by postMessage, behind one interface: who measures them calls it once a job.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import type { Turn } from "./work.ts";

/** Which of them. On Deno tinypool's workers never answer, and on Bun workerpool's. */
export type LibraryName = "piscina" | "tinypool" | "workerpool" | "postMessage";

/** One that is open. Its promises are its own. */
export interface Library {
  increment(n: number): PromiseLike<number>;
  turn(times: number): PromiseLike<Turn>;
  turns(each: readonly number[]): PromiseLike<Turn[]>;
  close(): Promise<void>;
}

const work = new URL("work.ts", import.meta.url).href;

async function piscina(threads: number): Promise<Library> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({ filename: work, minThreads: threads, maxThreads: threads });
  return {
    increment: (n) => pool.run(n, { name: "increment" }),
    turn: (times) => pool.run(times, { name: "turn" }),
    turns: (each) => pool.run(each, { name: "turns" }),
    close: () => pool.close({ force: true }),
  };
}

async function tinypool(threads: number): Promise<Library> {
  const { Tinypool } = await import("tinypool");
  const pool = new Tinypool({ filename: work, minThreads: threads, maxThreads: threads });
  return {
    increment: (n) => pool.run(n, { name: "increment" }),
    turn: (times) => pool.run(times, { name: "turn" }),
    turns: (each) => pool.run(each, { name: "turns" }),
    close: () => pool.destroy(),
  };
}

async function workerpool(threads: number): Promise<Library> {
  const { default: workerpool } = await import("workerpool");
  const script = fileURLToPath(new URL("workerpool_worker.ts", import.meta.url));
  const pool = workerpool.pool(script, { workerType: "thread", minWorkers: threads, maxWorkers: threads });
  return {
    increment: (n) => pool.exec("increment", [n]),
    turn: (times) => pool.exec("turn", [times]),
    turns: (each) => pool.exec("turns", [each]),
    close: async () => void await pool.terminate(true),
  };
}

/** Turn about, to as many workers as there are threads. */
function postMessage(threads: number): Library {
  const waiting = new Map<number, (n: number) => void>();
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL("port_worker.ts", import.meta.url));
    worker.on("message", ([id, n]) => {
      waiting.get(id)?.(n);
      waiting.delete(id);
    });
    return worker;
  });
  let jobs = 0;
  const missing = () => Promise.reject(new Error("a worker by postMessage does only increment"));
  return {
    increment: (n) =>
      new Promise((resolve) => {
        const id = jobs++;
        waiting.set(id, resolve);
        workers[id % threads].postMessage([id, n]);
      }),
    turn: missing,
    turns: missing,
    close: async () => void await Promise.all(workers.map((worker) => worker.terminate())),
  };
}

/** Opens one with so many threads, which are all there once a job was done on each. */
export function openLibrary(name: LibraryName, threads: number): Promise<Library> {
  switch (name) {
    case "piscina":
      return piscina(threads);
    case "tinypool":
      return tinypool(threads);
    case "workerpool":
      return workerpool(threads);
    case "postMessage":
      return Promise.resolve(postMessage(threads));
  }
}

/** Whether there is one of this name. */
export function isLibrary(name: string): name is LibraryName {
  return name === "piscina" || name === "tinypool" || name === "workerpool" || name === "postMessage";
}
