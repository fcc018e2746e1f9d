/**
 * Small jobs through one submitter, who takes every result.
 *
 * @module
 */
import { hostName } from "../../ffi/mod.ts";
import { compare, type Target } from "../compare.ts";
import { buildCrate } from "../peers.ts";
import {
  librariesBy,
  onEach,
  type Options,
  ours,
  oursBy,
  peer,
  PISCINA,
  printed,
  type Running,
} from "./contenders.ts";

const WAYS = ["waitSync", "yield", "await"];
const BATCH = 500;
const TOKIO = "tokio";
const ONE_QUEUE = "one queue and a mutex in Rust";
const ONE_OF_OURS = "oneQueue";
/** 300,000 a second. */
const MOST_US = 1e6 / 300_000;

const RATES: Running = { figures: ([rate]) => [1e6 / rate, rate] };
const UNITS = ["µs a job", "jobs/s"];

async function compareJobs(threads: number, options: Options): Promise<void> {
  const { quick } = options;
  const tokio = buildCrate("tokio_pool");
  const [count, fewer] = quick ? [5_000, 1_000] : [500_000, 20_000];
  const programs = [
    ...librariesBy("throughput.ts", [threads, fewer, BATCH], options),
    ...oursBy(WAYS, "throughput.ts", [threads, count, BATCH], options),
    ...peer(TOKIO, tokio, "jobs", threads, count, BATCH),
  ];
  const targets: Target[] = WAYS.flatMap((way) =>
    onEach(way, { atMost: 0.1, figuresAtMost: [MOST_US, Infinity] })
  );
  await compare({
    title: `small jobs through one submitter, ${threads} workers, ${BATCH} in flight`,
    units: UNITS,
    baseline: programs.some(({ name }) => name === PISCINA) ? PISCINA : programs[0].name,
    contenders: printed(programs, RATES),
    quick,
    targets,
  });
}

/** What a queue with a mutex makes of it, which tokio's threads are said to be ten times as fast as. */
async function compareQueues(threads: number, options: Options): Promise<void> {
  const { quick } = options;
  const tokio = buildCrate("tokio_pool");
  const count = quick ? 5_000 : 500_000;
  const programs = [
    ...peer(ONE_QUEUE, tokio, "one_queue", threads, count, BATCH),
    ...peer(TOKIO, tokio, "jobs", threads, count, BATCH),
    ...oursBy([ONE_OF_OURS, "waitSync"], "throughput.ts", [threads, count, BATCH], options),
  ];
  const baseline = ours(ONE_OF_OURS, hostName);
  await compare({
    title: `the same jobs beside one queue and a mutex, ${threads} workers`,
    units: UNITS,
    baseline,
    contenders: printed(programs, RATES),
    quick,
  });
}

export async function jobs(options: Options): Promise<void> {
  for (const threads of options.quick ? [2] : [1, 2]) {
    await compareJobs(threads, options);
    await compareQueues(threads, options);
  }
}
