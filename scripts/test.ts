/**
 * Runs the suite under Deno, Bun and Node, a file more at a time than there are cores, and closes with the line of counts.
 *
 *     deno task test [--host deno|bun|node]... [part of a file's path]...
 */
import { globSync } from "node:fs";
import { parseArgs } from "node:util";
import { openHost } from "./suite/hosts.ts";
import { type FileResult, killRunning, runFile } from "./suite/run_file.ts";
import { count, countsLine, printFailures, printSkipped, printTable } from "./suite/summary.ts";

/** Files that run at once, at most: where no core is idle while one waits, more of them only wait for each other. */
const MOST_LANES = 3;
/** What is asked here of the sources' text is the same on each host: it is asked on one. */
const OF_SOURCES = "tests/source/";
/** How many seconds one file may take, by how much the tests are told to do: ten times what the longest does take. */
const LIMITS = new Map([["quick", 400], ["full", 1_800], ["soak", 14_400]]);

const { values, positionals: parts } = parseArgs({
  allowPositionals: true,
  options: { host: { type: "string", multiple: true, default: ["deno", "bun", "node"] } },
});

Deno.chdir(new URL("..", import.meta.url));
const tier = Deno.env.get("OXBOW_TIER") ?? "quick";
const limit = LIMITS.get(tier);
if (limit === undefined) {
  throw new Error(`OXBOW_TIER is ${tier}: use ${[...LIMITS.keys()].join(", ")}, or unset it`);
}
const hosts = values.host.map(openHost);
const files = globSync("tests/**/*_test.ts").sort()
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
if (files.length === 0) {
  throw new Error(`no file of tests/**/*_test.ts has ${parts.join(" or ")} in its path`);
}

const reports = Deno.makeTempDirSync({ prefix: "oxbow-test-" });
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    killRunning();
    Deno.removeSync(reports, { recursive: true });
    Deno.exit(1);
  });
}

const results: FileResult[] = [];
const work = hosts.flatMap((host) =>
  files.filter((file) => host === hosts[0] || !file.startsWith(OF_SOURCES)).map((file) => ({ host, file }))
).values();

/** Takes one file after another; the lanes share them. */
async function lane(limit: number): Promise<void> {
  for (const { host, file } of work) {
    const result = await runFile(host, file, reports, limit);
    results.push(result);
    console.log(
      `${host.name.padEnd(4)} ${file}: ${countsLine(result.cases)}, ${result.seconds.toFixed(1)} s`,
    );
  }
}

const lanes = Math.min(MOST_LANES, navigator.hardwareConcurrency + 1);
await Promise.all(Array.from({ length: lanes }, () => lane(limit)));
Deno.removeSync(reports, { recursive: true });

printFailures(results);
printSkipped(results);
printTable(hosts, results);
const all = results.flatMap(({ cases }) => cases);
const idle = hosts.filter(({ name }) => {
  const cases = results.filter(({ host }) => host === name).flatMap((result) => result.cases);
  return cases.length > 0 && count(cases, "skipped") === cases.length;
});
for (const { name } of idle) console.log(`\n${name} ran no test`);
console.log(`\n${countsLine(all)}`);
Deno.exit(idle.length > 0 || count(all, "failed") > 0 ? 1 : 0);
