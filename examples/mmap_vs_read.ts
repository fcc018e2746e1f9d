/**
 * `read` against `mmap`: a file's bytes by read(2), by the host's own `readFileSync`, and by a map; with nothing
 * of the file in the page cache, and with all of it; in order, at random, and written.
 *
 *     mmap_vs_read.ts [FOLDER] [--mib SIZE] [--group NAME]...
 *
 * It makes a file of 64 MiB in the folder, by default the system's temporary one, and runs each way in a process of
 * its own; only those of the groups that are named, of cold, warm, random and writing. What each column says, and
 * who counts it, stands below the tables; what cannot be told is a dash.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostName } from "../ffi/mod.ts";
import type { Row } from "./mmap_vs_read/measure.ts";
import { tracedCalls } from "./mmap_vs_read/trace.ts";
import { type Group, groups, PAGE } from "./mmap_vs_read/ways.ts";

const SMALL = 2 ** 16;
const HEAD = [
  "",
  "calls",
  "reads",
  "copied",
  "minor",
  "major",
  "volunt.",
  "invol.",
  "resident",
  "cached",
  "time",
];
const LEGEND = `
calls     system calls of the thread, by strace in a run of its own: the host's own are among them
reads     of these, those of read(2)'s and write(2)'s kind, by /proc/thread-self/io
copied    pages that the kernel copied for them into or out of the process, by the same
minor     page faults that found their page in memory; major: that waited for the disk; by getrusage(RUSAGE_THREAD)
volunt.   times that the thread gave the CPU away, to wait; invol.: that it was taken; by the same
resident  pages that the process had more, before it gave anything back, by /proc/self/smaps_rollup
cached    pages of the file in the page cache, before → after, by mincore(2)
time      with giving back, over the first row's (its milliseconds); what is waited for later, such as the
          writing back of pages, is in no row`;

function writeWords(path: string, byteLength: number): void {
  const words = Uint32Array.from({ length: byteLength / 4 }, (_, i) => Math.imul(i, 2654435761));
  writeFileSync(path, new Uint8Array(words.buffer));
}

/** The command that measures one way, on the host that runs this. */
function command(...args: readonly string[]): string[] {
  const program = fileURLToPath(new URL("mmap_vs_read/measure.ts", import.meta.url));
  const host = { deno: ["run", "-A", "--quiet"], bun: ["run"], node: ["--no-warnings"] };
  return [process.execPath, ...host[hostName], program, ...args];
}

function measured(args: readonly string[]): Row {
  const [program, ...rest] = command(...args);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout);
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function cells(name: string, row: Row, calls: number | string, baseline: number): string[] {
  const time = row.ms === baseline ? `1 (${row.ms.toPrecision(3)})` : (row.ms / baseline).toFixed(2);
  return [
    name,
    typeof calls === "number" ? count(calls) : "–",
    count(row.reads + row.writes),
    count(Math.ceil(row.copied / PAGE)),
    count(row.minorFaults),
    count(row.majorFaults),
    count(row.voluntary),
    count(row.involuntary),
    count(row.resident),
    row.cachedBefore === row.cached ? count(row.cached) : `${count(row.cachedBefore)} → ${count(row.cached)}`,
    time,
  ];
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(
      "  " + row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  "),
    );
  }
}

/** Prints a group's table. Gives why system calls could not be counted, where they could not. */
function compare(name: string, { title, ways }: Group, path: string, small: string): string | undefined {
  const rows = [HEAD];
  let why: string | undefined;
  let first: Row | undefined;
  for (const [i, way] of ways.entries()) {
    const args = [name, String(i), path, small];
    const row = measured(args);
    first ??= row;
    if (row.sum !== first.sum) throw new Error(`${way.name} gave ${row.sum}, and ${first.sum} is right`);
    const calls = tracedCalls(command(...args));
    if (typeof calls === "string") why = calls;
    rows.push(cells(way.name, row, calls, first.ms));
  }
  console.log(`\n${title}`);
  print(rows);
  return why;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { mib: { type: "string", default: "64" }, group: { type: "string", multiple: true } },
});
const mib = Number(values.mib);
if (!(Number.isInteger(mib) && mib > 0 && mib <= 1024)) {
  throw new RangeError(`--mib is ${values.mib}: a whole number from 1 to 1024 is wanted`);
}
const names = values.group ?? Object.keys(groups);
for (const name of names) {
  if (!Object.hasOwn(groups, name)) {
    throw new RangeError(`--group is ${name}: cold, warm, random or writing is wanted`);
  }
}
const folder = mkdtempSync(join(positionals[0] ?? tmpdir(), "oxbow-mmap-"));
try {
  const path = join(folder, "words");
  const small = join(folder, "small");
  writeWords(path, mib * 2 ** 20);
  writeWords(small, SMALL);
  console.log(
    `a file of ${count(mib * 2 ** 20 / PAGE)} pages, on ${hostName} ${process.versions[hostName]}, ${
      cpus()[0]?.model.trim()
    }`,
  );
  const reasons = names.map((name) => compare(name, groups[name], path, small));
  console.log(LEGEND);
  const why = reasons.find((reason) => reason !== undefined);
  if (why !== undefined) console.log(`calls     could not be counted: ${why}`);
} finally {
  rmSync(folder, { recursive: true });
}
