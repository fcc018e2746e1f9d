import { describe, it } from "node:test";
import { readFileSync } from "node:fs";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type MapMode, Mmap } from "../../lib/mem/mmap.ts";
import { pattern, scratch } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;
const contents = pattern(SIZE);
const disk = scratch();

describe("protect", () => {
  it("keeps what is written to the map from its file, and r+ forgets it", () => {
    const path = disk.file(contents);
    using map = Mmap.open(path, { mode: "r+" });
    const bytes = map.bytes();
    bytes[0] = 1;
    map.protect("r");
    assertEquals([map.mode, map.isShared], ["r", false]);
    bytes[0] = 2;
    bytes[5000] = contents[5000] ^ 255;
    assertEquals([bytes[0], readFileSync(path)[0]], [2, 1]);
    map.protect("r");
    map.protect("r+");
    assertEquals([bytes[0], bytes[5000], map.mode], [1, contents[5000], "r+"]);
    bytes[0] = 3;
    assertEquals(readFileSync(path)[0], 3);
  });

  it("refuses to flush a map that writes nowhere just now", () => {
    using map = Mmap.open(disk.file(contents), { mode: "r+" });
    map.protect("r");
    const sentence = `cannot flush ${map.path}: mode r writes to no file; open it with mode r+`;
    assertThrows(() => map.flushSync(), TypeError, sentence);
    assertThrows(() => map.flush(), TypeError, sentence);
  });

  it("refuses a map that never wrote, and other modes", () => {
    const path = disk.file(contents);
    for (const mode of ["r", "c"] satisfies MapMode[]) {
      using map = Mmap.open(path, { mode });
      assertThrows(
        () => Reflect.apply(map.protect, map, ["r+"]),
        TypeError,
        `it was opened with mode ${mode}, which writes to no file`,
      );
    }
    using map = Mmap.open(path, { mode: "r+" });
    for (const mode of ["c", "w+", "", null, undefined, 1, Symbol("r"), {}]) {
      assertThrows(
        () => Reflect.apply(map.protect, map, [mode]),
        TypeError,
        `cannot protect ${path}: mode is ${String(mode)}, and neither r nor r+`,
      );
    }
  });

  it("leaves an empty map, and memory without a path, as usable as they were", () => {
    const path = disk.file(0);
    using empty = Mmap.open(path, { mode: "r+" });
    empty.protect("r");
    assertEquals(empty.mode, "r");
    using memory = Mmap.anonymous(10_000);
    memory.bytes().fill(1);
    memory.protect("r");
    memory.bytes().fill(2);
    memory.protect("r+");
    assertEquals(memory.bytes(), new Uint8Array(10_000).fill(1));
  });
});

describe("flushSync and flush", () => {
  it("take any range, and change nothing", () => {
    const path = disk.file(contents);
    for (const offset of [0, 1, 4097]) {
      using map = Mmap.open(path, { mode: "r+", offset });
      map.bytes()[0] = 0xab;
      const ranges = [{}, { offset: 1 }, { offset: 4095, length: 2 }, { length: 0 }, {
        offset: map.byteLength,
      }];
      for (const range of ranges) {
        map.flushSync(range);
        map.flush(range);
      }
      assertEquals(readFileSync(path)[offset], 0xab);
    }
    using memory = Mmap.memfd("flushed", 10_000);
    memory.flushSync();
    memory.flush({ offset: 1, length: 5000 });
    assertEquals(memory.bytes(), new Uint8Array(10_000));
  });

  it("are refused where nothing is written", () => {
    const path = disk.file(contents);
    for (const mode of ["r", "c"] satisfies MapMode[]) {
      using map = Mmap.open(path, { mode });
      const error = assertThrows(() => map.flushSync(), TypeError, `mode ${mode} writes to no file`);
      assertStringIncludes(error.message, `cannot flush ${path}`);
    }
  });
});
