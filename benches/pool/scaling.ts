/**
 * What a second thread brings, to a sum over memory and to computing, beside two threads of C.
 *
 * @module
 */
import { compare, type Contender, type Target } from "../compare.ts";
import { announce, buildPeer, runPeer } from "../peers.ts";
import { onEach, type Options, oursBy, peer } from "./contenders.ts";
import type { Server } from "../net/servers.ts";

const C = "two threads of C";

interface Work {
  readonly way: string;
  readonly count: number;
  readonly title: string;
  readonly target: Omit<Target, "name">;
}

/** How many times as fast it is on two threads, with the milliseconds of both. */
function scalings(one: readonly Server[], two: readonly Server[]): Contender[] {
  return one.map(({ name, command }, i) => ({
    name,
    sample() {
      const [single, double] = [command, two[i].command].map(([file, ...args]) => runPeer(file, args)[0]);
      return Promise.resolve([single / double, single, double]);
    },
  }));
}

export async function scaling(options: Options): Promise<void> {
  const { quick } = options;
  const c = buildPeer("pool", ["-pthread"]);
  if (c === undefined) return announce("without C there is nothing to put the scaling beside");
  const works: readonly Work[] = [
    {
      way: "sum",
      count: quick ? 2 ** 20 : 2 ** 27,
      title: "parallelFor over so many numbers in a map",
      target: { atLeast: 0.95 },
    },
    {
      way: "primes",
      count: quick ? 100_000 : 3_000_000,
      title: "mapReduce of the primes below",
      // Where C has 1.9 or more.
      target: { figuresAtLeast: [1.85] },
    },
  ];
  for (const { way, count, title, target } of works) {
    const on = (threads: number) => [
      ...peer(C, c, way, threads, count),
      ...oursBy([way], "shares.ts", [threads, count], options),
    ];
    await compare({
      title: `${title} ${count.toLocaleString("en")}: two threads over one`,
      units: ["× as fast", "ms on one", "ms on two"],
      baseline: C,
      contenders: scalings(on(1), on(2)),
      quick,
      targets: onEach(way, target),
    });
  }
}
