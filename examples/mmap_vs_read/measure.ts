/**
 * Runs one way in a process of its own, and prints what was counted as a line of JSON:
 *
 *     measure.ts GROUP INDEX FILE SMALL_FILE
 */
import process from "node:process";
import { added, cachedPages, counted, type Counts, evict, residentPages, warm } from "./counters.ts";
import { groups } from "./ways.ts";

const SETTLING_RUNS = 60;

/** One row's figures. */
export interface Row extends Counts {
  /** Pages of the file in the page cache, before and after. */
  readonly cachedBefore: number;
  readonly cached: number;
  /** Pages that the process has more than before. */
  readonly resident: number;
  readonly sum: number;
}

/** Runs the way, gives back what it made, and counts both. */
function measure(group: string, index: number, path: string, small: string): Row {
  const { isCold, ways } = groups[group];
  const way = ways[index];
  // The loops are compiled, and the functions bound, before anything is counted; by a file whose buffers, used
  // again, hide no page.
  for (let i = 0; i < SETTLING_RUNS; i++) way.run(small)[Symbol.dispose]();
  if (isCold) evict(path);
  else warm(path);
  counted(() => undefined);
  const cachedBefore = cachedPages(path);
  const residentBefore = residentPages();
  const { result: held, counts: using } = counted(() => way.run(path));
  const resident = residentPages() - residentBefore;
  const { sum } = held;
  const { counts: ending } = counted(() => held[Symbol.dispose]());
  return { ...added(using, ending), cachedBefore, cached: cachedPages(path), resident, sum };
}

const [group, index, path, small] = process.argv.slice(2);
console.log(JSON.stringify(measure(group, Number(index), path, small)));
