/**
 * An empty job from its submission to its result, to a worker that is awake and to one that sleeps.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { compare, type Target } from "../compare.ts";
import { announce, buildCrate, buildPeer } from "../peers.ts";
import { librariesBy, ON_ONE_CORE, onEach, type Options, oursBy, peer, printed } from "./contenders.ts";

const WAYS = ["waitSync", "yield", "await"];
const SLEEPING = "C, both in FUTEX_WAIT";
const SPINNING = "C, both spin";
const TOKIO = "tokio, spawn and await";
/** Longer than anybody spins, so that the worker sleeps. */
const PAUSE_US = 2000;

interface Trips {
  readonly title: string;
  readonly pause: number;
  readonly before: readonly string[];
  readonly count: number;
  readonly targets: readonly Target[];
}

async function compareTrips(
  { title, pause, before, count, targets }: Trips,
  options: Options,
): Promise<void> {
  const c = buildPeer("pool", ["-pthread"]);
  const programs = [
    ...peer(SLEEPING, c, "asleep", count, pause),
    ...peer(TOKIO, buildCrate("tokio_pool"), "trips", count, pause),
    ...oursBy(WAYS, "trip.ts", [count, pause], options),
    // Two that spin on one core wait for the end of the other's slice, and libraries take a minute each there.
    ...(before.length > 0 ? [] : [
      ...peer(SPINNING, c, "awake", count, pause),
      ...librariesBy("trip.ts", [count, pause], options),
    ]),
  ];
  await compare({
    title,
    units: ["µs", "µs for 99 %"],
    baseline: programs[0].name,
    contenders: printed(programs, { before }),
    quick: options.quick,
    targets: c === undefined ? [] : targets,
  });
}

export async function trips(options: Options): Promise<void> {
  const { quick } = options;
  await compareTrips({
    title: "an empty job and its result, to a worker that is awake",
    pause: 0,
    before: [],
    count: quick ? 200 : 20_000,
    targets: WAYS.flatMap((way) => onEach(way, { figuresAtMost: [15] })),
  }, options);
  const targets = onEach("waitSync", { atMost: 1.3 });
  const count = quick ? 20 : 500;
  const title = "an empty job and its result, to a worker that sleeps";
  await compareTrips({ title, pause: PAUSE_US, before: [], count, targets }, options);
  if (quick) return;
  if (spawnSync("taskset", ["--version"]).status !== 0) {
    return announce("taskset is not here: no trips on one core");
  }
  const before = ON_ONE_CORE;
  await compareTrips({ title: `${title}, on one core`, pause: PAUSE_US, before, count, targets }, options);
}
