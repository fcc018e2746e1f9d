/**
 * Claims: an echo server of UDP takes less CPU a datagram than the hosts' own, in batches and one by one; and batches,
 * where there are many datagrams at once, take less than single calls.
 *
 * Each contender runs in a process and on a core of its own, fresh in every round. The load, which is one and the same
 * for all, sends a window of datagrams of 64 bytes, and the next once all have come back as they went and in their
 * order. With a window of 1 there is nothing to be batched: what is seen is a wake-up.
 *
 *     deno run -A benches/udp.ts [--quick]
 *
 * @module
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { hostName } from "../ffi/mod.ts";
import { compare, machine } from "./compare.ts";
import { onCore, type Running, script, type Server, withServer } from "./net/servers.ts";

const HOSTS = ["deno", "bun", "node"] as const;
const TITLES = { deno: "Deno", bun: "Bun", node: "Node" };
const BASELINE = "batches on Deno";

/** Deno has datagrams behind a flag. */
function unstable({ name, command: [deno, run, ...rest] }: Server): Server {
  return { name, command: [deno, run, "--unstable-net", ...rest] };
}

function servers(): Server[] {
  return [
    ...HOSTS.flatMap((host) => script(`batches on ${TITLES[host]}`, host, "udp_echo.ts", "--batch")),
    ...HOSTS.flatMap((host) => script(`one by one on ${TITLES[host]}`, host, "udp_echo.ts")),
    ...script("Bun.udpSocket", "bun", "host_udp.ts", "Bun.udpSocket"),
    ...script("Deno.listenDatagram", "deno", "host_udp.ts", "Deno.listenDatagram").map(unstable),
    ...script("node:dgram", "node", "host_udp.ts", "node:dgram"),
  ];
}

/** What the load says of a server that runs. Throws where a datagram was not given back as it was. */
async function loaded({ port, pid }: Running, window: number, seconds: number): Promise<number[]> {
  const [{ command }] = script("load", hostName, "udp_load.ts", ...[port, pid, window, seconds].map(String));
  const [file, ...args] = onCore("load", command);
  const { stdout } = await promisify(execFile)(file, args);
  const { cpu, perSecond }: { cpu: number; perSecond: number } = JSON.parse(stdout);
  return [cpu, perSecond];
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  for (const window of [64, 1]) {
    await compare({
      title: `echo of datagrams of 64 bytes, ${window} at once`,
      units: ["CPU µs", "datagrams/s"],
      baseline: BASELINE,
      contenders: servers().map((server) => ({
        name: server.name,
        sample: () => withServer(server, (running) => loaded(running, window, quick ? 0.4 : 1)),
      })),
      quick,
    });
  }
}

if (import.meta.main) {
  console.log(machine());
  await run({ quick: process.argv.includes("--quick") });
}
