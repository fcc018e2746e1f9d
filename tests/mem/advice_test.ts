import { describe, it } from "node:test";
import { readFileSync, statSync } from "node:fs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { ADVICE } from "../../lib/mem/advice.ts";
import { type Advice, Mmap } from "../../lib/mem/mmap.ts";
import { outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { pattern, scratch, smaps, TOOLS } from "./scratch.ts";

const PAGE = 4096;
const SIZE = 10 * PAGE + 123;
const RUNS = tiered({ quick: 100, full: 2_000, soak: 100_000 });
const contents = pattern(SIZE);
const disk = scratch();
const all = Object.keys(ADVICE).filter((name): name is Advice => name in ADVICE);

describe("advise", () => {
  it("changes no byte of the file with any advice but remove, whatever the kernel says to it", () => {
    for (const mode of ["r", "r+", "c"] as const) {
      for (const advice of all.filter((advice) => advice !== "remove")) {
        const path = disk.file(contents);
        using map = Mmap.open(path, { mode });
        try {
          map.advise(advice);
          map.advise(advice, { offset: 5000, length: 10_000 });
        } catch (error) {
          assert(error instanceof SystemError);
          assertEquals([error.syscall, error.path], ["madvise", path]);
          assert(error.message.includes(`the kernel does not take ${advice} for this map`), error.message);
        }
        assertEquals(map.bytes(), contents);
        assertEquals(readFileSync(path).equals(contents), true);
      }
    }
  });

  it("is taken for what every kernel knows", () => {
    using map = Mmap.open(disk.file(contents), { mode: "r+" });
    const known: Advice[] = ["normal", "random", "sequential", "willneed", "dontneed", "dontfork", "dofork"];
    for (const advice of [...known, "dontdump", "dodump"] satisfies Advice[]) map.advise(advice);
    assertEquals(map.bytes(), contents);
  });

  it("throws what the kernel refuses", () => {
    using map = Mmap.open(disk.file(contents));
    const error = assertThrows(() => map.advise("remove"), SystemError, "does not take remove");
    assertEquals([error.code, error.syscall, error.path], ["EACCES", "madvise", map.path]);
  });

  it("may be given when the map is opened, with pages read in", () => {
    for (const advice of ["random", "sequential", "willneed"] satisfies Advice[]) {
      using map = Mmap.open(disk.file(contents), { advice, populate: true });
      assertEquals(map.bytes(), contents);
      using memory = Mmap.anonymous(SIZE, { advice, populate: true });
      assertEquals(memory.bytes(), new Uint8Array(SIZE));
    }
    const path = disk.file(contents);
    assertThrows(() => Mmap.open(path, { advice: "remove" }), SystemError, "madvise");
    assertEquals(readFileSync("/proc/self/maps", "latin1").includes(path), false);
  });

  it("drops with dontneed what was written to whole pages of mode c, and no byte more", () => {
    const path = disk.file(contents);
    const numbers = fc.tuple(fc.nat(SIZE - 1), fc.nat(SIZE), fc.nat(SIZE));
    fc.assert(
      fc.property(numbers, ([start, a, b]) => {
        using map = Mmap.open(path, { mode: "c", offset: start });
        const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.min(at, map.byteLength));
        map.bytes().fill(0xee);
        map.advise("dontneed", { offset: from, length: to - from });
        const expected = new Uint8Array(map.byteLength).fill(0xee);
        const first = Math.ceil((start + from) / PAGE) * PAGE;
        const last = to === map.byteLength ? SIZE : Math.floor((start + to) / PAGE) * PAGE;
        if (first < last) expected.set(contents.slice(first, last), first - start);
        assertEquals(map.bytes(), expected);
      }),
      { numRuns: RUNS },
    );
  });

  it("makes holes with remove in whole pages, and takes no byte that is not in the range", () => {
    const numbers = fc.tuple(fc.nat(SIZE), fc.nat(SIZE), fc.nat(SIZE), fc.nat(SIZE));
    fc.assert(
      fc.property(numbers, ([a, b, c, d]) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const path = disk.file(contents);
        using map = Mmap.open(path, { mode: "r+", offset: start, length: end - start });
        const [from, to] = [Math.min(c, d), Math.max(c, d)].map((at) => Math.min(at, map.byteLength));
        map.advise("remove", { offset: from, length: to - from });
        const first = Math.ceil((start + from) / PAGE) * PAGE;
        const last = start + to === SIZE ? SIZE : Math.floor((start + to) / PAGE) * PAGE;
        const expected = contents.slice();
        if (first < last) expected.fill(0, first, last);
        assertEquals(readFileSync(path).equals(expected), true);
        assertEquals(statSync(path).size, SIZE);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("populate and lock", () => {
  it("read all pages in, and copy none of a private map", () => {
    for (const mode of ["r", "c"] as const) {
      const path = disk.file(contents);
      using map = Mmap.open(path, { mode, populate: true });
      assertEquals([smaps(path, "Rss"), smaps(path, "Anonymous")], [44, 0]);
      map.lock();
      assertEquals([smaps(path, "Locked"), smaps(path, "Anonymous")], [44, 0]);
      map.unlock();
      assertEquals(smaps(path, "Locked"), 0);
      map.bytes().fill(1, 0, 1);
      assertEquals(smaps(path, "Anonymous"), 4);
    }
  });

  it("need no pages at all", () => {
    using map = Mmap.open(disk.file(0), { populate: true, advice: "random", hugePages: "transparent" });
    map.lock();
    map.unlock();
    map.advise("dontneed");
    assertEquals(map.byteLength, 0);
  });

  it("are told of a file that was cut meanwhile", () => {
    const source = `
      const path = file(4);
      for (const isRead of [false, true]) {
        using map = Mmap.open(path);
        const bytes = map.bytes();
        fs.truncateSync(path, PAGE);
        if (isRead) bytes[3 * PAGE];
        console.log(thrown(() => map.lock()), bytes[3 * PAGE], map.faults());
        fs.truncateSync(path, 4 * PAGE);
      }`;
    assertEquals(outputOf(TOOLS + source), "MapTruncatedError 0 1\nMapTruncatedError 0 1");
  });
});

describe("resident", () => {
  it("counts the pages that the page cache has", () => {
    const path = disk.file(1 << 24);
    using map = Mmap.open(path, { advice: "random" });
    assertEquals(map.resident(), { pages: 0, bytes: 0 });
    const bytes = map.bytes();
    for (const page of [0, 17, 4095]) assertEquals(bytes[page * PAGE], 0);
    assertEquals(map.resident(), { pages: 3, bytes: 3 * PAGE });
    using other = Mmap.open(path, { offset: 17 * PAGE + 1, length: 10 });
    assertEquals(other.resident(), { pages: 1, bytes: PAGE });
    using empty = Mmap.open(path, { length: 0 });
    assertEquals(empty.resident(), { pages: 0, bytes: 0 });
    using memory = Mmap.anonymous(1 << 20);
    memory.bytes()[5000] = 1;
    assertEquals(memory.resident(), { pages: 1, bytes: PAGE });
  });

  it("counts more pages than one call is asked for", () => {
    const path = disk.file(6 * 2 ** 30);
    using map = Mmap.open(path, { advice: "random" });
    for (const offset of [0, 2 ** 32 - 1, 2 ** 32, 6 * 2 ** 30 - 1]) assertEquals(map.bytes(offset, 1)[0], 0);
    assertEquals(map.resident().pages, 4);
  });
});

describe("hugePages", () => {
  const reserved = Number(/^HugePages_Free:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1]);

  it("transparent ones are asked for, and are no promise", () => {
    using map = Mmap.anonymous(1 << 22, { hugePages: "transparent" });
    map.bytes().fill(1);
    assertEquals(map.bytes().every((byte) => byte === 1), true);
    using file = Mmap.open(disk.file(contents), { hugePages: "transparent" });
    assertEquals(file.bytes(), contents);
  });

  it("reserved ones that are not there are an error that says so", {
    skip: skipping(reserved > 0 && `the machine lacks no reserved pages: vm.nr_hugepages is ${reserved}`),
  }, () => {
    const error = assertThrows(() => Mmap.anonymous(1 << 22, { hugePages: "reserved" }), SystemError);
    assertEquals([error.code, error.syscall], ["ENOMEM", "mmap"]);
    assert(error.message.includes("vm.nr_hugepages"), error.message);
  });

  it("reserved ones are of 2 MiB, and give way like others", {
    skip: skipping(!(reserved >= 4) && "no pages are reserved: vm.nr_hugepages is 0"),
  }, () => {
    for (const length of [1, 1 << 21, (1 << 21) + 1, 1 << 22]) {
      const map = Mmap.anonymous(length, { hugePages: "reserved", populate: true });
      const bytes = map.bytes();
      bytes.fill(7);
      assertEquals([bytes.length, bytes[length - 1]], [length, 7]);
      map[Symbol.dispose]();
      assertEquals(bytes.length, 0);
    }
  });

  it("reserved ones are not a file's", () => {
    const path = disk.file(contents);
    assertThrows(
      () => Reflect.apply(Mmap.open, Mmap, [path, { hugePages: "reserved" }]),
      TypeError,
      `cannot map ${path}: hugePages is reserved, and none of transparent`,
    );
  });
});
