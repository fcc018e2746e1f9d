/**
 * Jobs of very different lengths, all submitted at once:
 *
 *     uneven.ts WAY THREADS LENGTH...
 *
 * Prints how long they take together, over what they take by themselves in equal shares: 1 is the least there can be.
 * `WAY+static` gives each thread one job of as many neighbours as any other, as who splits beforehand does.
 */
import process from "node:process";
import { run } from "../../../lib/task/mod.ts";
import { programArguments } from "./arguments.ts";
import { isLibrary, type Library, openLibrary } from "./libraries.ts";
import { openOurs } from "./ours.ts";
import { lehmer, type Turn } from "./work.ts";

/** The workers' compilers have seen the job by then. */
const WARM_UP = { jobs: 50, times: 20_000 };

const { way, numbers: [threads, ...lengths] } = programArguments(2);
const [name, isStatic] = [way.replace("+static", ""), way.endsWith("+static")];

async function allOf(pool: Pick<Library, "turn" | "turns">): Promise<Turn[]> {
  if (!isStatic) return await Promise.all(lengths.map((length) => pool.turn(length)));
  const each = lengths.length / threads;
  const shares = Array.from(
    { length: threads },
    (_, i) => pool.turns(lengths.slice(Math.round(i * each), Math.round((i + 1) * each))),
  );
  return (await Promise.all(shares)).flat();
}

async function measure(pool: Pick<Library, "turn" | "turns">): Promise<void> {
  await Promise.all(Array.from({ length: WARM_UP.jobs }, () => pool.turns([WARM_UP.times])));
  await Promise.all(Array.from({ length: WARM_UP.jobs }, () => pool.turn(WARM_UP.times)));
  const start = performance.now();
  const ends = await allOf(pool);
  const makespan = performance.now() - start;
  ends.forEach(({ state }, i) => {
    if (state !== lehmer(lengths[i])) throw new Error(`job ${i} of ${lengths[i]} gave ${state}`);
  });
  console.log(makespan * threads / ends.reduce((sum, { ms }) => sum + ms, 0));
}

if (isLibrary(name)) {
  const library = await openLibrary(name, threads);
  await measure(library);
  await library.close();
} else {
  await using pool = openOurs(threads);
  await pool.ready();
  await run(() => measure(pool));
}
process.exit();
