/**
 * Round trips of an empty job, one at a time:
 *
 *     trip.ts WAY COUNT PAUSE_US
 *
 * Prints the microseconds of half of them, and of 99 in 100. Before each that counts it computes for PAUSE_US
 * microseconds, in which the worker falls asleep; it allocates nothing meanwhile, so that the caches keep what a trip
 * needs, as those of C's two threads do. The pool has one thread.
 */
import process from "node:process";
import { run } from "../../../lib/task/mod.ts";
import { programArguments } from "./arguments.ts";
import { isLibrary, openLibrary } from "./libraries.ts";
import { openOurs } from "./ours.ts";
import { lehmer } from "./work.ts";

/** The workers' compilers have seen the job by then. */
const WARM_UP = 500;
/** Trips pause by holding the thread. */
const QUIETLY = { slowPoll: false } as const;

/** Turns of the generator that are timed, to know how many fill a pause. */
const TIMED_TURNS = 2_000_000;

const { way, numbers: [count, pause] } = programArguments(2);

/** How many turns of the generator take so many microseconds. */
function turnsOf(us: number): number {
  lehmer(TIMED_TURNS);
  const start = performance.now();
  lehmer(TIMED_TURNS);
  return Math.round(TIMED_TURNS * us / (1e3 * (performance.now() - start)));
}

/** Times of the trips that count. */
class Times {
  readonly #each: Float64Array<ArrayBuffer> = new Float64Array(count);
  readonly #turns: number = turnsOf(pause);
  #start = 0;

  begin(i: number): void {
    if (i >= WARM_UP && lehmer(this.#turns) === 0) throw new Error("the generator came to 0");
    this.#start = performance.now();
  }

  end(i: number, result: number): void {
    const elapsed = performance.now() - this.#start;
    if (result !== i + 1) throw new Error(`trip ${i} gave ${result}`);
    if (i >= WARM_UP) this.#each[i - WARM_UP] = 1e3 * elapsed;
  }

  print(): void {
    this.#each.sort();
    console.log(this.#each[count >> 1], this.#each[Math.floor(count * 0.99)]);
  }
}

async function awaited(times: Times, increment: (n: number) => PromiseLike<number>): Promise<void> {
  for (let i = 0; i < WARM_UP + count; i++) {
    times.begin(i);
    times.end(i, await increment(i));
  }
}

async function ours(times: Times): Promise<void> {
  await using pool = openOurs(1);
  await pool.ready();
  if (way === "waitSync") {
    for (let i = 0; i < WARM_UP + count; i++) {
      times.begin(i);
      times.end(i, pool.increment(i).waitSync());
    }
  } else if (way === "await") await run(() => awaited(times, (n) => pool.increment(n)), QUIETLY);
  else {
    await run(function* () {
      for (let i = 0; i < WARM_UP + count; i++) {
        times.begin(i);
        times.end(i, yield* pool.increment(i));
      }
    }, QUIETLY);
  }
}

const times = new Times();
if (isLibrary(way)) {
  const library = await openLibrary(way, 1);
  await awaited(times, library.increment);
  await library.close();
} else await ours(times);
times.print();
process.exit();
