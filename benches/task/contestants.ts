/**
 * The programs that do the works: tokio and Go where they can be built, and on each host that is here the bare promises
 * and ours in three columns.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type HostName, hostName } from "../../ffi/mod.ts";
import { announce, buildCrate, buildModule } from "../peers.ts";
import type { Line } from "./rounds.ts";
import type { Work } from "./works.ts";

/** One column. */
export interface Contestant {
  /** Its column's two lines of title. */
  readonly group: string;
  readonly way: string;
  readonly command: readonly string[];
  /** The works that it has words for. */
  readonly works: ReadonlySet<string>;
}

/** What a column's program prints of one work, and which work. */
export type Printed = Line & { readonly work: string };

export const TOKIO = "tokio";
export const MIMALLOC = "mimalloc";
export const PROMISES = "promises";
export const OURS: readonly string[] = ["coroutine", "future", "async"];

const TITLES = { deno: "Deno", bun: "Bun", node: "Node" };
/** The hosts' titles. */
export const HOSTS: readonly string[] = Object.values(TITLES);

const ARGUMENTS = { deno: ["run", "-A", "--quiet"], bun: ["run"], node: ["--no-warnings"] };

const SPAWNING = ["spawn_many", "yield_many", "ping_pong", "chained_spawn", "mpsc_1", "mpsc_5"];
const GO_WORKS = new Set([...SPAWNING, "memory_pending"]);
const ASYNC_WORKS = new Set([
  ...SPAWNING,
  "spawn_join",
  "spawn_join_all",
  "timer_fire",
  "memory_pending",
  "memory_sleep",
]);
const TOKIO_WORKS = new Set([...ASYNC_WORKS, "timer_cancel"]);
const PROMISE_WORKS = new Set([...TOKIO_WORKS, "spawn_join_deferred"]);
const COROUTINE_WORKS = new Set([...TOKIO_WORKS, "mpsc_1_trying"]);

/** The host's program: this one, or the one that is installed beside the sources, or in the PATH. */
function executable(host: HostName): string | undefined {
  if (host === hostName) return process.execPath;
  const installed = fileURLToPath(new URL(`../../node_modules/.bin/${host}`, import.meta.url));
  if (existsSync(installed)) return installed;
  if (spawnSync(host, ["--version"]).status === 0) return host;
  return announce(`${host} is not here: its columns are left out`);
}

function onHost(host: HostName): Contestant[] {
  const path = executable(host);
  if (path === undefined) return [];
  const program = (way: string, file: string, works: ReadonlySet<string>) => ({
    group: TITLES[host],
    way,
    command: [path, ...ARGUMENTS[host], fileURLToPath(new URL(file, import.meta.url))],
    works,
  });
  return [
    program(PROMISES, "promises.ts", PROMISE_WORKS),
    program("coroutine", "coroutines.ts", COROUTINE_WORKS),
    program("future", "futures.ts", TOKIO_WORKS),
    program("async", "asyncs.ts", ASYNC_WORKS),
  ];
}

/** Those that are here. Says which are not. */
export function contestants(): Contestant[] {
  const peer = (group: string, way: string, program: string | undefined, works: ReadonlySet<string>) =>
    program === undefined ? [] : [{ group, way, command: [program], works }];
  return [
    ...peer(TOKIO, "glibc", buildCrate("tokio"), TOKIO_WORKS),
    ...peer(TOKIO, MIMALLOC, buildCrate("tokio", "tokio_mimalloc"), TOKIO_WORKS),
    ...peer("Go", "goroutines", buildModule("goroutines"), GO_WORKS),
    ...onHost("deno"),
    ...onHost("bun"),
    ...onHost("node"),
  ];
}

/** Runs the works in a process of their own. Throws what the program says where it fails. */
export function perform(
  { group, way, command: [program, ...args] }: Contestant,
  works: readonly Work[],
  quick: boolean,
): Printed[] {
  const times = quick ? ["0", "0"] : ["150", "100"];
  const asked = works.map(({ name, count, quickCount = count }) => `${name}=${quick ? quickCount : count}`);
  const { error, status, signal, stdout, stderr } = spawnSync(program, [...args, ...times, ...asked], {
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    const end = `ended with ${status ?? signal}`;
    throw new Error(`${group}, ${way}: ${asked.join(" ")} ${end}:\n${stdout}${stderr}`);
  }
  return stdout.trim().split("\n").map((line): Printed => JSON.parse(line));
}
