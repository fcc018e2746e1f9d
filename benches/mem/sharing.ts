/**
 * Processes that map one file: what they take together, by `Pss` of `/proc/PID/smaps`, which counts a page of n
 * processes for an n-th in each. The process totals stand beside what the same hosts take with nothing mapped.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, realpathSync } from "node:fs";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { hostName } from "../../ffi/mod.ts";
import { equals } from "../compare.ts";
import { announce } from "../peers.ts";
import { MIB } from "./floats.ts";
import { PAGE, type Share, shareOf, sumOfNumbers, sumOfPages, writePages, WRITTEN } from "./pages.ts";

const HOST = { deno: ["run", "-A", "--quiet"], bun: ["run"], node: ["--no-warnings"] };
/** Of the page cache's own pages: what the mapping may take beside the file. */
const SLACK = 1.01;

/** One process of the host under test. */
class Sharer implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  constructor(path: string, index: number) {
    const program = fileURLToPath(new URL("sharer.ts", import.meta.url));
    this.#process = spawn(process.execPath, [...HOST[hostName], program, path, String(index)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#interface = createInterface({ input: this.#process.stdout });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("a process that maps the file ended");
    return value;
  }

  /** The sum that the process gives for `what`. */
  async ask(what: string): Promise<number> {
    this.#process.stdin.write(`${what}\n`);
    return Number(await this.line());
  }

  share(path: string): Share {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error("a process that maps the file has no number");
    return shareOf(pid, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.stdin.end();
    await ended;
    this.#interface.close();
  }
}

function sharesOf(sharers: readonly Sharer[], path: string): Share {
  const shares = sharers.map((sharer) => sharer.share(path));
  return {
    mapping: shares.reduce((sum, { mapping }) => sum + mapping, 0),
    total: shares.reduce((sum, { total }) => sum + total, 0),
  };
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function row(name: string, { mapping, total }: Share): void {
  console.log(`  ${name.padEnd(40)}  ${mib(mapping).padStart(12)}  ${mib(total).padStart(12)}`);
}

function verdict(name: string, bytes: number, bound: number, quick: boolean): void {
  const word = bytes <= bound ? "met" : "missed";
  if (!quick) console.log(`  target: ${name} at most ${mib(bound)}: ${word}, ${mib(bytes)}`);
}

async function allGive(sharers: readonly Sharer[], what: string, expected: number): Promise<void> {
  const sums = await Promise.all(sharers.map((sharer) => sharer.ask(what)));
  sums.forEach(equals(`a process asked for ${what}`, expected));
}

/** Prints the shares of `count` processes of a file of `byteLength`, which is made here. */
export async function compareSharing(
  given: string,
  byteLength: number,
  count: number,
  quick: boolean,
): Promise<void> {
  const pages = byteLength / PAGE;
  writePages(given, pages);
  const path = realpathSync(given);
  const expected = sumOfNumbers(pages);
  await using all = new AsyncDisposableStack();
  const sharers = Array.from({ length: count }, (_, i) => all.use(new Sharer(path, i)));
  for (const sharer of sharers) equals("a process that starts", "ready")(await sharer.line());
  let empty: Share;
  try {
    empty = sharesOf(sharers, path);
  } catch (error) {
    announce(`/proc/PID/smaps cannot be read here, so what processes share is left out: ${error}`);
    return;
  }
  await allGive(sharers, "r", expected);
  const read = sharesOf(sharers, path);
  await allGive(sharers, "c", expected);
  const copied = sharesOf(sharers, path);
  // Each sees its own writing, and nobody else's; and the file has none of it.
  await allGive(sharers, "look", expected + WRITTEN);
  equals("the file, written in private", expected)(sumOfPages(readFileSync(path)));

  console.log(`\n${count} processes map ${mib(byteLength)}: their Pss together`);
  console.log(`  ${"".padEnd(40)}  ${"the mapping".padStart(12)}  ${"all of them".padStart(12)}`);
  row("nothing mapped", empty);
  row("mapped, every page read", read);
  row(`mode "c", and ${WRITTEN} pages written by each`, copied);
  verdict("the mapping", read.mapping, byteLength * SLACK, quick);
  verdict('the mapping, mode "c"', copied.mapping, byteLength * SLACK + count * WRITTEN * PAGE, quick);
}
