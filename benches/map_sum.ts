/**
 * Claims: a sum over a mapped file is as fast as one over an ArrayBuffer already in memory, within 5 %; and
 * a float at a large file's end is there at once, since nothing is read before it is asked for.
 *
 * All contenders run the same loop over the same float32, whose sum in double precision is exact and is
 * checked: four sums side by side, for one alone waits for its own additions and hides the memory. The file
 * lies in the page cache. "Opened anew" maps it for each pass and so pays for its page faults; "mapped
 * before" does not. Bun's own map and C's are given both ways too.
 *
 * @module
 */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostName } from "../ffi/mod.ts";
import { Mmap } from "../lib/mem/mmap.ts";
import { compare, type Contender, equals, timed } from "./compare.ts";
import { buildPeer, runPeer } from "./peers.ts";

const MIB = 2 ** 20;
const PERIOD = 1021;

function sum(values: Float32Array): number {
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = 0; i + 3 < values.length; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  return a + b + c + d;
}

/** Writes small multiples of 1/8, so that every partial sum is exact in double precision. Gives the sum. */
function writeFloats(path: string, count: number): number {
  const block = new Float32Array(MIB);
  const fd = openSync(path, "w");
  let total = 0;
  for (let from = 0; from < count; from += block.length) {
    for (let i = 0; i < block.length; i++) block[i] = ((from + i) % PERIOD) / 8;
    total += block.reduce((a, b) => a + b, 0);
    writeSync(fd, block);
  }
  closeSync(fd);
  return total;
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

interface BunMmap {
  mmap(path: string): Uint8Array;
}

declare const Bun: BunMmap;

const IN_MEMORY = "host's ArrayBuffer, in memory";
const MAPPED = "Mmap, mapped before";

async function sums(path: string, byteLength: number, quick: boolean): Promise<void> {
  const expected = writeFloats(path, byteLength / 4);
  function pass(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, expected), figure: (ns) => byteLength / ns });
  }
  const contenders = [];
  const memory = floats(readFileSync(path));
  contenders.push(pass(IN_MEMORY, () => sum(memory)));
  using map = Mmap.open(path);
  const view = map.view(Float32Array, 0, byteLength / 4);
  contenders.push(pass(MAPPED, () => sum(view)));
  contenders.push(pass("Mmap, opened anew", () => {
    using map = Mmap.open(path);
    return sum(map.view(Float32Array, 0, byteLength / 4));
  }));
  contenders.push(pass("readFileSync", () => sum(floats(readFileSync(path)))));
  if (hostName === "bun") {
    const mapped = floats(Bun.mmap(path));
    contenders.push(pass("Bun.mmap, mapped before", () => sum(mapped)));
    contenders.push(pass("Bun.mmap, opened anew", () => sum(floats(Bun.mmap(path)))));
  }
  const peer = buildPeer("map_sum");
  for (const [name, when] of [["C -O2, mapped before", "before"], ["C -O2, opened anew", "anew"]]) {
    if (peer === undefined) break;
    contenders.push({
      name,
      sample(): Promise<readonly number[]> {
        const [ns, total] = runPeer(peer, [path, when, quick ? "1" : "5"]);
        equals(name, expected)(total);
        return Promise.resolve([byteLength / ns]);
      },
    });
  }
  await compare({
    title: `sum of ${byteLength / MIB} MiB of float32`,
    units: ["GB/s"],
    baseline: IN_MEMORY,
    contenders,
    quick,
    targets: [{ name: MAPPED, atLeast: 0.95 }],
  });
}

const LAST = 42;

async function lastFloat(path: string, byteLength: number, quick: boolean): Promise<void> {
  const fd = openSync(path, "w");
  ftruncateSync(fd, byteLength - 4);
  writeSync(fd, Float32Array.of(LAST), 0, 4, byteLength - 4);
  closeSync(fd);
  function microseconds(name: string, run: () => number): Contender {
    return timed({ name, quick, run, check: equals(name, LAST), figure: (ns) => ns / 1000 });
  }
  const mapped = "Mmap: open, one float, dispose";
  await compare({
    title: `the last float of a sparse file of ${byteLength / MIB} MiB`,
    units: ["µs"],
    baseline: mapped,
    contenders: [
      microseconds(mapped, () => {
        using map = Mmap.open(path);
        return map.view(Float32Array, byteLength - 4, 1)[0];
      }),
      microseconds("host: open, read 4 bytes, close", () => {
        const into = new Float32Array(1);
        const fd = openSync(path, "r");
        readSync(fd, into, 0, 4, byteLength - 4);
        closeSync(fd);
        return into[0];
      }),
      microseconds("host: the whole file, read", () => {
        const block = new Float32Array(MIB);
        const fd = openSync(path, "r");
        while (readSync(fd, block) > 0);
        closeSync(fd);
        return block[block.length - 1];
      }),
    ],
    quick,
  });
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-"));
  try {
    await sums(join(folder, "floats"), (quick ? 8 : 256) * MIB, quick);
    await lastFloat(join(folder, "sparse"), (quick ? 64 : 4096) * MIB, quick);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
