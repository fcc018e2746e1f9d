/**
 * The main job in one command: indexes a folder, says what that took, answers a few queries, and serves the
 * page until Ctrl-C.
 *
 *     deno task demo [DIR] [--once] [--port 7777]
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostName } from "../../ffi/mod.ts";
import { messageOf } from "./errors.ts";
import { indexFolder } from "./index/index_folder.ts";
import { ProgressBar } from "./cli/progress.ts";
import { runServer } from "./server/run_server.ts";
import { SearchIndex } from "./index/search_index.ts";
import { sampleQueries } from "./cli/sample_queries.ts";
import { showHit } from "./cli/show_hit.ts";
import { showReport } from "./cli/show_report.ts";

/** The repository itself, where no folder is given. */
const HERE = fileURLToPath(new URL("../..", import.meta.url));
const SAMPLES = 3;
const LINES_OF_A_HIT = 6;

async function makeIndex(folder: string): Promise<void> {
  const start = performance.now();
  using bar = new ProgressBar(process.stderr, "indexing");
  const report = await indexFolder(folder, { onProgress: (done, total) => bar.update(done, total) });
  bar[Symbol.dispose]();
  console.log(showReport(report, performance.now() - start));
}

function answerSamples(index: SearchIndex): void {
  for (const query of sampleQueries(index, SAMPLES)) {
    const start = performance.now();
    const [[hit]] = index.search([query], 10);
    const ms = performance.now() - start;
    console.log(`\n? ${query}    (${ms.toFixed(1)} ms by ${index.backend().backend})`);
    const lines = showHit(hit, query, process.stdout.isTTY ? "terminal" : "pipe").trimEnd().split("\n");
    console.log(lines.slice(0, LINES_OF_A_HIT).join("\n") + (lines.length > LINES_OF_A_HIT ? "\n    …" : ""));
  }
}

async function demo(args: string[]): Promise<void> {
  const { values: { once, port }, positionals: [folder = HERE] } = parseArgs({
    args,
    allowPositionals: true,
    options: { once: { type: "boolean", default: false }, port: { type: "string", default: "7777" } },
  });
  console.log(`Oxbow on ${hostName} indexes ${folder}`);
  await makeIndex(folder);
  using index = SearchIndex.open(folder);
  answerSamples(index);
  if (once) return;
  await runServer(index, {
    port: Number(port),
    onListen: (address) => console.log(`\nhttp://${address.hostname}:${address.port}/ until Ctrl-C`),
  });
}

try {
  await demo(process.argv.slice(2));
} catch (error) {
  console.error(`demo: ${messageOf(error)}`);
  process.exitCode = 1;
}
