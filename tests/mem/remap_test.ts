import { describe, it } from "node:test";
import { appendFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../../lib/io/arguments.ts";
import { MapInUseError, MapTransferredError, Mmap } from "../../lib/mem/mmap.ts";
import { tiered } from "../tier.ts";
import { outputOf } from "../child.ts";
import { pattern, scratch, TOOLS } from "./scratch.ts";

const PAGE = 4096;
const GIB = 2 ** 30;
const SIZE = 3 * PAGE + 123;
const RUNS = tiered({ quick: 100, full: 2_000, soak: 100_000 });
const contents = pattern(SIZE);
const disk = scratch();

describe("remap", () => {
  it("shows in mode r what others have appended", () => {
    const path = disk.file(contents.slice(0, 1000));
    using map = Mmap.open(path, { offset: 10 });
    const before = map.bytes();
    appendFileSync(path, contents.slice(1000));
    map.remap(SIZE - 10);
    assertEquals([before.length, before.buffer.detached, map.byteLength], [0, true, SIZE - 10]);
    assertEquals(map.bytes(), contents.slice(10));
  });

  it("refuses to show what the file has not", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { offset: 10 });
    const bytes = map.bytes();
    assertThrows(
      () => map.remap(SIZE),
      RangeError,
      `cannot remap ${path}: length is ${SIZE}, and from 10 the file has ${SIZE - 10} bytes`,
    );
    assertEquals(bytes, contents.slice(10));
    truncateSync(path, 10);
    assertThrows(() => map.remap(1), RangeError, "from 10 the file has 0 bytes");
    map.remap(0);
    assertEquals([map.byteLength, bytes.length], [0, 0]);
  });

  it("lengthens the file in modes that write to it, and never cuts it", () => {
    const path = disk.file(contents);
    for (const mode of ["r+", "a+"] as const) {
      writeFileSync(path, contents);
      using map = Mmap.open(path, { mode, offset: 4099 });
      for (const length of [SIZE, 1 << 20, 5, 10]) {
        map.remap(length);
        map.bytes()[length - 1] = 0xab;
        assertEquals(readFileSync(path)[4099 + length - 1], 0xab);
      }
      assertEquals(statSync(path).size, 4099 + (1 << 20));
    }
  });

  it("agrees with a plain buffer, through any lengths", () => {
    const lengths = fc.array(fc.nat(20 * PAGE), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lengths, fc.nat(5000), fc.constantFrom("r+", "memfd"), (lengths, offset, kind) => {
        const file = new Uint8Array(30 * PAGE);
        using map = kind === "memfd"
          ? Mmap.memfd("remapped", 0)
          : Mmap.open(disk.file(0), { mode: "a+", offset });
        for (const [i, length] of lengths.entries()) {
          map.remap(length);
          assertEquals(map.bytes(), file.slice(0, length));
          map.bytes().fill(i + 1, Math.floor(length / 2));
          file.fill(i + 1, Math.floor(length / 2), length);
          map.check();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("takes the private pages of mode c along", () => {
    const path = disk.file(contents);
    truncateSync(path, 1 << 24);
    using map = Mmap.open(path, { mode: "c", offset: 1, length: SIZE });
    map.bytes().fill(1, 0, 5000);
    const neighbours: Mmap[] = [];
    for (const length of [1 << 20, 1 << 22, 100, (1 << 24) - 1]) {
      // In the way of growing in place.
      for (let i = 0; i < 20; i++) neighbours.push(Mmap.open(path, { length: 1 << 20 }));
      map.remap(length);
      assertEquals(map.bytes(0, 100), new Uint8Array(100).fill(1));
      if (length > 100) {
        assertEquals(map.bytes(4999, 3), Uint8Array.of(1, contents[5001], contents[5002]));
        assertEquals(map.bytes(length - 1)[0], length < SIZE ? contents[length] : 0);
      }
    }
    assertEquals(readFileSync(path).subarray(0, SIZE).equals(contents), true);
    for (const neighbour of neighbours) neighbour[Symbol.dispose]();
  });

  it("takes the private pages along of a map whose parts were advised differently", () => {
    const path = disk.file(1 << 24);
    using map = Mmap.open(path, { mode: "c", length: 1 << 16 });
    map.bytes().fill(1);
    map.advise("random", { offset: PAGE, length: PAGE });
    map.advise("dontdump", { offset: 5 * PAGE, length: PAGE });
    const neighbours = Array.from({ length: 20 }, () => Mmap.open(path, { length: 1 << 16 }));
    map.remap(1 << 24);
    assertEquals(map.bytes(0, 1 << 16), new Uint8Array(1 << 16).fill(1));
    assertEquals(map.bytes(1 << 16, 10), new Uint8Array(10));
    for (const neighbour of neighbours) neighbour[Symbol.dispose]();
  });

  it("goes to nothing and comes back", () => {
    const path = disk.file(contents);
    for (const mode of ["r", "r+", "c"] as const) {
      using map = Mmap.open(path, { mode });
      map.remap(0);
      assertEquals([map.byteLength, map.bytes().length], [0, 0]);
      map.remap(SIZE);
      assertEquals(map.bytes(), contents);
      using empty = Mmap.open(path, { mode, length: 0 });
      empty.remap(SIZE);
      assertEquals([empty.bytes().length, empty.guarded], [SIZE, true]);
      assertEquals(empty.bytes(), contents);
    }
  });

  it("leads beyond 4 GiB", () => {
    using map = Mmap.open(disk.file(10), { mode: "r+" });
    map.remap(6 * GIB);
    map.bytes(6 * GIB - 1)[0] = 9;
    assertEquals([map.bytes(6 * GIB - 2)[1], map.byteLength], [9, 6 * GIB]);
    map.remap(4 * GIB + 1);
    assertEquals([map.bytes(4 * GIB).length, map.bytes(1).length], [1, 4 * GIB]);
    map.remap(10);
    assertEquals(map.bytes(), new Uint8Array(10));
  });

  it("is held up by seals, and changes nothing then", () => {
    using map = Mmap.memfd("sealed", 5000, { seals: ["grow"] });
    const bytes = map.bytes();
    const error = assertThrows(() => map.remap(5001), SystemError, "it is sealed against this");
    assertEquals([error.code, error.syscall, error.path], ["EPERM", "ftruncate", "sealed"]);
    assertEquals([bytes.length, map.byteLength], [5000, 5000]);
    map.remap(10);
    map.remap(5000);
    assertEquals(map.bytes(), new Uint8Array(5000));
  });

  it("is refused while somebody has retained the map", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    const bytes = map.bytes();
    map.retain();
    map.retain();
    assertThrows(
      () => map.remap(10),
      MapInUseError,
      `cannot remap ${path}: it is retained, by 2, and stays where it is`,
    );
    map.release();
    const error = assertThrows(() => map.remap(10), MapInUseError, "by 1");
    assertEquals([error.name, bytes.length], ["MapInUseError", SIZE]);
    map.release();
    map.remap(10);
    assertEquals([bytes.length, map.byteLength], [0, 10]);
  });

  it("is refused where a buffer was transferred away", () => {
    const path = disk.file(contents);
    const map = Mmap.open(path);
    const kept = map.bytes().buffer.transfer();
    assertThrows(() => map.remap(10), MapTransferredError, `cannot use the map of ${path}: a buffer of it`);
    assertEquals([map.byteLength, new Uint8Array(kept)[5]], [SIZE, contents[5]]);
    assertThrows(() => map[Symbol.dispose](), MapTransferredError);
  });

  it("finds a file again by a path from another folder", () => {
    const source = `
      process.chdir(folder);
      fs.writeFileSync("relative.bin", "abc");
      const map = Mmap.open("relative.bin");
      process.chdir("/");
      fs.appendFileSync(join(folder, "relative.bin"), "def");
      map.remap(6);
      console.log(map.path, map.bytes()[5], Mmap.adopt(map.share()).byteLength);`;
    assertEquals(outputOf(TOOLS + source), "relative.bin 102 6");
  });

  it("is refused where another file has taken the path", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path);
    renameSync(disk.file(contents), path);
    assertThrows(
      () => map.remap(10),
      Error,
      "another file has taken its path since it was mapped; map that one",
    );
    assertEquals(map.bytes(), contents);
  });

  it("names a length that is none, and a map that is gone", () => {
    const map = Mmap.open(disk.file(contents));
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53, "1", null, undefined, 1n]) {
      const error = assertThrows(() => Reflect.apply(map.remap, map, [length]), RangeError, "cannot remap");
      assertStringIncludes(error.message, `length is ${shown(length)}, not a count of bytes`);
    }
    using late = Mmap.open(map.path, { offset: 10 });
    assertThrows(
      () => late.remap(2 ** 53 - 1),
      RangeError,
      "offset + length is 9007199254741000, not a count",
    );
    map[Symbol.dispose]();
    assertThrows(() => map.remap(1), Error, `cannot remap ${map.path}: the map was disposed`);
  });
});

describe("retain and release", () => {
  it("put dispose off until the last release", () => {
    const path = disk.file(contents);
    for (const mode of ["r", "r+", "c"] as const) {
      const map = Mmap.open(path, { mode });
      const bytes = map.bytes();
      map.retain();
      map.retain();
      map[Symbol.dispose]();
      map[Symbol.dispose]();
      assertEquals([map.isClosed, bytes.length], [true, SIZE]);
      assertEquals(bytes, contents);
      const uses = [
        () => map.bytes(),
        () => map.remap(1),
        () => map.share(),
        () => map.protect("r"),
        () => map.resident(),
        () => map.lock(),
        () => map.unlock(),
        () => map.advise("normal"),
        () => map.flushSync(),
        () => map.flush(),
        () => map.windows(1),
        () => map.dataView(),
        () => map.copy(Uint8Array, 0, 1),
      ];
      for (const use of uses) assertThrows(use, Error, "the map was disposed");
      // Whoever has retained it may ask whether its bytes are whole.
      map.check();
      map.release();
      map.retain();
      map.release();
      assertEquals(bytes, contents);
      map.release();
      assertEquals([bytes.length, map.isClosed], [0, true]);
      assertThrows(() => map.check(), Error, "the map was disposed");
      assertThrows(() => map.retain(), Error, `cannot retain ${path}: the map was disposed`);
      assertThrows(() => map.release(), Error, `cannot release ${path}: nobody has retained the map`);
    }
  });

  it("count, and a release too many takes nobody's", () => {
    using map = Mmap.open(disk.file(contents));
    assertThrows(() => map.release(), Error, "nobody has retained the map");
    map.retain();
    map.release();
    assertThrows(() => map.release(), Error, "nobody has retained the map");
    assertEquals(map.bytes(), contents);
  });

  it("keep a map in its mode", () => {
    using map = Mmap.open(disk.file(contents), { mode: "r+" });
    map.retain();
    assertThrows(() => map.protect("r"), MapInUseError, `cannot protect ${map.path}: it is retained, by 1`);
    assertEquals([map.mode, map.isShared], ["r+", true]);
    map.release();
    map.protect("r");
  });

  it("tell at the last release that a buffer was transferred away", () => {
    const map = Mmap.open(disk.file(contents));
    map.retain();
    const kept = new Uint8Array(map.bytes(0, SIZE).buffer.transfer());
    map[Symbol.dispose]();
    assertEquals(kept[5], contents[5]);
    assertThrows(() => map.release(), MapTransferredError, "was transferred away");
    assertEquals(kept, new Uint8Array(SIZE));
  });
});
