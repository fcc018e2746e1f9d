/**
 * Small jobs through one submitter, which waits for all of a batch before it submits the next:
 *
 *     throughput.ts WAY THREADS COUNT BATCH
 *
 * Prints the jobs a second, after a fifth as many that are not counted. The results are added and checked.
 */
import process from "node:process";
import type { Coroutine } from "../../../lib/task/mod.ts";
import { run } from "../../../lib/task/mod.ts";
import { programArguments } from "./arguments.ts";
import { isLibrary, openLibrary } from "./libraries.ts";
import { OneQueue } from "./one_queue.ts";
import { openOurs, type Ours } from "./ours.ts";

const { way, numbers: [threads, asked, batch] } = programArguments(3);
const batches = Math.ceil(asked / batch);
const warmUp = Math.ceil(batches / 5);
const count = batches * batch;

let sum = 0;
let start = 0;

/** Of the batch's first job. */
function beginBatch(index: number): number {
  if (index === warmUp) {
    sum = 0;
    start = performance.now();
  }
  return index * batch;
}

function print(): void {
  const elapsed = performance.now() - start;
  const first = warmUp * batch + 1;
  const right = count * (2 * first + count - 1) / 2;
  if (sum !== right) throw new Error(`the results are ${sum} together, and ${right} is right`);
  console.log(1e3 * count / elapsed);
}

async function promised(increment: (n: number) => PromiseLike<number>): Promise<void> {
  for (let index = 0; index < warmUp + batches; index++) {
    const first = beginBatch(index);
    const results = await Promise.all(Array.from({ length: batch }, (_, i) => increment(first + i)));
    for (const result of results) sum += result;
  }
  print();
}

async function awaited(pool: Ours): Promise<void> {
  for (let index = 0; index < warmUp + batches; index++) {
    const first = beginBatch(index);
    const handles = Array.from({ length: batch }, (_, i) => pool.increment(first + i));
    for (const handle of handles) sum += await handle;
  }
  print();
}

function* yielded(pool: Ours): Coroutine<void> {
  for (let index = 0; index < warmUp + batches; index++) {
    const first = beginBatch(index);
    const handles = Array.from({ length: batch }, (_, i) => pool.increment(first + i));
    for (const handle of handles) sum += yield* handle;
  }
  print();
}

function waited(pool: Ours): void {
  for (let index = 0; index < warmUp + batches; index++) {
    const first = beginBatch(index);
    const handles = Array.from({ length: batch }, (_, i) => pool.increment(first + i));
    for (const handle of handles) sum += handle.waitSync();
  }
  print();
}

async function locked(): Promise<void> {
  const pool = await OneQueue.open(threads, batch);
  for (let index = 0; index < warmUp + batches; index++) {
    const first = beginBatch(index);
    sum += pool.incrementAll(first, batch);
  }
  print();
  await pool.close();
}

async function ours(): Promise<void> {
  await using pool = openOurs(threads);
  await pool.ready();
  if (way === "waitSync") waited(pool);
  else if (way === "await") await run(() => awaited(pool));
  else await run(() => yielded(pool));
}

if (way === "oneQueue") await locked();
else if (isLibrary(way)) {
  const library = await openLibrary(way, threads);
  await promised(library.increment);
  await library.close();
} else await ours();
process.exit();
