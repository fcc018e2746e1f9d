/**
 * Claims: an empty job comes back from a worker that is awake within 15 µs, and from one that sleeps within 1.3 times a
 * bare round trip of two threads of C by futex. One submitter has 300,000 small jobs a second done or more, ten times
 * what piscina does. Jobs of very different lengths take no longer than the least that the threads could. The threads of
 * an idle pool are never switched to. A second thread brings what it brings to C; HTTP servers that compute for 50 µs an
 * answer give 1.6 times as many answers on two cores, those that do not cost no more CPU each, and connections are spread.
 *
 * Each contender runs in a process of its own, fresh in every round, turn about, and checks what its jobs give.
 *
 *     deno run -A benches/pool.ts [PART]... [--quick]
 *
 * runs some parts (trips, jobs, scaling, uneven, channels, idle, servers) alone.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { machine } from "./compare.ts";
import type { Options } from "./pool/contenders.ts";
import { channels } from "./pool/channels.ts";
import { idle } from "./pool/idle.ts";
import { jobs } from "./pool/jobs.ts";
import { scaling } from "./pool/scaling.ts";
import { servers } from "./pool/servers.ts";
import { trips } from "./pool/trips.ts";
import { uneven } from "./pool/uneven.ts";

const PARTS: Record<string, (options: Options) => Promise<void>> = {
  trips,
  jobs,
  scaling,
  uneven,
  channels,
  idle,
  servers,
};

async function runParts(parts: readonly string[], options: Options): Promise<void> {
  const unknown = parts.filter((part) => !Object.hasOwn(PARTS, part));
  if (unknown.length > 0) {
    throw new Error(`no such part: ${unknown}; there are: ${Object.keys(PARTS).join(", ")}`);
  }
  for (const part of parts.length > 0 ? parts : Object.keys(PARTS)) await PARTS[part](options);
}

export async function run(options: Options): Promise<void> {
  await runParts([], options);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false } },
  });
  console.log(machine());
  await runParts(positionals, values);
  process.exit();
}
