/**
 * Context switches while nothing is asked of an open pool that has worked:
 *
 *     idle.ts WAY MILLISECONDS
 *
 * Prints those of the pool's own threads, and those of the whole process. `none` opens no pool.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { programArguments } from "./arguments.ts";
import { isLibrary, openLibrary } from "./libraries.ts";
import { openOurs } from "./ours.ts";

const THREADS = 2;
/** In which spins end and the host's own threads have put themselves to sleep. */
const MOST_SETTLING_MS = 1000;
const WARM_UP = 1000;

const { way, numbers: [ms] } = programArguments(1);

/** Of each thread, by its number. */
function switches(): Map<number, number> {
  const each = new Map<number, number>();
  for (const task of readdirSync("/proc/self/task")) {
    const status = readFileSync(`/proc/self/task/${task}/status`, "utf8");
    const counts = Array.from(status.matchAll(/ctxt_switches:\s+(\d+)/g), ([, count]) => Number(count));
    each.set(Number(task), counts.reduce((sum, count) => sum + count, 0));
  }
  return each;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How often each thread was switched to while it had nothing to do. */
async function idle(): Promise<Map<number, number>> {
  await sleep(Math.min(ms, MOST_SETTLING_MS));
  const before = switches();
  await sleep(ms);
  const after = switches();
  return new Map(Array.from(after, ([task, count]) => [task, count - (before.get(task) ?? 0)]));
}

function print(each: ReadonlyMap<number, number>, own: ReadonlySet<number>): void {
  let [ofPool, all] = [0, 0];
  for (const [task, count] of each) {
    all += count;
    if (own.has(task)) ofPool += count;
  }
  console.log(ofPool, all);
}

if (way === "none") print(await idle(), new Set());
else if (isLibrary(way)) {
  const before = new Set(switches().keys());
  const library = await openLibrary(way, THREADS);
  for (let i = 0; i < WARM_UP; i++) await library.increment(i);
  const each = await idle();
  // Its threads, and whatever the host started for them.
  print(each, new Set(Array.from(each.keys()).filter((task) => !before.has(task))));
  await library.close();
} else {
  await using pool = openOurs(THREADS);
  await pool.ready();
  for (let i = 0; i < WARM_UP; i++) await pool.increment(i);
  const own = new Set<number>();
  for (let lane = 1; lane <= THREADS; lane++) own.add(await pool.threadId(lane));
  if (own.size !== THREADS) throw new Error(`the pool has ${own.size} threads, not ${THREADS}`);
  print(await idle(), own);
}
process.exit();
