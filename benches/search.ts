/**
 * Claims: a folder is indexed at 10 MB of text a second or more; a query over 100,000 passages takes at most
 * 1.5 times what the BLAS takes for the bare product in C, and at most 200 ms on the portable backend; 64
 * clients at once get at least 4 times the answers a second that one product a request gives; the first
 * answer over 5,000 passages comes within 150 ms of the process's start; opening does not grow with the index.
 *
 * The text is made up (see `search/corpus.ts`). The server is a process of its own, asked over loopback; its
 * matrix is in the page cache, and every answer is checked. C multiplies a matrix of the same size.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { indexFolder, SearchIndex } from "../examples/search/mod.ts";
import { hostName } from "../ffi/mod.ts";
import { mkl } from "../ffi/mkl.ts";
import { openblas } from "../ffi/openblas.ts";
import { Blas } from "../lib/blas/mod.ts";
import { compare, type Contender } from "./compare.ts";
import { buildPeer, runPeer } from "./peers.ts";
import { askAll } from "./search/ask.ts";
import { makeQueries, writeCorpus } from "./search/corpus.ts";

const DIMS = 1024;
const CONNECTIONS = 64;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function script(path: string, args: readonly string[]): string[] {
  const file = fileURLToPath(new URL(path, import.meta.url));
  return [...(hostName === "deno" ? ["run", "-A", "--no-check"] : []), file, ...args];
}

function portOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout?.once("data", (line) => resolve(Number(line)));
  });
}

/** Runs `body` with the port of a server on the index. */
async function serving<T>(
  folder: string,
  { batching, backend }: { batching: boolean; backend: string },
  body: (port: number) => Promise<T>,
): Promise<T> {
  const args = script("search/server.ts", [folder, batching ? "batching" : "single", backend]);
  const server = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    return await body(await portOf(server));
  } finally {
    server.kill("SIGKILL");
  }
}

/** The bare product in C on the BLAS that an index of this size would take; `undefined` without one or without gcc. */
function bareProduct(rows: number, times: number): Contender | undefined {
  const peer = buildPeer("query_product");
  using blas = Blas.open();
  const { backend } = blas;
  if (peer === undefined || backend === "portable") return undefined;
  const path = backend === "mkl" ? mkl().library.path : openblas().library.path;
  const layer = backend === "mkl" ? [String(mkl().threading)] : [];
  const environment: Record<string, string> = backend === "mkl" ? {} : { OPENBLAS_CORETYPE: openblas().core };
  return {
    name: `C, the product alone, ${backend}`,
    sample() {
      const args = [backend, path, String(rows), String(DIMS), "1", String(times), ...layer];
      return Promise.resolve(runPeer(peer, args, environment).map((ns) => ns / 1e6));
    },
  };
}

async function compareQueries(folder: string, passages: number, quick: boolean): Promise<void> {
  const count = quick ? 3 : 15;
  const queries = makeQueries(count + 2);
  const answered = (name: string, backend: string): Contender => ({
    name,
    sample: () =>
      serving(folder, { batching: true, backend }, async (port) => {
        const { times } = await askAll(port, 1, queries);
        return [median(times.slice(2))];
      }),
  });
  const bare = bareProduct(passages, count);
  const ours = answered("search serve", "auto");
  const portable = answered("search serve, portable", "portable");
  await compare({
    title: `one query over ${passages.toLocaleString("en")} passages, warm`,
    units: ["ms"],
    baseline: bare?.name ?? ours.name,
    contenders: [...(bare === undefined ? [] : [bare]), ours, portable],
    quick,
    targets: bare === undefined ? [] : [{ name: ours.name, atMost: 1.5 }],
  });
}

async function compareBatching(folder: string, passages: number, quick: boolean): Promise<void> {
  const answered = (name: string, batching: boolean, count: number): Contender => ({
    name,
    sample: () =>
      serving(folder, { batching, backend: "auto" }, async (port) => {
        await askAll(port, CONNECTIONS, makeQueries(CONNECTIONS));
        const { ms } = await askAll(port, CONNECTIONS, makeQueries(count));
        return [count / ms * 1000];
      }),
  });
  await compare({
    title: `${CONNECTIONS} clients at once over ${passages.toLocaleString("en")} passages`,
    units: ["answers/s"],
    baseline: "a product a request",
    contenders: [
      answered("a product a request", false, quick ? 64 : 128),
      answered("search serve", true, quick ? 128 : 1024),
    ],
    quick,
    targets: [{ name: "search serve", atLeast: 4 }],
  });
}

/** From the process's start to its end, with the answer printed. */
function firstAnswer(folder: string): number {
  const [query] = makeQueries(1);
  const args = script("../examples/search/main.ts", ["query", folder, query, "--json"]);
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`the query ended with ${status}: ${stderr}`);
  if (JSON.parse(stdout).hits.length !== 10) throw new Error(`a wrong answer: ${stdout.slice(0, 200)}`);
  return ms;
}

function openingMs(folder: string): number {
  const times = Array.from({ length: 21 }, () => {
    const start = performance.now();
    using index = SearchIndex.open(folder);
    if (index.passages === 0) throw new Error("an index without passages");
    return performance.now() - start;
  });
  return median(times);
}

async function indexed(folder: string, passages: number): Promise<void> {
  const bytes = writeCorpus(folder, passages);
  const out = join(folder, ".oxbow");
  const seconds = new Map<number, number>();
  // The last is what the queries below are asked of.
  for (const threads of new Set([1, 2, availableParallelism()])) {
    rmSync(out, { recursive: true, force: true });
    const before = process.cpuUsage();
    const start = performance.now();
    const report = await indexFolder(folder, { threads });
    const took = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    if (report.embeddedBytes !== bytes) {
      throw new Error(`indexed ${report.embeddedBytes} of ${bytes} bytes`);
    }
    seconds.set(threads, took);
    console.log(
      `\nindexed ${(bytes / 1e6).toFixed(1)} MB, ${
        report.passages.toLocaleString("en")
      } passages, by ${threads} ` +
        `${threads === 1 ? "thread" : "threads"}: ${
          (bytes / 1e6 / took).toFixed(1)
        } MB/s (target: at least 10), ` +
        `${((seconds.get(1) ?? took) / took).toFixed(2)} times one thread's speed, ` +
        `CPU ${((user + system) / 1e6 / (seconds.get(1) ?? took)).toFixed(2)} times its time`,
    );
  }
}

export async function run({ quick }: { quick: boolean }): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "oxbow-bench-search-"));
  try {
    const [small, large] = [join(scratch, "small"), join(scratch, "large")];
    const passages = quick ? 2000 : 100_000;
    await indexed(small, quick ? 500 : 5000);
    await indexed(large, passages);
    const first = Array.from({ length: quick ? 2 : 9 }, () => firstAnswer(small));
    console.log(
      `first answer, from the process's start to its end: ${
        median(first).toFixed(0)
      } ms (target: at most 150)`,
    );
    console.log(
      `opening: ${openingMs(small).toFixed(2)} ms the small index, ${
        openingMs(large).toFixed(2)
      } ms the large one`,
    );
    await compareQueries(large, passages, quick);
    await compareBatching(large, passages, quick);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
