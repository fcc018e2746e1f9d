/** `sum` over a map, beside C over the same file and what its compiler makes of a loop. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mmap } from "../../lib/mem/mmap.ts";
import { sum } from "../../lib/vector/mod.ts";
import { compare, type Contender, equals, timed } from "../compare.ts";
import { buildPeer, runPeer } from "../peers.ts";

const MIB = 2 ** 20;
const NATIVE = "gcc -O3 -march=native -ffast-math";
const OXBOW = "sum of the map";

/** Small integers, whose sums are exact. Gives their sum. */
function writeFloats(path: string, bytes: number): number {
  const block = Float32Array.from({ length: MIB / 4 }, (_, i) => i % 8 - 3);
  const fd = openSync(path, "w");
  for (let from = 0; from < bytes; from += MIB) writeSync(fd, block);
  closeSync(fd);
  return bytes / MIB * block.reduce((a, b) => a + b, 0);
}

function inC(path: string, bytes: number, expected: number, quick: boolean): Contender | undefined {
  const program = buildPeer("map_bandwidth", ["-O3", "-march=native", "-ffast-math"]);
  if (program === undefined) return undefined;
  return {
    name: NATIVE,
    sample() {
      const [ns, total] = runPeer(program, [path, quick ? "1" : "5"]);
      equals(NATIVE, expected)(total);
      return Promise.resolve([bytes / ns]);
    },
  };
}

/** Prints what `sum` reads of a large map. */
export async function compareMapped(quick: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-"));
  try {
    const path = join(folder, "floats");
    const bytes = (quick ? 8 : 1024) * MIB;
    const expected = writeFloats(path, bytes);
    using map = Mmap.open(path);
    const view = map.view(Float32Array, 0, bytes / 4);
    const ours = timed({
      name: OXBOW,
      quick,
      run: () => sum(view),
      check: equals(OXBOW, expected),
      figure: (ns) => bytes / ns,
    });
    const peer = inC(path, bytes, expected, quick);
    await compare({
      title: `sum of a map of ${bytes / MIB} MiB`,
      units: ["GB/s"],
      baseline: peer === undefined ? OXBOW : NATIVE,
      contenders: peer === undefined ? [ours] : [peer, ours],
      quick,
      targets: peer === undefined ? [] : [{ name: OXBOW, atLeast: 0.8 }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
