/**
 * Jobs of very different lengths: how long they take together, over the least that two workers could.
 *
 * @module
 */
import { compare } from "../compare.ts";
import { buildCrate } from "../peers.ts";
import { librariesBy, type Options, oursBy, peer, PISCINA, printed } from "./contenders.ts";

const THREADS = 2;
const STATIC = "await+static";
/** Turns of the generator, each about 10 ns. */
const SHORTEST = { quick: 500, full: 5_000 };

/** Each longer than the one before by as much. */
function rising(shortest: number): number[] {
  return Array.from({ length: 100 }, (_, i) => shortest * (i + 1));
}

/** Half of them at most twice the shortest, a quarter at most four times, and so on: Pareto's law, in disorder. */
function skewed(shortest: number): number[] {
  return Array.from({ length: 400 }, (_, i) => Math.floor(shortest * 400 / (1 + i * 149 % 400)));
}

/** The longest first, which nobody can make up for who has split beforehand. */
export async function uneven(options: Options): Promise<void> {
  const { quick } = options;
  const tokio = buildCrate("tokio_pool");
  const shortest = quick ? SHORTEST.quick : SHORTEST.full;
  const loads = [
    { title: "100 jobs, each longer than the last", lengths: rising(shortest) },
    { title: "400 jobs, a few of them very long", lengths: skewed(4 * shortest) },
  ];
  for (const { title, lengths } of loads) {
    const args = [THREADS, ...lengths];
    const programs = [
      ...oursBy(["await", STATIC], "uneven.ts", args, options),
      ...librariesBy("uneven.ts", args, options, ["postMessage"]),
      ...peer("tokio", tokio, "uneven", ...args),
      ...peer("one queue in Rust", tokio, "uneven_one_queue", ...args),
    ];
    await compare({
      title: `${title}, ${THREADS} workers: time over the least possible`,
      units: ["× ideal"],
      baseline: programs.some(({ name }) => name === PISCINA) ? PISCINA : programs[0].name,
      contenders: printed(programs),
      quick,
    });
  }
}
