/**
 * Something large, in jobs that are each a part of it:
 *
 *     shares.ts sum|primes THREADS COUNT
 *
 * Prints the milliseconds of the shortest of some passes, as `peers/pool.c` does. `sum` adds COUNT numbers in a map,
 * `primes` counts the primes below COUNT.
 */
import process from "node:process";
import type { MapHandle } from "../../../lib/mem/handle.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { run } from "../../../lib/task/mod.ts";
import { type JobHandle, Pool } from "../../../lib/task/pool.ts";
import { programArguments } from "./arguments.ts";
import { primesIn, type sumOf } from "./shares_work.ts";

/** The first is not counted: compilers settle in it, and threads get their pages. */
const PASSES = 6;
/** Parts of the whole: enough that nobody waits long for the last. */
const PARTS = 128;

const { way, numbers: [threads, count] } = programArguments(2);
const module = new URL("shares_work.ts", import.meta.url);

function bound(part: number): number {
  return Math.floor(count * part / PARTS);
}

/** The least time in which the parts add up to what is right. */
async function shortest(
  part: (start: number, end: number) => JobHandle<number>,
  right: number,
): Promise<number> {
  let least = Infinity;
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    const handles = Array.from({ length: PARTS }, (_, i) => part(bound(i), bound(i + 1)));
    let total = 0;
    for (const handle of handles) total += await handle;
    if (pass > 0) least = Math.min(least, performance.now() - start);
    if (total !== right) throw new Error(`${way} gave ${total}, and ${right} is right`);
  }
  return least;
}

async function sum(pool: Pool): Promise<number> {
  using map = Mmap.anonymous(8 * count);
  const numbers = map.view(Float64Array<ArrayBuffer>, 0, count);
  for (let i = 0; i < count; i++) numbers[i] = i & 7;
  const rest = count % 8;
  const handle: MapHandle = map.share();
  const sumPart = pool.job<typeof sumOf>(module, "sumOf");
  return await shortest(
    (start, end) => sumPart(handle, start, end),
    28 * Math.floor(count / 8) + rest * (rest - 1) / 2,
  );
}

async function measure(): Promise<number> {
  await using pool = Pool.open({ threads });
  await pool.ready();
  if (way === "sum") return await sum(pool);
  return await shortest(pool.job<typeof primesIn>(module, "primesIn"), primesIn(0, count));
}

console.log(await run(measure, { slowPoll: false }));
process.exit();
