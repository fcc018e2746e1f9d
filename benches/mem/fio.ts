/**
 * fio's engines beside ours: blocks of a file in the page cache copied into one buffer, in order and at random. fio
 * takes each block once, and so do we.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { Mmap } from "../../lib/mem/mmap.ts";
import { compare, type Contender, equals } from "../compare.ts";
import { announce } from "../peers.ts";
import { MIB } from "./floats.ts";

const BLOCK = 4096;
const PSYNC = "fio's psync";

/** GB/s of fio's only job. It tells its time in milliseconds: several passes make enough of them. */
function fio(engine: string, pattern: string, path: string, byteLength: number, passes: number): number {
  const { status, stdout, stderr } = spawnSync("fio", [
    "--name=job",
    "--readonly",
    `--filename=${path}`,
    `--ioengine=${engine}`,
    `--rw=${pattern}`,
    `--bs=${BLOCK}`,
    `--size=${byteLength}`,
    `--loops=${passes}`,
    "--invalidate=0",
    "--gtod_reduce=1",
    "--thread",
    "--output-format=json",
  ], { encoding: "utf8" });
  if (status !== 0) throw new Error(`fio --ioengine=${engine} ended with ${status}:\n${stderr}`);
  const { jobs: [{ read }] } = JSON.parse(stdout);
  equals(`fio's ${engine}`, byteLength * passes)(read.io_bytes);
  return byteLength * passes / (read.runtime * 1e6);
}

/** The offset of each block: in order, or shuffled. */
function offsets(byteLength: number, isRandom: boolean): Float64Array {
  const all = Float64Array.from({ length: byteLength / BLOCK }, (_, i) => i * BLOCK);
  for (let i = all.length - 1; isRandom && i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** `copy` brings the block into the buffer; each block's first byte is added up, which is right or the pass threw. */
function passes(
  name: string,
  count: number,
  blocks: Float64Array,
  expected: number,
  copy: (offset: number, into: Uint8Array<ArrayBuffer>) => void,
): Contender {
  const into = new Uint8Array(BLOCK);
  return {
    name,
    sample() {
      let sum = 0;
      const start = performance.now();
      for (let pass = 0; pass < count; pass++) {
        for (const offset of blocks) {
          copy(offset, into);
          sum += into[0];
        }
      }
      const ms = performance.now() - start;
      equals(name, expected * count)(sum);
      return Promise.resolve([blocks.length * BLOCK * count / (ms * 1e6)]);
    },
  };
}

/** Prints both tables, where fio is. */
export async function compareFio(path: string, byteLength: number, quick: boolean): Promise<void> {
  if (spawnSync("fio", ["--version"]).status !== 0) {
    announce("fio is not here: its rows are left out");
    return;
  }
  const count = quick ? 2 : 4;
  using map = Mmap.open(path);
  const bytes = map.bytes();
  const fd = openSync(path, "r");
  try {
    for (const [pattern, title] of [["read", "in order"], ["randread", "at random"]]) {
      const blocks = offsets(byteLength, pattern === "randread");
      const expected = blocks.reduce((sum, offset) => sum + bytes[offset], 0);
      await compare({
        title: `blocks of ${BLOCK} of ${byteLength / MIB} MiB, copied ${title}`,
        units: ["GB/s"],
        baseline: PSYNC,
        contenders: [
          ...["psync", "mmap"].map((engine): Contender => ({
            name: `fio's ${engine}`,
            sample: () => Promise.resolve([fio(engine, pattern, path, byteLength, count)]),
          })),
          passes("host's readSync", count, blocks, expected, (offset, into) => {
            readSync(fd, into, 0, BLOCK, offset);
          }),
          passes("Mmap", count, blocks, expected, (offset, into) => {
            into.set(bytes.subarray(offset, offset + BLOCK));
          }),
        ],
        quick,
      });
    }
  } finally {
    closeSync(fd);
  }
}
