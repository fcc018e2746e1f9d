/**
 * What connections cost that only wait, in memory and to those that ask.
 *
 * @module
 */
import { compare } from "../compare.ts";
import {
  chosen,
  CONNECTIONS,
  contender,
  echoServers,
  httpServers,
  onEach,
  type Options,
  times,
} from "./contenders.ts";
import { costOf, load } from "./loads.ts";
import { mostDescriptors } from "./servers.ts";

const IDLE = 10_000;

/** Descriptors of a server and of the load that are no idle connections. */
const OTHER_DESCRIPTORS = 200;

/** What connections cost that only wait. */
export async function idle(options: Options): Promise<void> {
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
