/**
 * Who is put beside whom in `pool.ts`: ours on each host, other pools on each host that they work on, C and tokio.
 *
 * @module
 */
import { hostName } from "../../ffi/mod.ts";
import type { Contender, Target } from "../compare.ts";
import { program, script, type Server } from "../net/servers.ts";
import { runPeer } from "../peers.ts";

export interface Options {
  readonly quick: boolean;
}

type Host = typeof hostName;

const TITLES = { deno: "Deno", bun: "Bun", node: "Node" };
const HOSTS: readonly Host[] = ["deno", "bun", "node"];
/** Those that give answers on each host. */
const LIBRARIES = {
  deno: ["postMessage", "piscina", "workerpool"],
  bun: ["postMessage", "piscina", "tinypool"],
  node: ["postMessage", "piscina", "tinypool", "workerpool"],
} as const;
export const PISCINA = "piscina on Node";
/** All on one core. */
export const ON_ONE_CORE: readonly string[] = ["taskset", "--cpu-list", "0"];

/** All hosts; in small the one that runs the bench. */
function hosts({ quick }: Options): readonly Host[] {
  return quick ? [hostName] : HOSTS;
}

/** How one of ours is called in the tables. */
export function ours(way: string, host: Host): string {
  return `Oxbow, ${way}, on ${TITLES[host]}`;
}

/** How a program is run, and what becomes of the numbers that it prints. */
export interface Running {
  readonly before?: readonly string[];
  figures?(printed: readonly number[]): readonly number[];
}

/** What the programs print, of each round. */
export function printed(programs: readonly Server[], { before = [], figures }: Running = {}): Contender[] {
  return programs.map(({ name, command }) => ({
    name,
    sample() {
      const [first, ...rest] = [...before, ...command];
      const numbers = runPeer(first, rest);
      return Promise.resolve(figures?.(numbers) ?? numbers);
    },
  }));
}

/** A program of `programs/` on each host, called with each of the ways. */
export function oursBy(
  ways: readonly string[],
  file: string,
  args: readonly (string | number)[],
  options: Options,
): Server[] {
  return hosts(options).flatMap((host) =>
    ways.flatMap((way) => script(ours(way, host), host, `../pool/programs/${file}`, way, ...args.map(String)))
  );
}

/** The same with other pools but those that are left out. In small piscina alone. */
export function librariesBy(
  file: string,
  args: readonly (string | number)[],
  { quick }: Options,
  leftOut: readonly string[] = [],
): Server[] {
  const everywhere = HOSTS.flatMap((host) =>
    LIBRARIES[host].filter((library) => !leftOut.includes(library)).flatMap((library) =>
      script(`${library} on ${TITLES[host]}`, host, `../pool/programs/${file}`, library, ...args.map(String))
    )
  );
  return quick ? everywhere.filter(({ name }) => name === PISCINA) : everywhere;
}

/** A program that was built, with its arguments. */
export function peer(
  name: string,
  path: string | undefined,
  ...args: readonly (string | number)[]
): Server[] {
  return program(name, path, ...args.map(String));
}

/** The same target for ours on each host. */
export function onEach(way: string, target: Omit<Target, "name">): Target[] {
  return HOSTS.map((host) => ({ name: ours(way, host), ...target }));
}
