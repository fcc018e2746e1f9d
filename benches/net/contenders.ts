/**
 * Who is put beside whom in `net.ts`, and how long each is asked.
 *
 * @module
 */
import type { Contender, Target } from "../compare.ts";
import { buildCrate, buildPeer } from "../peers.ts";
import { BODY, type Protocol } from "./loads.ts";
import { program, type Running, script, type Server, withServer } from "./servers.ts";

export const C = "C epoll";
export const BUN_SERVE = "Bun.serve";
const HOSTS = ["deno", "bun", "node"] as const;
export const TITLES = { deno: "Deno", bun: "Bun", node: "Node" };
export const CONNECTIONS = [64, 1000];

export interface Options {
  readonly quick: boolean;
  /** All where there is none. */
  readonly parts: readonly string[];
  /** Texts of which one is in a contender's name. */
  readonly only: readonly string[];
}

export function ours(what: string, file: string, ...args: string[]): Server[] {
  return HOSTS.flatMap((host) => script(`${what} on ${TITLES[host]}`, host, file, ...args));
}

export function echoServers(): Server[] {
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

export function httpServers(): Server[] {
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
export function chosen(servers: readonly Server[], baseline: string, { only }: Options): Server[] {
  return servers.filter(({ name }) =>
    only.length === 0 || name === baseline ||
    only.some((text) => name.toLowerCase().includes(text.toLowerCase()))
  );
}

/** Bun's last compiler is at work for the first 100,000 answers, which are seconds. */
export function times({ quick }: Options): { warmUp: number; duration: number } {
  return quick ? { warmUp: 0.3, duration: 0.2 } : { warmUp: 3, duration: 2 };
}

/** Throws where the server does not answer as it should: a `Date` is among what every server owes its clients. */
async function checkAnswer(name: string, { port }: Running): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const body = await response.text();
  const isDated = name === C || Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now()) < 3000;
  if (response.status === 200 && body === BODY && isDated) return;
  throw new Error(`${name} answers ${response.status} ${body}, of ${response.headers.get("date")}`);
}

export function contender(
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

/** The same target for each host. */
export function onEach(what: string, target: Omit<Target, "name">): Target[] {
  return HOSTS.map((host) => ({ name: `${what} on ${TITLES[host]}`, ...target }));
}
