import { isMainThread } from "node:worker_threads";

/** Whether this thread has the web's scope of a worker. On Deno those have it that `node:worker_threads` knows not. */
export const hasWorkerScope: boolean = Reflect.has(globalThis, "WorkerGlobalScope");

/** Whether this thread is a worker, of whichever kind. */
export const isWorker: boolean = !isMainThread || hasWorkerScope;
