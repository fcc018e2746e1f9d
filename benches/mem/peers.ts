/** Others' maps, beside ours: memmap2 in Rust, C, and koffi, which runs in a process of Node's on every host. */
import { fileURLToPath } from "node:url";
import { type Contender, equals } from "../compare.ts";
import { buildCrate, buildPeer, runPeer } from "../peers.ts";

/** What they do: add up the floats in a map made before, or in one made anew; or open, read a byte, give back. */
export type Work = "sum-before" | "sum" | "open";

/** A program that prints nanoseconds and its result, to be given the work, the file and the repetitions. */
interface Peer {
  readonly name: string;
  command(): readonly string[] | undefined;
}

function program(path: string | undefined): readonly string[] | undefined {
  return path === undefined ? undefined : [path];
}

/** memmap2, in Rust. */
export const MEMMAP2 = "memmap2, in Rust";
/** mmap(2), in C. */
export const C = "mmap, in C -O2";
/** mmap(2) called through koffi. */
export const KOFFI = "koffi, on Node";

const PEERS: readonly Peer[] = [
  { name: MEMMAP2, command: () => program(buildCrate("memmap2")) },
  { name: C, command: () => program(buildPeer("mapped")) },
  {
    name: KOFFI,
    command: () => [
      fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url)),
      "--no-warnings",
      fileURLToPath(new URL("koffi_on_node.ts", import.meta.url)),
    ],
  },
];

/** What a peer is asked for, and what it must give. */
export interface Task {
  readonly work: Work;
  readonly path: string;
  readonly repetitions: number;
  readonly expected: number;
  /** What is printed, from the nanoseconds of one. */
  figure(ns: number): number;
}

/** The peers that are here. */
export function peers({ work, path, repetitions, expected, figure }: Task): Contender[] {
  return PEERS.flatMap(({ name, command }) => {
    const [file, ...args] = command() ?? [];
    if (file === undefined) return [];
    return [{
      name,
      sample(): Promise<readonly number[]> {
        const [ns, result] = runPeer(file, [...args, work, path, String(repetitions)]);
        equals(name, expected)(result);
        return Promise.resolve([figure(ns)]);
      },
    }];
  });
}
