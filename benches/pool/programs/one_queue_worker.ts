/** A thread of `one_queue.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { type OneQueueInit, work } from "./one_queue.ts";

const init: OneQueueInit = workerData;
// The host tells the opener of its thread only where the thread's loop has had turns.
parentPort?.once("message", () => {
  work(init);
  parentPort?.postMessage("over");
});
parentPort?.postMessage("ready");
