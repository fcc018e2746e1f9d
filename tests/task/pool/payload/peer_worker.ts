/** The other lane of the tests: it runs what it is sent, and never turns its loop. */
import { parentPort, workerData } from "node:worker_threads";
import process from "node:process";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import "../../../../lib/task/pool/payload/crossing_classes.ts";
import { Crossings } from "../../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../../lib/task/pool/payload/payload.ts";
import { Mmap } from "../../../../lib/mem/mmap.ts";
import { Arc, Yoke } from "../../../../lib/mem/yoke.ts";
import { SharedCondvar, SharedMutex, SharedRing, SharedSemaphore } from "../../../../lib/mem/shared.ts";
import { RemoteNotifier } from "../../../../lib/task/mod.ts";
import { FAILED, STOPPED, TURN } from "./turns.ts";

const made: Mmap<"write">[] = [];

function addTo(map: unknown, index: number): unknown {
  if (!(map instanceof Mmap)) throw new TypeError("no map");
  if (map.isShared) map.dataView().setUint8(index, map.dataView().getUint8(index) + 1);
  return [map.mode, map.byteLength, map.bytes(index, 1)[0]];
}

const jobs: Record<string, (...values: unknown[]) => unknown> = {
  echo: (...values) => values,
  same: (a, b) => a === b,
  throws(error) {
    throw error;
  },
  map: (map, index) => addTo(map, Number(index)),
  make(length) {
    const map = Mmap.anonymous(Number(length));
    map.bytes().fill(7);
    made.push(map);
    return map;
  },
  forgets: () => made.splice(0).forEach((map) => map[Symbol.dispose]()),
  arc(arc) {
    if (!(arc instanceof Arc)) throw new TypeError("no Arc");
    using owner = arc;
    return [owner.count, owner.leaked(), owner.bytes()[0], owner.map.mode];
  },
  yoke(yoke) {
    if (!(yoke instanceof Yoke) || !(yoke.value instanceof Float64Array)) throw new TypeError("no Yoke");
    using held: Yoke<Float64Array> = yoke;
    held.value[1] += 0.5;
    return [held.value.length, held.value[0], held.cart instanceof Mmap || held.cart instanceof Arc];
  },
  semaphore: (semaphore) => semaphore instanceof SharedSemaphore && semaphore.release(2),
  mutex(mutex, condvar) {
    if (!(mutex instanceof SharedMutex && condvar instanceof SharedCondvar)) throw new TypeError("no mutex");
    using guard = mutex.lockSync();
    condvar.notifyAll();
    return guard.ownerDied;
  },
  ring(ring) {
    if (!(ring instanceof SharedRing)) throw new TypeError("no ring");
    using end = ring;
    end.sendSync(Uint8Array.of(1, 2, 3));
    return end.capacity;
  },
  notify: (notifier) => notifier instanceof RemoteNotifier && notifier.notify(),
  shared(memory) {
    if (!(memory instanceof Int32Array)) throw new TypeError("no memory");
    return Atomics.add(memory, 1, 5);
  },
  own: () => new Int32Array(new SharedArrayBuffer(16)).fill(11),
};

const { handle, port, turns: memory } = workerData;
const turns = new Int32Array(memory);
const control = Control.adopt(handle, 1);
const crossings = new Crossings(control.runner);
crossings.connect(0, port);
const payload = new Payload(control, crossings);

function run(slot: number): number {
  try {
    const [name, ...values] = payload.unpackArguments(slot);
    payload.packResult(slot, jobs[String(name)](...values));
    // What a message names it has of its own.
    for (const value of values.flat()) if (value instanceof Mmap) value[Symbol.dispose]();
    return 0;
  } catch (error) {
    payload.packError(slot, error);
    return FAILED;
  }
}

// Deno lets nobody else go on before the first message was waited for.
await new Promise((resolve) => parentPort?.once("message", resolve));
for (;;) {
  Atomics.wait(turns, TURN, 0);
  const turn = Atomics.load(turns, TURN);
  if (turn === STOPPED) break;
  const failed = run(turn - 1);
  Atomics.store(turns, TURN + 1, failed);
  Atomics.store(turns, TURN, 0);
  Atomics.notify(turns, TURN);
}
control[Symbol.dispose]();
crossings[Symbol.dispose]();
process.exit(0);
