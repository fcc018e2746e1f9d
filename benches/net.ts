/**
 * Claims: our echo server takes at most 1.2 times the CPU a message of one in C on epoll, and less than the hosts'
 * own; our HTTP server at most 1.45 times that of a minimal one in C with `Request` and `Response`, and at most 1.3
 * times with the lean handler, which is less than Bun.serve and Deno.serve take. At half of what it can answer its
 * p99 latency is no worse than Bun.serve's. 10,000 connections that only wait take at most 4 KiB each of memory, and
 * make no request dearer. A file of 1 MiB takes at most a quarter more CPU than nginx takes.
 *
 * Each contender runs in a process of its own, fresh in every round, on a core that it has for itself, and is asked by
 * `examples/load.ts` on another. Its CPU is what /proc/PID/stat counts while it is measured: a server that is faster
 * than the load finds fewer requests at each wake-up, so that requests a second say as much about the load.
 *
 *     deno run -A benches/net.ts [PART]... [--quick] [--only TEXT]...
 *
 * runs some parts (echo, http, wrk, latency, idle, files) alone, or those contenders alone whose names hold a text, beside
 * the baseline.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { hostName } from "../ffi/mod.ts";
import { machine } from "./compare.ts";
import { echo, http, wrk } from "./net/answers.ts";
import { type Options, TITLES } from "./net/contenders.ts";
import { files } from "./net/files.ts";
import { idle } from "./net/idle.ts";
import { latency } from "./net/latency.ts";

const PARTS: Record<string, (options: Options) => Promise<void>> = { echo, http, wrk, latency, idle, files };

async function runParts(options: Options): Promise<void> {
  const unknown = options.parts.filter((part) => !Object.hasOwn(PARTS, part));
  if (unknown.length > 0) {
    throw new Error(`no such part: ${unknown}; there are: ${Object.keys(PARTS).join(", ")}`);
  }
  for (const part of options.parts.length > 0 ? options.parts : Object.keys(PARTS)) {
    await PARTS[part](options);
  }
}

/** All of it, or in small those contenders alone that run on this host. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  await runParts({ quick, parts: [], only: quick ? [TITLES[hostName]] : [] });
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
    },
  });
  console.log(machine());
  await runParts({ ...values, parts: positionals });
  process.exit();
}
