import { beforeEach, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { tiered } from "../tier.ts";
import { pattern, scratch } from "./scratch.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const SIZE = 3 * 4096 + 123;
const RUNS = tiered({ quick: 300, full: 10_000, soak: 1_000_000 });

const contents = pattern(SIZE);
const files = scratch();
let path: string;

beforeEach(() => {
  path = files.file(contents);
});

describe("Mmap.open", () => {
  it("maps the whole file where nothing is said", () => {
    using map = Mmap.open(path);
    assertEquals([map.byteLength, map.path, map.isClosed], [SIZE, path, false]);
    assertEquals(map.bytes(), contents);
  });

  it("maps any part, of any alignment", () => {
    const part = fc.tuple(fc.nat(SIZE), fc.nat(SIZE)).map(([a, b]) => [Math.min(a, b), Math.abs(a - b)]);
    fc.assert(
      fc.property(part, ([offset, length]) => {
        using map = Mmap.open(path, { offset, length });
        assertEquals(map.byteLength, length);
        assertEquals(map.bytes(), contents.slice(offset, offset + length));
      }),
      { numRuns: RUNS },
    );
  });

  it("maps up to the end where no length is said", () => {
    for (const offset of [0, 1, 4095, 4096, 4097, SIZE - 1, SIZE]) {
      using map = Mmap.open(path, { offset });
      assertEquals(map.bytes(), contents.slice(offset));
    }
  });

  it("takes a file: URL and a relative path", () => {
    const odd = join(files.folder, "a b%20#ü.bin");
    writeFileSync(odd, "odd");
    for (const name of [pathToFileURL(odd), relative(process.cwd(), odd), odd]) {
      using map = Mmap.open(name);
      assertEquals(new TextDecoder().decode(map.bytes().slice()), "odd");
    }
  });

  it("refuses a range outside the file, and names it", () => {
    for (const offset of [SIZE + 1, -1, 0.5, NaN, Infinity, 2 ** 60]) {
      assertThrows(
        () => Mmap.open(path, { offset }),
        RangeError,
        `cannot map ${path}: offset is ${offset}, and the file has ${SIZE} bytes`,
      );
    }
    for (const length of [SIZE - 99, -1, 0.5, NaN, Infinity, 2 ** 60]) {
      assertThrows(
        () => Mmap.open(path, { offset: 100, length }),
        RangeError,
        `cannot map ${path}: length is ${length}, and from 100 the file has ${SIZE - 100} bytes`,
      );
    }
    for (const value of ["1", null, 1n, {}]) {
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { offset: value }]), RangeError, "offset is");
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [path, { length: value }]), RangeError, "length is");
    }
  });

  it("maps an empty file, and an empty part, to no bytes", () => {
    writeFileSync(path, "");
    for (const options of [{}, { offset: 0 }, { length: 0 }]) {
      using map = Mmap.open(path, options);
      assertEquals([map.byteLength, map.bytes().length, map.view(Float64Array, 0, 0).length], [0, 0, 0]);
      assertThrows(() => map.bytes(0, 1), RangeError, "do not lie in its 0 bytes");
    }
    assertThrows(() => Mmap.open(path, { length: 1 }), RangeError, "the file has 0 bytes");
    assertThrows(() => Mmap.open(path, { offset: 1 }), RangeError, "the file has 0 bytes");
  });

  it("says why it cannot map what has no pages", () => {
    assertThrows(() => Mmap.open(files.folder), TypeError, `cannot map ${files.folder}: it is a directory`);
    assertThrows(() => Mmap.open("/dev/null"), TypeError, "another device, which has no pages");
    assertThrows(() => Mmap.open("/dev/zero"), TypeError, "another device, which has no pages");
    for (const name of ["/proc/self/status", "/proc/self/mem", "/sys/kernel/notes"]) {
      const error = assertThrows(() => Mmap.open(name), SystemError, `mmap ${name} failed`);
      assertEquals([error.code, error.syscall, error.path], ["ENODEV", "mmap", name]);
      assertStringIncludes(error.message, "its file system makes it up as it is read; read it instead");
    }
  });

  it("does not wait for a pipe's other end", () => {
    const pipe = join(files.folder, "pipe");
    assertEquals(spawnSync("mkfifo", [pipe]).status, 0);
    assertThrows(() => Mmap.open(pipe), TypeError, `cannot map ${pipe}: it is a pipe`);
  });

  it("refuses a socket's file", async () => {
    const { createServer } = await import("node:net");
    const socket = join(files.folder, "socket");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const error = assertThrows(() => Mmap.open(socket), SystemError, "open");
    assertEquals([error.code, error.path], ["ENXIO", socket]);
    await new Promise((resolve) => server.close(resolve));
  });

  it("throws what open(2) says", () => {
    for (
      const [name, code] of [
        [join(files.folder, "none"), "ENOENT"],
        [join(path, "below"), "ENOTDIR"],
        [join(files.folder, "x".repeat(300)), "ENAMETOOLONG"],
      ]
    ) {
      const error = assertThrows(() => Mmap.open(name), SystemError, `open ${name} failed: `);
      assertEquals([error.code, error.path, error.syscall], [code, name, "open"]);
    }
  });

  it("refuses what is no path", () => {
    for (const value of [undefined, null, 5, {}, new Uint8Array(3)]) {
      assertThrows(() => Reflect.apply(Mmap.open, Mmap, [value]), TypeError, "path is no string and no URL");
    }
    assertThrows(() => Mmap.open("a\0b"), TypeError, "it holds a NUL");
    assertThrows(() => Mmap.open(new URL("https://127.0.0.1/x")), TypeError);
  });

  it("leaves no descriptor open, whether it maps or throws", () => {
    const before = descriptors();
    const maps: Mmap[] = [];
    for (let i = 0; i < 100; i++) {
      maps.push(Mmap.open(path));
      assertThrows(() => Mmap.open(files.folder), TypeError);
      assertThrows(() => Mmap.open(path, { offset: -1 }), RangeError);
      assertThrows(() => Mmap.open("/proc/self/status"), SystemError);
    }
    assert(openedSince(before).length < 50);
    for (const map of maps) map[Symbol.dispose]();
  });
});

describe("bytes", () => {
  it("is as slice, without a copy", () => {
    using map = Mmap.open(path, { offset: 77 });
    const part = fc.tuple(fc.nat(map.byteLength), fc.nat(map.byteLength)).map((
      [a, b],
    ) => [Math.min(a, b), Math.abs(a - b)]);
    fc.assert(
      fc.property(part, ([offset, length]) => {
        assertEquals(map.bytes(offset, length), contents.slice(77 + offset, 77 + offset + length));
        assertEquals(map.bytes(offset).length, map.byteLength - offset);
      }),
      { numRuns: RUNS },
    );
  });

  it("refuses what does not lie in the map", () => {
    using map = Mmap.open(path);
    for (const [offset, length] of [[0, SIZE + 1], [SIZE, 1], [-1, 1], [0, -1], [NaN, 1]]) {
      assertThrows(() => map.bytes(offset, length), RangeError, `do not lie in its ${SIZE} bytes`);
    }
    assertThrows(() => map.bytes(SIZE + 1), RangeError, "do not lie in");
  });
});

describe("the map's length", () => {
  it("cannot be changed, which every check relies on", () => {
    using map = Mmap.open(path);
    assertEquals(Reflect.set(map, "byteLength", 2 ** 40), false);
    assertEquals(map.byteLength, SIZE);
    assertThrows(() => map.bytes(0, SIZE + 1), RangeError);
  });
});

describe("the file under a map", () => {
  it("is never written to by it", () => {
    const map = Mmap.open(path);
    using other = Mmap.open(path);
    map.bytes().fill(0xee);
    assertEquals(readFileSync(path).equals(contents), true);
    assertEquals(other.bytes(), contents);
    map[Symbol.dispose]();
    assertEquals(readFileSync(path).equals(contents), true);
  });

  it("is kept when another is renamed over it, or it is unlinked", () => {
    using old = Mmap.open(path);
    const replacement = join(files.folder, "replacement.bin");
    writeFileSync(replacement, contents.map((byte) => byte ^ 255));
    renameSync(replacement, path);
    using fresh = Mmap.open(path);
    assertEquals(old.bytes(), contents);
    assertNotEquals(fresh.bytes()[0], old.bytes()[0]);
    unlinkSync(path);
    assertEquals(fresh.bytes()[5], contents[5] ^ 255);
    assertEquals(old.bytes(4096), contents.slice(4096));
  });
});
