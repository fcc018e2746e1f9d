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
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { hostName } from "../ffi/mod.ts";
import { compare, type Contender, machine, type Target } from "./compare.ts";
import { type Asking, BODY, type Cost, costOf, load, loadByWrk, type Protocol } from "./net/loads.ts";
import {
  mostDescriptors,
  nginx,
  program,
  type Running,
  script,
  type Server,
  withServer,
} from "./net/servers.ts";
import { announce, buildCrate, buildPeer } from "./peers.ts";

const C = "C epoll";
const BUN_SERVE = "Bun.serve";
const HOSTS = ["deno", "bun", "node"] as const;
const TITLES = { deno: "Deno", bun: "Bun", node: "Node" };
const CONNECTIONS = [64, 1000];
const IDLE = 10_000;
const FILE_BYTES = 1 << 20;
/** Descriptors of a server and of the load that are no idle connections. */
const OTHER_DESCRIPTORS = 200;

interface Options {
  readonly quick: boolean;
  /** All where there is none. */
  readonly parts: readonly string[];
  /** Texts of which one is in a contender's name. */
  readonly only: readonly string[];
}

function ours(what: string, file: string, ...args: string[]): Server[] {
  return HOSTS.flatMap((host) => script(`${what} on ${TITLES[host]}`, host, file, ...args));
}

function echoServers(): Server[] {
  const tokio = buildCrate("tokio_servers");
  return [
    ...program(C, buildPeer("echo_epoll")),
    ...program("tokio", tokio, "echo"),
    ...ours("Oxbow", "echo_server.ts"),
    ...ours("Oxbow lean", "echo_server.ts", "--lean"),
    ...ours("Oxbow future", "echo_server.ts", "--future"),
    ...script("Bun.listen", "bun", "host_echo.ts", "Bun.listen"),
    ...script("Deno.listen", "deno", "host_echo.ts", "Deno.listen"),
    ...script("node:net", "node", "host_echo.ts", "node:net"),
  ];
}

function httpServers(): Server[] {
  const tokio = buildCrate("tokio_servers");
  return [
    ...program(C, buildPeer("http_epoll")),
    ...program("hyper", tokio, "http"),
    ...ours("serve", "http_server.ts"),
    ...ours("serveLean", "http_server.ts", "--lean"),
    ...script(BUN_SERVE, "bun", "host_http.ts", BUN_SERVE),
    ...script("Deno.serve", "deno", "host_http.ts", "Deno.serve"),
    ...script("node:http", "node", "host_http.ts", "node:http"),
  ];
}

/** Those that are to be measured. */
function chosen(servers: readonly Server[], baseline: string, { only }: Options): Server[] {
  return servers.filter(({ name }) =>
    only.length === 0 || name === baseline ||
    only.some((text) => name.toLowerCase().includes(text.toLowerCase()))
  );
}

/** Bun's last compiler is at work for the first 100,000 answers, which are seconds. */
function times({ quick }: Options): { warmUp: number; duration: number } {
  return quick ? { warmUp: 0.3, duration: 0.2 } : { warmUp: 3, duration: 2 };
}

/** How many connections ask at once. */
function numbersOf({ quick }: Options): readonly number[] {
  return quick ? CONNECTIONS.slice(0, 1) : CONNECTIONS;
}

/** Throws where the server does not answer as it should: a `Date` is among what every server owes its clients. */
async function checkAnswer(name: string, { port }: Running): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const body = await response.text();
  const isDated = name === C || Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now()) < 3000;
  if (response.status === 200 && body === BODY && isDated) return;
  throw new Error(`${name} answers ${response.status} ${body}, of ${response.headers.get("date")}`);
}

function contender(
  server: Server,
  protocol: Protocol,
  sample: (running: Running) => Promise<number[]>,
): Contender {
  return {
    name: server.name,
    sample: () =>
      withServer(server, async (running) => {
        if (protocol === "http") await checkAnswer(server.name, running);
        return await sample(running);
      }),
  };
}

function columnsOf({ user, system, answersPerSecond }: Cost): number[] {
  return [user + system, user, system, answersPerSecond];
}

/** What an answer costs the server. */
async function costs(
  protocol: Protocol,
  title: string,
  servers: readonly Server[],
  asking: Asking,
  options: Options,
  targets: readonly Target[],
): Promise<void> {
  const hasC = servers.some(({ name }) => name === C);
  const baseline = hasC ? C : servers[0].name;
  await compare({
    title: `${title}, ${asking.connections} connections, an answer`,
    units: ["CPU µs", "user µs", "system µs", "answers/s"],
    baseline,
    contenders: chosen(servers, baseline, options).map((server) =>
      contender(server, protocol, async (running) => columnsOf(costOf(await load(protocol, running, asking))))
    ),
    quick: options.quick,
    targets: hasC ? targets : [],
  });
}

/** The same target for each host. */
function onEach(what: string, target: Omit<Target, "name">): Target[] {
  return HOSTS.map((host) => ({ name: `${what} on ${TITLES[host]}`, ...target }));
}

async function echo(options: Options): Promise<void> {
  const servers = echoServers();
  for (const connections of numbersOf(options)) {
    const asking = { connections, ...times(options) };
    await costs("echo", "echo of 64 bytes", servers, asking, options, [
      ...onEach("Oxbow", { atMost: 1.2 }),
      ...onEach("Oxbow lean", { atMost: 1.2 }),
      ...onEach("Oxbow future", { atMost: 1.2 }),
    ]);
  }
}

async function http(options: Options): Promise<void> {
  const servers = httpServers();
  for (const connections of numbersOf(options)) {
    const asking = { connections, ...times(options) };
    await costs("http", "HTTP/1.1 hello", servers, asking, options, [
      ...onEach("serve", { atMost: 1.45 }),
      ...onEach("serveLean", { atMost: 1.3 }),
    ]);
  }
}

async function wrk(options: Options): Promise<void> {
  if (spawnSync("wrk", ["--version"]).error !== undefined) {
    return announce("wrk is not here: there is no second opinion");
  }
  const servers = httpServers();
  const asking = { connections: CONNECTIONS[0], ...times(options) };
  const baseline = servers[0].name;
  await compare({
    title: `HTTP/1.1 hello by wrk, ${asking.connections} connections, an answer`,
    units: ["CPU µs", "user µs", "system µs", "answers/s"],
    baseline,
    contenders: chosen(servers, baseline, options).map((server) =>
      contender(server, "http", async (running) => columnsOf(await loadByWrk(running, asking)))
    ),
    quick: options.quick,
  });
}

async function saturation(running: Running, asking: Asking): Promise<number> {
  return (await load("http", running, asking)).answersPerSecond;
}

/** At half of what each can answer, then at half of what Bun.serve can. */
async function latency(options: Options): Promise<void> {
  const servers = httpServers();
  const bun = servers.find(({ name }) => name === BUN_SERVE);
  if (bun === undefined) return announce(`there is no ${BUN_SERVE} to hold latencies against`);
  const asking = { connections: CONNECTIONS[0], ...times(options) };
  const ofBun = await withServer(bun, (running) => saturation(running, asking)) / 2;
  for (const rate of [undefined, ofBun]) {
    await compare({
      title: rate === undefined
        ? `HTTP/1.1 hello, ${asking.connections} connections, latency at half of its saturation`
        : `HTTP/1.1 hello, ${asking.connections} connections, latency at half of ${BUN_SERVE}'s saturation`,
      units: ["p99 µs", "p99.9 µs", "p50 µs", "requests/s"],
      baseline: BUN_SERVE,
      contenders: chosen(servers, BUN_SERVE, options).map((server) =>
        contender(server, "http", async (running) => {
          const half = rate ?? await saturation(running, asking) / 2;
          const { latency: { p99, p999, p50 } } = await load("http", running, { ...asking, rate: half });
          return [p99, p999, p50, half];
        })
      ),
      quick: options.quick,
      targets: [...onEach("serve", { atMost: 1 }), ...onEach("serveLean", { atMost: 1 })],
    });
  }
}

/** What connections cost that only wait. */
async function idle(options: Options): Promise<void> {
  const waiting = Math.min(options.quick ? 1000 : IDLE, mostDescriptors() - OTHER_DESCRIPTORS);
  for (const protocol of ["echo", "http"] as const) {
    const servers = protocol === "echo" ? echoServers() : httpServers();
    const asking = { connections: CONNECTIONS[0], ...times(options) };
    const baseline = servers[0].name;
    await compare({
      title: `${protocol}: ${
        waiting.toLocaleString("en")
      } connections that wait, and ${asking.connections} that ask`,
      units: ["CPU µs", "CPU µs without them", "over that", "KiB for each"],
      baseline,
      contenders: chosen(servers, baseline, options).map((server) =>
        contender(server, protocol, async (running) => {
          const alone = costOf(await load(protocol, running, asking));
          const { used } = await load(protocol, running, {
            connections: 0,
            idle: waiting,
            warmUp: 0,
            duration: asking.duration,
          });
          const [before = NaN, after = NaN] = used?.residentBytes ?? [];
          const beside = costOf(await load(protocol, running, { ...asking, idle: waiting }));
          const [without, among] = [alone, beside].map(({ user, system }) => user + system);
          return [among, without, among / without, (after - before) / waiting / 1024];
        })
      ),
      quick: options.quick,
      targets: onEach(protocol === "echo" ? "Oxbow lean" : "serve", {
        figuresAtMost: [Infinity, Infinity, 1.1, 4],
      }),
    });
  }
}

/** A file of 1 MiB, by what a CPU second sends of it. */
async function files(options: Options): Promise<void> {
  using stack = new DisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "oxbow-files-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const bytes = crypto.getRandomValues(new Uint8Array(65536));
  const file = { path: "/file.bin", length: FILE_BYTES };
  writeFileSync(
    folder + file.path,
    Uint8Array.from({ length: FILE_BYTES }, (_, i) => bytes[i % 65536] ^ (i >> 16)),
  );
  const servers = [
    ...await nginx(folder),
    ...ours("serveFiles", "file_server.ts", folder),
    ...script("Bun.file", "bun", "host_files.ts", BUN_SERVE, folder),
    ...script("Deno.open", "deno", "host_files.ts", "Deno.serve", folder),
  ];
  const asking = { connections: CONNECTIONS[0], ...times(options), file };
  const baseline = servers[0].name;
  await compare({
    title: `a file of 1 MiB, ${asking.connections} connections`,
    units: ["MiB a CPU second", "user µs a file", "system µs a file", "MiB/s"],
    baseline,
    contenders: chosen(servers, baseline, options).map((server) => ({
      name: server.name,
      sample: () =>
        withServer(server, async (running) => {
          const sent = await (await fetch(`http://127.0.0.1:${running.port}${file.path}`)).bytes();
          if (Buffer.compare(sent, readFileSync(folder + file.path)) !== 0) {
            throw new Error(`${server.name}: another file`);
          }
          const { user, system, answersPerSecond } = costOf(await load("http", running, asking));
          return [1e6 / (user + system), user, system, answersPerSecond];
        }),
    })),
    quick: options.quick,
    targets: baseline === "nginx" ? onEach("serveFiles", { atLeast: 0.8 }) : [],
  });
}

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
