/**
 * HTTP servers on two threads beside one: answers a second, what each costs, and how connections are spread.
 *
 * The load runs on the same cores: what it takes of them is the same for an answer of either.
 *
 * @module
 */
import { hostName } from "../../ffi/mod.ts";
import { compare, type Contender } from "../compare.ts";
import { buildCrate, buildPeer, runPeer } from "../peers.ts";
import type { Server } from "../net/servers.ts";
import { type Options, ours, oursBy, peer } from "./contenders.ts";
import { lehmer } from "./programs/work.ts";
import { type Load, loadServer } from "./serving.ts";

const WORK_US = 50;
const CONNECTIONS = 64;
const ONE = "1 thread";

interface Serving {
  readonly name: string;
  readonly distribute: string;
  readonly threads: number;
}

const SERVINGS: readonly Serving[] = [
  { name: ONE, distribute: "reusePort", threads: 1 },
  { name: "2 threads, reusePort", distribute: "reusePort", threads: 2 },
  { name: "2 threads, passed", distribute: "pass", threads: 2 },
];

/** How far the one that is farthest from it is from an equal share, in percent. */
function unevenness(taken: readonly number[]): number {
  const share = taken.reduce((sum, count) => sum + count, 0) / taken.length;
  return 100 * Math.max(...taken.map((count) => Math.abs(count / share - 1)));
}

function contenders(what: string, load: Load): Contender[] {
  return SERVINGS.map(({ name, distribute, threads }) => ({
    name,
    async sample() {
      const [{ command }] = program(what, distribute, threads);
      const { answersPerSecond, cpu, taken } = await loadServer(command, load);
      if (taken.length !== threads) throw new Error(`${taken.length} threads serve, not ${threads}`);
      return [answersPerSecond, cpu, unevenness(taken)];
    },
  }));
}

/** On the host that runs the bench. */
function program(what: string, ...args: readonly (string | number)[]): Server[] {
  return oursBy([what], "servers.ts", args, { quick: true });
}

export async function servers({ quick }: Options): Promise<void> {
  const times = quick ? { warmUp: 0.3, duration: 0.2 } : { warmUp: 3, duration: 3 };
  const load = { connections: CONNECTIONS, tells: true, ...times };
  const [file, ...args] = program("calibrate", WORK_US)[0].command;
  const [turns] = runPeer(file, args);
  const others = SERVINGS.slice(1);
  await compare({
    title: `HTTP with ${WORK_US} µs of work an answer, ${CONNECTIONS} connections, ${
      ours("serveAll", hostName)
    }`,
    units: ["answers/s", "CPU µs", "% from even"],
    baseline: ONE,
    contenders: contenders("work", { ...load, body: String(lehmer(turns)), times: turns }),
    quick,
    targets: others.map(({ name }) => ({ name, atLeast: 1.6, figuresAtMost: [Infinity, Infinity, 20] })),
  });
  const hello = { ...load, body: "hello", times: 0 };
  await compare({
    title: `HTTP hello, ${CONNECTIONS} connections, ${ours("serveAll", hostName)}`,
    units: ["CPU µs", "answers/s", "% from even"],
    baseline: ONE,
    contenders: contenders("hello", hello).map(({ name, sample }) => ({
      name,
      async sample() {
        const [answersPerSecond, cpu, unevenness] = await sample();
        return [cpu, answersPerSecond, unevenness];
      },
    })),
    quick,
    targets: others.map(({ name }) => ({ name, atMost: 1.05, figuresAtMost: [Infinity, Infinity, 20] })),
  });
  const quiet = { ...hello, tells: false };
  const c = buildPeer("http_epoll");
  await comparePeer(
    "C, an epoll and a listener for each thread",
    (threads, name) => peer(name, c, threads),
    quiet,
    quick,
  );
  const hyper = buildCrate("tokio_servers");
  await comparePeer(
    "hyper on tokio's multi-thread runtime",
    (threads, name) => peer(name, hyper, "http", threads),
    quiet,
    quick,
  );
}

/** What a second thread costs others beside the same load. */
async function comparePeer(
  what: string,
  on: (threads: number, name: string) => Server[],
  load: Load,
  quick: boolean,
): Promise<void> {
  const programs = [...on(1, ONE), ...on(2, "2 threads")];
  if (programs.length === 0) return;
  await compare({
    title: `HTTP hello, ${load.connections} connections, ${what}`,
    units: ["CPU µs", "answers/s"],
    baseline: ONE,
    contenders: programs.map(({ name, command }) => ({
      name,
      async sample() {
        const { answersPerSecond, cpu } = await loadServer(command, load);
        return [cpu, answersPerSecond];
      },
    })),
    quick,
  });
}
