/**
 * Claim: a file's bytes come through our threads at less cost than through the host's `node:fs/promises`.
 *
 * Each contender reads 4 KiB at places that are random and the same for all, of a file that is in the page cache, one
 * after the other and 64 at once, and compares the first byte of each; and lists a folder of 10,000 files. What a read
 * from the cache costs by itself, which is what `readSync` costs, stands below.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readSync, rmSync, writeFileSync } from "node:fs";
import { closeSync, openSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hostName } from "../ffi/mod.ts";
import { File, readDir } from "../lib/fs/mod.ts";
import { run as inRuntime } from "../lib/task/mod.ts";
import { compare, type Contender } from "./compare.ts";

const PAGE = 4096;
const PAGES = 16_384;
const OURS = "Oxbow File";
const NODE = "node:fs/promises";
const on = `${hostName} ${process.versions[hostName]}`;

/** Which page is read when: by xorshift32, the same for all. */
function places(count: number): number[] {
  let x = 1;
  return Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % PAGES;
  });
}

/** One page: a promise or a future of how many bytes there were. */
type ReadPage = (buffer: Uint8Array, position: number) => PromiseLike<number>;

async function readAll(read: ReadPage, pages: readonly number[], depth: number): Promise<void> {
  let next = 0;
  async function lane(): Promise<void> {
    const buffer = new Uint8Array(PAGE);
    while (next < pages.length) {
      const page = pages[next++];
      const count = await read(buffer, page * PAGE);
      if (count !== PAGE || buffer[0] !== page % 251) throw new Error(`page ${page} is not what was written`);
    }
  }
  await Promise.all(Array.from({ length: depth }, lane));
}

async function sampled(act: () => Promise<void>, count: number): Promise<readonly number[]> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await act();
  const { user, system } = process.cpuUsage(before);
  return [1e3 * (performance.now() - start) / count, (user + system) / count];
}

function readers(path: string, pages: readonly number[], depth: number): Contender[] {
  async function ours(): Promise<readonly number[]> {
    await using file = await File.open(path);
    return await sampled(() => readAll((buffer, at) => file.readAt(buffer, at), pages, depth), pages.length);
  }
  return [
    { name: OURS, sample: () => inRuntime(ours) },
    { name: `${OURS}, no run`, sample: ours },
    {
      name: NODE,
      async sample() {
        const file = await open(path);
        try {
          return await sampled(
            () =>
              readAll(async (buffer, at) => (await file.read(buffer, 0, PAGE, at)).bytesRead, pages, depth),
            pages.length,
          );
        } finally {
          await file.close();
        }
      },
    },
    {
      name: "readSync, which blocks",
      async sample() {
        const file = openSync(path, "r");
        try {
          return await sampled(
            () => readAll((buffer, at) => Promise.resolve(readSync(file, buffer, 0, PAGE, at)), pages, depth),
            pages.length,
          );
        } finally {
          closeSync(file);
        }
      },
    },
  ];
}

function listers(folder: string, files: number): Contender[] {
  function check(count: number): void {
    if (count !== files) throw new Error(`${count} names of ${files}`);
  }
  async function byBatches(): Promise<void> {
    const listing = readDir(folder);
    let count = 0;
    for (let batch = await listing.nextBatch(); batch.length > 0; batch = await listing.nextBatch()) {
      count += batch.filter(({ kind }) => kind === "regular").length;
    }
    check(count);
  }
  async function oneByOne(): Promise<void> {
    let count = 0;
    for await (const { kind } of readDir(folder)) if (kind === "regular") count++;
    check(count);
  }
  async function nodes(): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true });
    check(entries.filter((entry) => entry.isFile()).length);
  }
  return [
    { name: "Oxbow readDir, batches", sample: () => inRuntime(() => sampled(byBatches, files)) },
    { name: "Oxbow readDir, for await", sample: () => inRuntime(() => sampled(oneByOne, files)) },
    { name: NODE, sample: () => sampled(nodes, files) },
  ];
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-fs-"));
  try {
    const path = join(folder, "pages");
    const content = new Uint8Array(PAGE * PAGES);
    for (let page = 0; page < PAGES; page++) content[page * PAGE] = page % 251;
    writeFileSync(path, content);
    const pages = places(quick ? 2000 : 20_000);
    for (const depth of [1, 64]) {
      await compare({
        title: `4 KiB at random places of a cached file, ${depth} at once, on ${on}`,
        units: ["µs", "own CPU µs"],
        baseline: NODE,
        contenders: readers(path, pages, depth),
        quick,
        targets: [{ name: OURS, atMost: 1 }],
      });
    }
    const files = quick ? 1000 : 10_000;
    const many = join(folder, "many");
    mkdirSync(many);
    for (let i = 0; i < files; i++) writeFileSync(join(many, `file-${i}.txt`), "");
    await compare({
      title: `the names and kinds of a folder's ${files} files, each, on ${on}`,
      units: ["µs", "own CPU µs"],
      baseline: NODE,
      contenders: listers(many, files),
      quick,
      targets: [{ name: "Oxbow readDir, batches", atMost: 1 }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
