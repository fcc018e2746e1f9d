/**
 * Two processes of the host under test: this program starts itself again as the other one.
 *
 *     ends.ts stream | trip | polled | mutex | bare COUNT
 *
 * Prints nanoseconds of a message (`stream`), microseconds of a round trip that sleeps as `recvSync` does or is
 * `polled`, or nanoseconds of a locking by `SharedMutex` or by pthread's functions `bare`. Messages have 64 bytes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { dlopen } from "../../ffi/mod.ts";
import { memoryOf } from "../../lib/mem/memory.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { initMutex } from "../../lib/mem/shared/robust_mutex.ts";
import { SharedMutex, SharedRing } from "../../lib/mem/shared.ts";

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
/** So many come first, and are not timed. */
const warmUp = Math.ceil(count / 5);
const all = warmUp + count;
const areLocks = mode === "mutex" || mode === "bare";

/** As anybody would bind them; once, for a call site that has seen two libraries is slow. */
const library = dlopen(["libc.so.6"], {
  pthread_mutex_lock: { parameters: ["pointer!"], result: "i32" },
  pthread_mutex_unlock: { parameters: ["pointer!"], result: "i32" },
});

function numbersOf(map: Mmap<"write">, byteOffset: number): Int32Array<ArrayBuffer> {
  return map.view(Int32Array<ArrayBuffer>, byteOffset, 1);
}

function reach(step: Int32Array, value: number): void {
  Atomics.store(step, 0, value);
}

function until(step: Int32Array, value: number): void {
  while (Atomics.load(step, 0) !== value);
}

function produce(ring: SharedRing): void {
  const message = new Uint8Array(MESSAGE);
  for (let i = 0; i < all; i++) {
    message[i & 63] = i;
    ring.sendSync(message);
  }
}

/** Looks at a byte of each message, in place. */
function consume(ring: SharedRing): number {
  let start = 0;
  for (let i = 0; i < all; i++) {
    if (i === warmUp) start = performance.now();
    const message = ring.peekSync();
    if (message?.bytes[i & 63] !== (i & 255)) throw new Error(`message ${i} of ${all} is wrong, or none`);
    message.release();
  }
  return performance.now() - start;
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
  for (let i = 0; i < all; i++) {
    message[0] = receive(there, isPolled);
    back.sendSync(message);
  }
}

function trip(there: SharedRing, back: SharedRing, isPolled: boolean): number {
  const message = new Uint8Array(MESSAGE);
  let start = 0;
  for (let i = 0; i < all; i++) {
    if (i === warmUp) start = performance.now();
    message[0] = i;
    there.sendSync(message);
    if (receive(back, isPolled) !== (i & 255)) throw new Error(`trip ${i} came back as another`);
  }
  return performance.now() - start;
}

function addLocked(map: Mmap<"write">, times: number): void {
  const mutex = SharedMutex.open(map, MUTEX);
  const counter = numbersOf(map, COUNTED);
  for (let i = 0; i < times; i++) {
    mutex.lockSync();
    counter[0]++;
    mutex.unlock();
  }
}

function addBare(map: Mmap<"write">, times: number): void {
  const { pthread_mutex_lock, pthread_mutex_unlock } = library.symbols;
  const mutex = memoryOf(map, "cannot bench", BARE, 64).pointer;
  const counter = numbersOf(map, COUNTED);
  for (let i = 0; i < times; i++) {
    if (pthread_mutex_lock(mutex) !== 0) throw new Error("pthread_mutex_lock failed");
    counter[0]++;
    if (pthread_mutex_unlock(mutex) !== 0) throw new Error("pthread_mutex_unlock failed");
  }
}

/** The time of what is counted, where this is the first process. */
function exchange(map: Mmap<"write">, isFirst: boolean): number {
  using there = SharedRing.open(map);
  using back = SharedRing.open(map, { byteOffset: BACK });
  const isPolled = mode === "polled";
  if (isFirst) return mode === "stream" ? consume(there) : trip(there, back, isPolled);
  if (mode === "stream") produce(there);
  else echo(there, back, isPolled);
  return 0;
}

/** The time until both processes are done. */
function contend(map: Mmap<"write">, isFirst: boolean, step: Int32Array): number {
  const add = mode === "mutex" ? addLocked : addBare;
  add(map, warmUp);
  reach(step, isFirst ? 2 : 1);
  until(step, 2);
  const start = performance.now();
  add(map, count);
  if (isFirst) until(step, 3);
  else reach(step, 3);
  return performance.now() - start;
}

function figure(ms: number): number {
  switch (mode) {
    case "stream":
      return 1e6 * ms / count;
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
    initMutex(memoryOf(map, "cannot bench", BARE, 64).pointer);
    const program = fileURLToPath(import.meta.url);
    const flags = Reflect.has(globalThis, "Deno") ? ["run", "-A"] : [];
    const other = spawn(process.execPath, [...flags, program, mode, countText, file], { stdio: "inherit" });
    const ended = new Promise<number | null>((resolve) => other.once("exit", resolve));
    const step = numbersOf(map, STEP);
    while (Atomics.load(step, 0) !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
    console.log(figure(areLocks ? contend(map, true, step) : exchange(map, true)));
    const code = await ended;
    if (code !== 0) throw new Error(`the other process ended with ${code}`);
    if (areLocks && numbersOf(map, COUNTED)[0] !== 2 * all) throw new Error("the count is wrong");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (path === undefined) await lead();
else {
  using map = Mmap.open(path, { mode: "r+" });
  const step = numbersOf(map, STEP);
  if (areLocks) contend(map, false, step);
  else {
    reach(step, 1);
    exchange(map, false);
  }
}
