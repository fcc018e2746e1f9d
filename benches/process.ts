/**
 * Claim: to start a program and wait for its end costs no more than the host's own ways do.
 *
 * Each contender starts /bin/true some hundred times, one after the other, with no stream inherited, and waits for each.
 * What is compared is the CPU of this process, all its threads: the child's own is the same for all. C does the same by
 * posix_spawn(3) and a descriptor of the process.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { hostName } from "../ffi/mod.ts";
import { Command } from "../lib/net/process.ts";
import { run as inRuntime } from "../lib/task/mod.ts";
import { compare, type Contender } from "./compare.ts";
import { buildPeer } from "./peers.ts";

const PROGRAM = "/bin/true";
const OURS = "Oxbow Command";
const NODE = "node:child_process";
const HOSTS_OWN = { deno: "Deno.Command", bun: "Bun.spawn", node: NODE };

function repeated(name: string, count: number, once: () => PromiseLike<boolean>): Contender {
  return {
    name,
    async sample() {
      const start = performance.now();
      const before = process.cpuUsage();
      for (let i = 0; i < count; i++) {
        if (!await once()) throw new Error(`${name}: ${PROGRAM} has failed`);
      }
      const { user, system } = process.cpuUsage(before);
      return [(user + system) / count, 1e3 * (performance.now() - start) / count];
    },
  };
}

/** Bun's own, as far as it is used here. */
interface BunSpawn {
  spawn(command: string[], options: { stdio: "ignore"[] }): { readonly exited: Promise<number> };
}

function hasSpawn(bun: object): bun is BunSpawn {
  return "spawn" in bun;
}

function hostsOwn(): () => PromiseLike<boolean> {
  if (hostName === "deno") {
    const command = new Deno.Command(PROGRAM, { stdin: "null", stdout: "null", stderr: "null" });
    return () => command.spawn().status.then(({ success }) => success);
  }
  const bun: unknown = Reflect.get(globalThis, "Bun");
  if (typeof bun === "object" && bun !== null && hasSpawn(bun)) {
    return () =>
      bun.spawn([PROGRAM], { stdio: ["ignore", "ignore", "ignore"] }).exited.then((code) => code === 0);
  }
  return nodes;
}

async function nodes(): Promise<boolean> {
  const [code] = await once(spawn(PROGRAM, { stdio: "ignore" }), "exit");
  return code === 0;
}

function ours(count: number): Contender {
  const command = new Command(PROGRAM, { stdin: "null", stdout: "null", stderr: "null" });
  const inHost = repeated(OURS, count, () => command.status().map(({ success }) => success));
  return { name: OURS, sample: () => inRuntime(() => inHost.sample()) };
}

/** In the host's own loop, as a program has it that calls no `run`. */
function attached(count: number): Contender {
  const command = new Command(PROGRAM, { stdin: "null", stdout: "null", stderr: "null" });
  return repeated(`${OURS}, no run`, count, () => command.status().map(({ success }) => success));
}

function peer(path: string, count: number): Contender {
  return {
    name: "C posix_spawn",
    sample() {
      const { stdout } = spawnSync(path, [String(count)], { encoding: "utf8" });
      return Promise.resolve(stdout.split(" ").map(Number));
    },
  };
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const count = quick ? 20 : 200;
  const path = buildPeer("spawn_wait");
  const contenders = [ours(count), attached(count), repeated(HOSTS_OWN[hostName], count, hostsOwn())];
  if (hostName !== "node") contenders.push(repeated(NODE, count, nodes));
  if (path !== undefined) contenders.push(peer(path, count));
  await compare({
    title: `start ${PROGRAM} and wait for it, one after the other, on ${hostName} ${
      process.versions[hostName]
    }`,
    units: ["own CPU µs", "µs"],
    baseline: HOSTS_OWN[hostName],
    contenders,
    quick,
    targets: [{ name: OURS, atMost: 1 }],
  });
}
