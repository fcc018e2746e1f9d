/** A thread of the hammered map, whose atomic accesses are delayed. */
import { parentPort, workerData } from "node:worker_threads";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import { perturb } from "../perturb.ts";
import { Hammer } from "./hammer.ts";

const { handle, lane, jobs, seed } = workerData;
const control = Control.adopt(handle, lane);
const hammer = new Hammer(control, jobs, seed + lane);

parentPort?.once("message", () => {
  const stop = perturb(seed + lane);
  try {
    hammer.run();
    parentPort?.postMessage("ended");
  } catch (error) {
    control.parking.stop();
    parentPort?.postMessage(String(error));
  } finally {
    stop();
  }
  // The next message says that nobody rings any more.
  parentPort?.once("message", () => {
    hammer.close();
    control[Symbol.dispose]();
    parentPort?.postMessage("closed");
  });
});
parentPort?.postMessage("ready");
