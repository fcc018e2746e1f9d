/**
 * How late the answers of HTTP servers come.
 *
 * @module
 */
import { compare } from "../compare.ts";
import { announce } from "../peers.ts";
import {
  BUN_SERVE,
  chosen,
  CONNECTIONS,
  contender,
  httpServers,
  onEach,
  type Options,
  times,
} from "./contenders.ts";
import { type Asking, load } from "./loads.ts";
import { type Running, withServer } from "./servers.ts";

async function saturation(running: Running, asking: Asking): Promise<number> {
  return (await load("http", running, asking)).answersPerSecond;
}

/** At half of what each can answer, then at half of what Bun.serve can. */
export async function latency(options: Options): Promise<void> {
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
