/**
 * What an answer costs a server: of 64 bytes as they are, and of HTTP, by our load and by wrk.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { compare, type Target } from "../compare.ts";
import { announce } from "../peers.ts";
import {
  C,
  chosen,
  CONNECTIONS,
  contender,
  echoServers,
  httpServers,
  onEach,
  type Options,
  times,
} from "./contenders.ts";
import { type Asking, type Cost, costOf, load, loadByWrk, type Protocol } from "./loads.ts";
import type { Server } from "./servers.ts";

/** How many connections ask at once. */
function numbersOf({ quick }: Options): readonly number[] {
  return quick ? CONNECTIONS.slice(0, 1) : CONNECTIONS;
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

export async function echo(options: Options): Promise<void> {
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

export async function http(options: Options): Promise<void> {
  const servers = httpServers();
  for (const connections of numbersOf(options)) {
    const asking = { connections, ...times(options) };
    await costs("http", "HTTP/1.1 hello", servers, asking, options, [
      ...onEach("serve", { atMost: 1.45 }),
      ...onEach("serveLean", { atMost: 1.3 }),
    ]);
  }
}

export async function wrk(options: Options): Promise<void> {
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
