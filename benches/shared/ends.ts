/**
 * Two processes of the host under test: this program starts itself again as the other one.
 *
 *     ends.ts stream | trip | polled | mutex | bare COUNT
 *
 * Prints millions of messages a second (`stream`), microseconds of a round trip that sleeps as `recvSync` does or is
 * `polled`, or nanoseconds of a locking by `SharedMutex` or by pthread's functions `bare`. Messages have 64 bytes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Mmap } from "../../lib/mem/shared/stand_in.ts";
import { initMutex, pthread } from "../../lib/mem/shared/robust_mutex.ts";
import { SharedMutex, SharedRing } from "../../lib/mem/shared.ts";
import { offset } from "../../ffi/mod.ts";

const CAPACITY = 2 ** 16;
const BACK = SharedRing.byteSize(CAPACITY);
const STEP = 2 * BACK;
const MUTEX = STEP + 64;
const BARE = MUTEX + 64;
const COUNTED = BARE + 64;
const LENGTH = COUNTED + 64;
const MESSAGE = 64;

const [mode, countText, path] = process.argv.slice(2);
const count = Number(countText);

function numbersOf(map: Mmap, byteOffset: number): Int32Array<ArrayBuffer> {
  const { buffer, byteOffset: start } = map.bytes();
  return new Int32Array(buffer, start + byteOffset, 1);
}

function reach(step: Int32Array, value: number): void {
  Atomics.store(step, 0, value);
}

function until(step: Int32Array, value: number): void {
  while (Atomics.load(step, 0) !== value);
}

function produce(ring: SharedRing): void {
  const message = new Uint8Array(MESSAGE);
  for (let i = 0; i < count; i++) {
    message[i & 63] = i;
    ring.sendSync(message);
  }
}

/** The sum of a byte of each message, in place. */
function consume(ring: SharedRing): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const message = ring.peekSync();
    if (message === undefined) throw new Error(`the ring ended after ${i} of ${count} messages`);
    sum += message.bytes[i & 63];
    message.release();
  }
  return sum;
}

function expectedSum(): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += i & 255;
  return sum;
}

function receive(ring: SharedRing, isPolled: boolean): number {
  let message = isPolled ? ring.peek() : ring.peekSync();
  while (message === undefined) message = ring.peek();
  const value = message.bytes[0];
  message.release();
  return value;
}

function echo(there: SharedRing, back: SharedRing, isPolled: boolean): void {
  const message = new Uint8Array(MESSAGE);
  for (let i = 0; i < count; i++) {
    message[0] = receive(there, isPolled);
    back.sendSync(message);
  }
}

function trip(there: SharedRing, back: SharedRing, isPolled: boolean): void {
  const message = new Uint8Array(MESSAGE);
  for (let i = 0; i < count; i++) {
    message[0] = i;
    there.sendSync(message);
    if (receive(back, isPolled) !== (i & 255)) throw new Error(`trip ${i} came back as another`);
  }
}

function addLocked(map: Mmap): void {
  const mutex = SharedMutex.open(map, MUTEX);
  const counter = numbersOf(map, COUNTED);
  for (let i = 0; i < count; i++) {
    mutex.lockSync();
    counter[0]++;
    mutex.unlock();
  }
}

function addBare(map: Mmap): void {
  const { pthread_mutex_lock, pthread_mutex_unlock } = pthread();
  const mutex = offset(map.pages, BARE);
  const counter = numbersOf(map, COUNTED);
  for (let i = 0; i < count; i++) {
    if (pthread_mutex_lock(mutex) !== 0) throw new Error("pthread_mutex_lock failed");
    counter[0]++;
    if (pthread_mutex_unlock(mutex) !== 0) throw new Error("pthread_mutex_unlock failed");
  }
}

function act(map: Mmap, isFirst: boolean): void {
  if (mode === "mutex") return addLocked(map);
  if (mode === "bare") return addBare(map);
  using there = SharedRing.open(map);
  using back = SharedRing.open(map, { byteOffset: BACK });
  if (mode !== "stream") {
    return isFirst ? trip(there, back, mode === "polled") : echo(there, back, mode === "polled");
  }
  if (!isFirst) return produce(there);
  const sum = consume(there);
  if (sum !== expectedSum()) throw new Error(`the messages' sum is ${sum}, not ${expectedSum()}`);
}

function figure(ms: number): number {
  switch (mode) {
    case "stream":
      return count / ms / 1e3;
    case "trip":
    case "polled":
      return 1e3 * ms / count;
    default:
      return 1e6 * ms / (2 * count);
  }
}

async function lead(): Promise<void> {
  const folder = mkdtempSync("/dev/shm/oxbow-bench-");
  try {
    const file = join(folder, "map");
    using map = Mmap.open(file, { mode: "w+", length: LENGTH });
    using _there = SharedRing.create(map, { capacity: CAPACITY });
    using _back = SharedRing.create(map, { capacity: CAPACITY, byteOffset: BACK });
    SharedMutex.create(map, MUTEX);
    initMutex(offset(map.pages, BARE));
    const program = fileURLToPath(import.meta.url);
    const flags = Reflect.has(globalThis, "Deno") ? ["run", "-A"] : [];
    const other = spawn(process.execPath, [...flags, program, mode, countText, file], { stdio: "inherit" });
    const ended = new Promise<number | null>((resolve) => other.once("exit", resolve));
    const step = numbersOf(map, STEP);
    while (Atomics.load(step, 0) !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
    reach(step, 2);
    const start = performance.now();
    act(map, true);
    if (mode === "mutex" || mode === "bare") until(step, 3);
    console.log(figure(performance.now() - start));
    const code = await ended;
    if (code !== 0) throw new Error(`the other process ended with ${code}`);
    if ((mode === "mutex" || mode === "bare") && numbersOf(map, COUNTED)[0] !== 2 * count) {
      throw new Error("the count is wrong");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (path === undefined) await lead();
else {
  using map = Mmap.open(path, { mode: "r+" });
  const step = numbersOf(map, STEP);
  reach(step, 1);
  until(step, 2);
  act(map, false);
  reach(step, 3);
}
