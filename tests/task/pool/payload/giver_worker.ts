/** A lane that reads one message after another of those that the opener has written, and so gives their blocks back. */
import { parentPort, workerData } from "node:worker_threads";
import process from "node:process";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import { Crossings } from "../../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../../lib/task/pool/payload/payload.ts";
import { BROKEN, EMPTY, READ, STOPPED, WRITTEN } from "./turns.ts";

const { handle, lane, first, last, states: memory } = workerData;
const states = new Int32Array(memory);
const control = Control.adopt(handle, lane);
const payload = new Payload(control, new Crossings(control.runner));

/** Whether the message was whole. */
function isWhole(slot: number): boolean {
  try {
    const [bytes] = payload.unpackArguments(slot);
    return bytes instanceof Uint8Array && bytes.every((byte) => byte === (bytes.length & 255));
  } catch {
    return false;
  }
}

// Deno lets nobody else go on before the first message was waited for.
await new Promise((resolve) => parentPort?.once("message", resolve));
for (let slot = first;; slot = slot + 1 < last ? slot + 1 : first) {
  Atomics.wait(states, slot, EMPTY);
  if (Atomics.load(states, slot) === STOPPED) break;
  if (Atomics.load(states, slot) !== WRITTEN) continue;
  Atomics.store(states, slot, isWhole(slot) ? READ : BROKEN);
  Atomics.notify(states, slot);
  Atomics.wait(states, slot, READ);
}
control[Symbol.dispose]();
process.exit(0);
