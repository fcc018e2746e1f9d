/** The commands of the program. */
import process from "node:process";
import { parseArgs } from "node:util";
import { Blas } from "../../../lib/blas/mod.ts";
import { codeOf, messageOf } from "../errors.ts";
import { checkQuery, SearchIndex } from "../index/search_index.ts";
import { showHit } from "./show_hit.ts";

const USAGE = `usage:
  search index DIR [--out FOLDER] [--threads N]
                                            index the text files below DIR, or bring their index up to date
  search query DIR WORDS [-k 10] [--json]   print the passages that answer best
  search serve DIR [--port 7777]            answer in the browser, on this machine alone, until Ctrl-C

DIR is the folder to index, and after that the same, or the one that --out named. --backend NAME has
products done by mkl, openblas or portable, and not by the best of them that is there; indexing needs none.
It uses as many threads as there are cores, or --threads N, and its outcome is the same with any number.
`;

const BACKENDS = ["auto", "mkl", "openblas", "portable"] as const;

const FAILED = 1;
const WRONG_USAGE = 2;
/** What a shell says of a command that was ended by SIGINT. */
const INTERRUPTED = 130;

const LAST_PORT = 65535;

class UsageError extends Error {}

const commands: Readonly<Record<string, (args: string[]) => Promise<number>>> = { index, query, serve };

/** Runs one command, and returns the exit code. */
export async function main([name = "", ...args]: string[]): Promise<number> {
  if (name === "--help" || name === "-h" || args.includes("--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    if (!Object.hasOwn(commands, name)) {
      throw new UsageError(name === "" ? "no command" : `no command ${name}`);
    }
    return await commands[name](args);
  } catch (error) {
    const isUsage = error instanceof UsageError || codeOf(error)?.startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`search: ${messageOf(error)}\n${isUsage ? USAGE : ""}`);
    return isUsage ? WRONG_USAGE : FAILED;
  }
}

async function index(args: string[]): Promise<number> {
  const { values, positionals: [folder, ...others] } = parseArgs({
    args,
    allowPositionals: true,
    options: { out: { type: "string" }, backend: { type: "string" }, threads: { type: "string" } },
  });
  if (folder === undefined || others.length > 0) throw new UsageError("index takes one folder");
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  if (threads !== undefined && !/^[1-9]\d{0,2}$/.test(values.threads ?? "")) {
    throw new UsageError(`--threads is ${values.threads}, not a whole number of 1 to 999`);
  }
  openBackend(values.backend)?.[Symbol.dispose]();
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  const start = performance.now();
  try {
    // A query must not wait for what it does not use to be loaded.
    const { indexFolder } = await import("../index/index_folder.ts");
    const { ProgressBar } = await import("./progress.ts");
    const { showReport } = await import("./show_report.ts");
    using bar = new ProgressBar(process.stderr, "indexing");
    const report = await indexFolder(folder, {
      out: values.out,
      threads,
      signal: interrupt.signal,
      onProgress: (done, total) => bar.update(done, total),
    });
    bar[Symbol.dispose]();
    process.stdout.write(`${showReport(report, performance.now() - start)}\n`);
    return 0;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stderr.write("search: interrupted; the index is as it was\n");
    return INTERRUPTED;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

// deno-lint-ignore require-await -- a command may have to wait
async function query(args: string[]): Promise<number> {
  const { values, positionals: [folder, ...words] } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      k: { type: "string", short: "k", default: "10" },
      json: { type: "boolean", default: false },
      backend: { type: "string" },
    },
  });
  if (folder === undefined || words.length === 0) throw new UsageError("query takes a folder and words");
  if (!/^\d+$/.test(values.k)) throw new UsageError(`-k is ${values.k}, not a whole number of 1 or more`);
  const asked = checkQuery(words.join(" "));
  const start = performance.now();
  using blas = openBackend(values.backend);
  using index = SearchIndex.open(folder, { blas });
  const [hits] = index.search([asked], Number(values.k));
  const took = Math.round(1000 * (performance.now() - start)) / 1000;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ query: asked, took_ms: took, hits })}\n`);
  } else {
    const to = process.stdout.isTTY ? "terminal" : "pipe";
    process.stdout.write(hits.map((hit) => showHit(hit, asked, to)).join("\n"));
    if (hits.length === 0) process.stderr.write(`search: no passage answers ${asked}\n`);
  }
  return 0;
}

async function serve(args: string[]): Promise<number> {
  const { values, positionals: [folder, ...others] } = parseArgs({
    args,
    allowPositionals: true,
    options: { port: { type: "string", default: "7777" }, backend: { type: "string" } },
  });
  if (folder === undefined || others.length > 0) throw new UsageError("serve takes one folder");
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > LAST_PORT) {
    throw new UsageError(`--port is ${values.port}, not a whole number of 0 to ${LAST_PORT}`);
  }
  using blas = openBackend(values.backend);
  using index = SearchIndex.open(folder, { blas });
  const { runServer } = await import("../server/run_server.ts");
  const onListen = ({ hostname, port }: { hostname: string; port: number }) =>
    process.stdout.write(
      `http://${hostname}:${port}/ answers from ${index.passages} passages until Ctrl-C\n`,
    );
  await runServer(index, { port, onListen });
  return 0;
}

/** Undefined where nothing was said. */
function openBackend(name: string | undefined): Blas | undefined {
  if (name === undefined) return undefined;
  const backend = BACKENDS.find((known) => known === name);
  if (backend === undefined) throw new UsageError(`--backend is ${name}, not one of ${BACKENDS.join(", ")}`);
  return Blas.open({ backend });
}
