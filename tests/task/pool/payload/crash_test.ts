import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import { ARG_KIND } from "../../../../lib/task/pool/control/layout.ts";
import { Crossings } from "../../../../lib/task/pool/payload/crossings.ts";
import { Payload } from "../../../../lib/task/pool/payload/payload.ts";
import { tiered } from "../../../tier.ts";
import { READ, STOPPED, WRITTEN } from "./turns.ts";

const PLACES = 7;
const IN_ARENA = 3;
const ARENA = 1 << 14;

function payloadOf(control: Control): Payload {
  return new Payload(control, new Crossings(control.runner));
}

/** What the map has right before the step of that number, and how many there are: those are atomic, or into a slot. */
function memoryBefore(
  step: number,
  control: Control,
  run: () => void,
): { memory: Uint8Array; steps: number } {
  const names = ["load", "store", "add", "sub", "exchange", "compareExchange"] as const;
  const originals = names.map((name) => Object.getOwnPropertyDescriptor(Atomics, name));
  let steps = 0;
  let memory = new Uint8Array(0);
  const counted = <A extends unknown[], R>(call: (...given: A) => R) => (...given: A): R => {
    if (steps++ === step) memory = control.bytes.slice();
    return call(...given);
  };
  const { slots } = control;
  Object.defineProperty(slots, "set", { value: counted(slots.set.bind(slots)), configurable: true });
  names.forEach((name, i) => {
    const original: unknown = originals[i]?.value;
    if (typeof original !== "function") throw new Error(`no Atomics.${name}`);
    const value = counted((...given: unknown[]): unknown => Reflect.apply(original, Atomics, given));
    Object.defineProperty(Atomics, name, { value, configurable: true, writable: true });
  });
  try {
    run();
  } finally {
    Reflect.deleteProperty(slots, "set");
    names.forEach((name, i) => Object.defineProperty(Atomics, name, originals[i] ?? {}));
  }
  return { memory, steps };
}

/** How many messages of that many bytes the lane's arena has room for beside what is in it. */
function room(control: Control, payload: Payload, length: number): number {
  const slots: number[] = [];
  const value = new Uint8Array(length);
  for (;;) {
    const slot = control.slots.take();
    slots.push(slot);
    payload.packArguments(slot, [value]);
    if ((control.slots.get(slot, ARG_KIND) & PLACES) !== IN_ARENA) break;
  }
  for (const slot of slots) {
    payload.drop(slot);
    control.slots.free(slot);
  }
  return slots.length - 1;
}

/** A thread that dies before the step of that number while it reads, answers and sends. Gives how many steps there are. */
function dieAt(step: number): number {
  using control = Control.create({ lanes: 2, slots: 32, arena: ARENA });
  const opener = payloadOf(control);
  const worker = Control.adopt(control.handle, 1);
  const payload = payloadOf(worker);
  const all = [room(control, opener, 1000), room(worker, payload, 1000)];
  const job = control.slots.take();
  const [sent, next] = [worker.slots.take(), worker.slots.take()];
  payload.packArguments(sent, [new Uint8Array(1000).fill(7)]);
  opener.packArguments(job, [new Uint8Array(1000).fill(5)]);
  const { memory, steps } = memoryBefore(step, worker, () => {
    const [bytes] = payload.unpackArguments(job);
    payload.packArguments(next, [bytes, 1]);
    payload.packResult(job, bytes);
  });
  if (memory.length > 0) worker.bytes.set(memory);
  // The next thread of the lane, in the dead one's memory.
  const heir = payloadOf(worker);
  opener.drop(job);
  assertEquals(opener.unpackArguments(sent), [new Uint8Array(1000).fill(7)]);
  heir.drop(next);
  const lost = all[0] - room(control, opener, 1000);
  assert(lost === 0 || lost === 1, `${lost} blocks of the opener's are lost at step ${step}`);
  const found = room(worker, heir, 1000);
  assert(found === all[1], `there is room for ${found} messages of ${all[1]} at step ${step}`);
  worker[Symbol.dispose]();
  return steps;
}

describe("payloads of threads that die", () => {
  it("lose at most the block that was given back just then, and the lane's arena is whole again", () => {
    const steps = dieAt(-1);
    assert(steps > 15);
    for (let step = 0; step < steps; step++) dieAt(step);
  });
});

describe("payloads of many threads", () => {
  it("give the blocks of one arena back at once, and all of them", async () => {
    const rounds = tiered({ quick: 30, full: 2000, soak: 200_000 });
    const lanes = 3;
    const each = 8;
    using control = Control.create({ lanes, slots: 32, arena: 1 << 19 });
    const payload = payloadOf(control);
    const states = new Int32Array(new SharedArrayBuffer(4 * each * (lanes - 1)));
    const slots = Array.from(states, () => control.slots.take());
    assertEquals(slots, slots.map((_, i) => i));
    const workers = Array.from({ length: lanes - 1 }, (_, i) => {
      const worker = new Worker(new URL("giver_worker.ts", import.meta.url), {
        workerData: {
          handle: control.handle,
          lane: i + 1,
          first: i * each,
          last: (i + 1) * each,
          states: states.buffer,
        },
      });
      worker.postMessage("go");
      return worker;
    });
    const ended = workers.map((worker) => once(worker, "exit"));
    await Promise.all(workers.map((worker) => once(worker, "online")));
    for (let round = 0; round < rounds; round++) {
      for (const slot of slots) {
        const length = 200 + (round * 977 + slot * 331) % 9000;
        payload.packArguments(slot, [new Uint8Array(length).fill(length & 255)]);
        assertStrictEquals(control.slots.get(slot, ARG_KIND) & PLACES, IN_ARENA);
        Atomics.store(states, slot, WRITTEN);
        Atomics.notify(states, slot);
      }
      for (const slot of slots) {
        Atomics.wait(states, slot, WRITTEN);
        assertStrictEquals(Atomics.load(states, slot), READ);
        Atomics.store(states, slot, 0);
        Atomics.notify(states, slot);
      }
    }
    for (const slot of slots) {
      Atomics.store(states, slot, STOPPED);
      Atomics.notify(states, slot);
    }
    await Promise.all(ended);
    assertStrictEquals(payload.arenaBytesInUse, 0);
    // What was given back is one again.
    payload.packArguments(0, [new Uint8Array((1 << 19) - 80_000)]);
    assertStrictEquals(control.slots.get(0, ARG_KIND) & PLACES, IN_ARENA);
    payload.drop(0);
  });
});
