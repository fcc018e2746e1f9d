/** Sums over a mapped file: in a map made before, and with opening, mapping and giving back. */
import { readFileSync } from "node:fs";
import { hostName } from "../../ffi/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { compare, type Contender, equals, timed } from "../compare.ts";
import { bunMap } from "./bun.ts";
import { floats, MIB, sum } from "./floats.ts";
import { KOFFI, peers, type Work } from "./peers.ts";

const IN_MEMORY = "host's ArrayBuffer, in memory";
const MAPPED = "Mmap";

/** The file's path, its bytes and its floats' sum. */
export interface Floats {
  readonly path: string;
  readonly byteLength: number;
  readonly total: number;
}

/** Prints both tables. */
export async function compareSums({ path, byteLength, total }: Floats, quick: boolean): Promise<void> {
  function figure(ns: number): number {
    return byteLength / ns;
  }
  function pass(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, total), figure });
  }
  function others(work: Work): Contender[] {
    return peers({ work, path, repetitions: quick ? 1 : 5, expected: total, figure });
  }
  const size = `${byteLength / MIB} MiB of float32`;
  {
    using map = Mmap.open(path);
    const view = map.view(Float32Array, 0, byteLength / 4);
    const memory = floats(readFileSync(path));
    const contenders = [pass(IN_MEMORY, () => sum(memory)), pass(MAPPED, () => sum(view))];
    if (hostName === "bun") {
      const mapped = floats(bunMap(path));
      contenders.push(pass("Bun.mmap", () => sum(mapped)));
    }
    contenders.push(...others("sum-before"));
    await compare({
      title: `sum of ${size}, mapped before`,
      units: ["GB/s"],
      baseline: IN_MEMORY,
      contenders,
      quick,
      targets: [{ name: MAPPED, atLeast: 0.95 }],
    });
  }
  const contenders = [
    pass(MAPPED, () => {
      using map = Mmap.open(path);
      return sum(map.view(Float32Array, 0, byteLength / 4));
    }),
    pass("readFileSync", () => sum(floats(readFileSync(path)))),
  ];
  if (hostName === "bun") contenders.push(pass("Bun.mmap", () => sum(floats(bunMap(path)))));
  contenders.push(...others("sum"));
  await compare({
    title: `map, sum and dispose of ${size}`,
    units: ["GB/s"],
    baseline: MAPPED,
    contenders,
    quick,
    targets: [
      { name: "readFileSync", atMost: 0.5 },
      { name: "Bun.mmap", atMost: 1 },
      { name: KOFFI, atMost: 1 },
    ],
  });
}
