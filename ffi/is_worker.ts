import { isMainThread } from "node:worker_threads";

/** Whether this thread is a worker. Of Deno's own workers `node:worker_threads` knows nothing. */
export const isWorker: boolean = !isMainThread || Reflect.has(globalThis, "WorkerGlobalScope");
