/** A thread that does the jobs it is posted, as anybody would write it over postMessage. */
import { parentPort } from "node:worker_threads";
import { increment } from "./work.ts";

parentPort?.on("message", ([id, n]) => parentPort?.postMessage([id, increment(n)]));
