import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { added, cachedPages, counted, evict, read, warm } from "../../examples/mmap_vs_read/counters.ts";
import { callsBetweenMarks, tracedCalls } from "../../examples/mmap_vs_read/trace.ts";
import { groups, PAGE } from "../../examples/mmap_vs_read/ways.ts";
import { Fd } from "../../lib/io/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { unlessInstalled } from "../skip.ts";
import { tiered } from "../tier.ts";

const PAGES = 256;

/** A file of words that all differ. */
function withFile(use: (path: string, bytes: Uint8Array<ArrayBuffer>) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-test-"));
  try {
    const path = join(folder, "words");
    const words = Uint32Array.from({ length: PAGES * PAGE / 4 }, (_, i) => Math.imul(i, 2654435761));
    const bytes = new Uint8Array(words.buffer);
    writeFileSync(path, bytes);
    use(path, bytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function firstWords(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  const words = new Uint32Array(bytes.buffer);
  return Uint32Array.from({ length: PAGES }, (_, page) => words[page * PAGE / 4]);
}

function sumOf(words: Iterable<number>): number {
  let sum = 0;
  for (const word of words) sum = (sum + word) % 2 ** 32;
  return sum;
}

describe("the ways of read against mmap", () => {
  const expected = {
    cold: (bytes: Uint8Array<ArrayBuffer>) => sumOf(new Uint32Array(bytes.buffer)),
    warm: (bytes: Uint8Array<ArrayBuffer>) => sumOf(new Uint32Array(bytes.buffer)),
    random: (bytes: Uint8Array<ArrayBuffer>) => sumOf(firstWords(bytes)),
    writing: () => sumOf(Array.from({ length: PAGES }, (_, page) => page * PAGE + 1)),
  };

  for (const [name, sum] of Object.entries(expected)) {
    for (const way of groups[name].ways) {
      it(`see the same words: ${name}, ${way.name}`, () => {
        withFile((path, bytes) => {
          using held = way.run(path);
          assertEquals(held.sum, sum(bytes));
        });
      });
    }
  }

  it("write to the file by pwrite and in mode r+, and not in mode c", () => {
    const written = Uint32Array.from({ length: PAGES }, (_, page) => page * PAGE + 1);
    const [byCall, byMap, byCopy] = groups.writing.ways;
    for (const [way, reaches] of [[byCall, true], [byMap, true], [byCopy, false]] as const) {
      withFile((path, bytes) => {
        const before = firstWords(bytes);
        way.run(path)[Symbol.dispose]();
        assertEquals(firstWords(Uint8Array.from(readFileSync(path))), reaches ? written : before);
      });
    }
  });
});

describe("counting", () => {
  it("tells the calls and the bytes that were copied, of this thread and of nothing else", () => {
    withFile((path) => {
      using fd = Fd.open(path);
      const block = new Uint8Array(PAGE);
      counted(() => read(fd, block));
      const { result, counts } = counted(() => read(fd, block) + read(fd, block));
      assertEquals(result, 2 * PAGE);
      // A host may read a file of its own meanwhile, such as its own size; never so many, and no page of bytes.
      assert(counts.reads >= 2 && counts.reads < 10, `${counts.reads} reads`);
      assert(counts.copied >= 2 * PAGE && counts.copied < 3 * PAGE, `${counts.copied} bytes`);
      assertEquals(counts.writes, 0);
    });
  });

  it("tells the faults on memory that is new", () => {
    const { counts } = counted(() => {
      // Too large for an allocator to have it at hand.
      const bytes = new Uint8Array(PAGES * PAGE * 64);
      for (let offset = 0; offset < bytes.length; offset += PAGE) bytes[offset] = 1;
      return bytes;
    });
    assert(counts.minorFaults > 0);
  });

  it("adds up", () => {
    const { counts } = counted(() => undefined);
    const twice = added(counts, counts);
    assertEquals(Object.values(twice), Object.values(counts).map((count) => 2 * count));
  });

  it("sees a file come into the page cache", () => {
    withFile((path) => {
      // The kernel leaves what another CPU has in hand.
      let before = PAGES;
      for (let tries = 0; tries < 100 && before > 0; tries++) {
        evict(path);
        before = cachedPages(path);
      }
      warm(path);
      assertEquals(cachedPages(path), PAGES);
      // A file system of memory drops nothing.
      assert(before === 0 || before === PAGES, `${before} pages`);
    });
  });

  it("finds one thread's calls in a trace, between its last marks", () => {
    const trace = [
      "7  getppid() = 1",
      "7  read(3, 4096) = 4096",
      "7  getppid() = 1",
      "7  getppid() = 1",
      "8  read(3, 4096) = 4096",
      "7  openat(AT_FDCWD, 4096) = 3",
      "7  read(3,  <unfinished ...>",
      "8  futex(0x0) = 0",
      "7  <... read resumed>) = 4096",
      "7  getppid() = 1",
      "7  munmap(0x0, 4096) = 0",
      "7  getppid() = 1",
      "7  close(3) = 0",
      "7  getppid() = 1",
      "7  exit_group(0) = ?",
    ].join("\n");
    assertEquals(callsBetweenMarks(trace, 1), 1);
    assertEquals(callsBetweenMarks(trace, 2), 3);
    assertThrows(() => callsBetweenMarks(trace, 4), Error, "6 marks");
  });

  it("says why it cannot trace", { skip: unlessInstalled("strace") }, () => {
    assertMatch(String(tracedCalls(["/nowhere"])), /^strace failed: .*\/nowhere.*No such file or directory/);
  });

  it("leaves what is read outside its moments alone", () => {
    withFile((path) => {
      const fd = openSync(path, "r");
      readSync(fd, new Uint8Array(PAGE));
      closeSync(fd);
      assert(counted(() => undefined).counts.copied < PAGE);
    });
  });
});

describe("the example", () => {
  function source(...args: string[]): string {
    return `process.argv.push(...${JSON.stringify(args)});
      await import(${JSON.stringify(moduleUrl("examples/mmap_vs_read.ts"))});`;
  }
  // Each way takes two processes of the host. The cold one has all columns, and a file that comes into the page cache.
  const names = tiered({ quick: ["cold"], full: Object.keys(groups), soak: Object.keys(groups) });
  const output = outputOf(source("--mib", "1", ...names.flatMap((name) => ["--group", name])));

  it("prints a row for each way, and what each column is", () => {
    for (const name of Object.keys(groups).filter((name) => !names.includes(name))) {
      assert(!output.includes(groups[name].title), name);
    }
    for (const { title, ways } of names.map((name) => groups[name])) {
      const lines = output.split("\n");
      const from = lines.indexOf(title);
      assert(from > 0, title);
      const printed = lines.slice(from + 2, from + 2 + ways.length).map((line) =>
        line.trim().split(/ {2,}/)[0]
      );
      assertEquals(printed, ways.map(({ name }) => name));
    }
    const columns = [...output.matchAll(/^([a-z]+\.?) {2,}[a-z]/gm)].map(([, column]) => column);
    assertEquals(columns, ["calls", "reads", "copied", "minor", "volunt.", "resident", "cached", "time"]);
  });

  it("copies the file by read, and nothing by a map", () => {
    function copied(name: string): number[] {
      return output.split("\n").filter((line) => line.startsWith(`  ${name}  `))
        .map((line) => Number(line.trim().split(/ {2,}/)[3]));
    }
    for (const pages of copied("read(2) into one buffer")) assert(pages >= PAGES && pages < 2 * PAGES);
    assertEquals(copied("map").length, names.filter((name) => name !== "writing").length);
    for (const pages of copied("map")) assert(pages < 10);
  });

  it("refuses a size that is none, and a group that is none", () => {
    for (
      const [option, value, message] of [
        ["--mib", "0", "--mib is 0: a whole number from 1 to 1024 is wanted"],
        ["--group", "hot", "--group is hot: cold, warm, random or writing is wanted"],
      ]
    ) {
      const { code, stderr } = runChild(source(option, value));
      assertEquals(code, 1);
      assert(stderr.includes(message), stderr);
    }
  });
});
