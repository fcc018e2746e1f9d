/**
 * Claim: our server takes at most 1.45 times the CPU a request of a minimal epoll server in C, with
 * `Request` and `Response`.
 *
 * Each contender runs in a process of its own, fresh in every round, and answers "hello" to 64 keep-alive
 * connections that wait for each answer before they ask again. Its CPU is what /proc/PID/stat counts while
 * it is measured. The load comes from this process and takes a core: requests a second say as much about
 * it, and on two cores a server that is faster than the load finds fewer requests at each wake-up.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { hostName } from "../ffi/mod.ts";
import { compare, type Contender } from "./compare.ts";
import { CONNECTIONS, load } from "./http/load.ts";
import { buildPeer } from "./peers.ts";

const HOSTS_OWN = { deno: "Deno.serve", bun: "Bun.serve", node: "node:http" };
const OURS = "Oxbow serve";
const C = "C epoll";

/** The first line that the server prints. */
function portOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`${server.spawnfile} ended with ${code}`)));
    server.stdout?.once("data", (line) => resolve(Number(line)));
  });
}

function contender(name: string, command: string, args: readonly string[], quick: boolean): Contender {
  return {
    name,
    async sample() {
      const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
      try {
        const port = await portOf(server);
        const { pid = 0 } = server;
        const times = quick ? { warmUpMs: 150, measureMs: 250 } : { warmUpMs: 1000, measureMs: 2000 };
        const { requests, seconds, userSeconds, systemSeconds } = await load({ port, pid, ...times });
        const [user, system] = [userSeconds, systemSeconds].map((cpu) => 1e6 * cpu / requests);
        return [user + system, user, system, requests / seconds];
      } finally {
        server.kill("SIGKILL");
      }
    },
  };
}

function script(name: string, file: string, quick: boolean): Contender {
  const path = fileURLToPath(new URL(`http/${file}`, import.meta.url));
  return contender(name, process.execPath, hostName === "deno" ? ["run", "-A", path] : [path], quick);
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const ours = script(OURS, "oxbow_server.ts", quick);
  const host = script(HOSTS_OWN[hostName], "host_server.ts", quick);
  const peer = buildPeer("http_epoll");
  await compare({
    title: `HTTP/1.1, ${CONNECTIONS} connections, a request`,
    units: ["CPU µs", "user µs", "system µs", "requests/s"],
    baseline: peer === undefined ? host.name : C,
    contenders: peer === undefined ? [ours, host] : [contender(C, peer, [], quick), ours, host],
    quick,
    targets: peer === undefined ? [] : [{ name: OURS, atMost: 1.45 }],
  });
}
