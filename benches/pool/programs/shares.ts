/**
 * Something large, whose pieces threads share:
 *
 *     shares.ts sum|primes THREADS COUNT
 *
 * Prints the milliseconds of the shortest of some passes, as `peers/pool.c` does. `sum` adds COUNT numbers in a map by
 * `parallelFor`, `primes` counts the primes below COUNT by `mapReduce`.
 */
import process from "node:process";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { run } from "../../../lib/task/mod.ts";
import { job, Pool } from "../../../lib/task/pool.ts";
import { programArguments } from "./arguments.ts";
import { type plus, primesIn, type sumPiece } from "./shares_work.ts";

/** The first is not counted: compilers settle in it, and threads get their pages. */
const PASSES = 6;
/** Pieces of the sum begin at multiples of so many numbers: a place for the sum of each. */
const GRAIN = 2 ** 14;

const { way, numbers: [threads, count] } = programArguments(2);
const module = new URL("shares_work.ts", import.meta.url);

/** The least time in which a pass gives what is right. */
async function shortest(pass: () => Promise<number>, right: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < PASSES; i++) {
    const start = performance.now();
    const total = await pass();
    if (i > 0) least = Math.min(least, performance.now() - start);
    if (total !== right) throw new Error(`${way} gave ${total}, and ${right} is right`);
  }
  return least;
}

async function sum(pool: Pool): Promise<number> {
  using map = Mmap.anonymous(8 * count);
  const numbers = map.view(Float64Array<ArrayBuffer>, 0, count);
  for (let i = 0; i < count; i++) numbers[i] = i & 7;
  const places = Math.ceil(count / GRAIN);
  using sumMap = Mmap.anonymous(8 * places);
  const sums = sumMap.view(Float64Array<ArrayBuffer>, 0, places);
  const piece = job<typeof sumPiece>(module, "sumPiece");
  const handles = [map.share(), sumMap.share()] as const;
  const pass = async (): Promise<number> => {
    sums.fill(0);
    await pool.parallelFor(piece, { end: count, grain: GRAIN, threads }, ...handles, GRAIN);
    return sums.reduce((total, each) => total + each, 0);
  };
  const rest = count % 8;
  return await shortest(pass, 28 * Math.floor(count / 8) + rest * (rest - 1) / 2);
}

async function primes(pool: Pool): Promise<number> {
  const map = job<typeof primesIn>(module, "primesIn");
  const reduce = job<typeof plus>(module, "plus");
  return await shortest(
    async () => await pool.mapReduce(map, { end: count, reduce, threads }),
    primesIn(0, count),
  );
}

async function measure(): Promise<number> {
  await using pool = Pool.open({ threads });
  await pool.ready();
  return await (way === "sum" ? sum(pool) : primes(pool));
}

console.log(await run(measure, { slowPoll: false }));
process.exit();
