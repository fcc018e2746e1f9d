import { after, before, describe, it } from "node:test";
import { closeSync, openSync, truncateSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { assertEquals, assertThrows } from "@std/assert";
import { Mmap } from "../../lib/mem/mmap.ts";
import { scratch } from "./scratch.ts";

const GIB = 2 ** 30;

const files = scratch();

describe("a file of 6 GiB", () => {
  const size = 6 * GIB;
  let large: string;

  before(() => {
    large = join(files.folder, "large.bin");
    writeFileSync(large, "");
    truncateSync(large, size);
    const file = openSync(large, "r+");
    for (const at of [0, 2 ** 32 - 4, 2 ** 32, size - 8]) {
      writeSync(file, Uint8Array.of(1, 2, 3, 4), 0, 4, at);
    }
    closeSync(file);
  });

  after(() => unlinkSync(large));

  it("is mapped whole, and seen in parts", () => {
    using map = Mmap.open(large);
    assertEquals(map.byteLength, size);
    assertEquals([...map.bytes(size - 8)], [1, 2, 3, 4, 0, 0, 0, 0]);
    assertEquals([...map.bytes(2 ** 32 - 4, 8)], [1, 2, 3, 4, 1, 2, 3, 4]);
    assertEquals([...map.view(Uint32Array, 2 ** 32 - 4, 2)], [0x04030201, 0x04030201]);
    assertEquals(map.bytes(0, 5).length, 5);
    assertEquals(map.view(Float64Array, size - 8, 1).length, 1);
  });

  it("is refused as one view, on every host alike", () => {
    using map = Mmap.open(large);
    const sentence = "bytes are more than one view holds, 4294967296";
    assertThrows(() => map.bytes(), RangeError, `cannot view ${large} as Uint8Array: ${size} ${sentence}`);
    assertThrows(() => map.bytes(1, 2 ** 32 + 1), RangeError, `${2 ** 32 + 1} ${sentence}`);
    assertThrows(() => map.view(Float64Array, 0, 2 ** 29 + 1), RangeError, `${2 ** 32 + 8} ${sentence}`);
  });

  it("is seen in views of up to 4 GiB, from any byte", () => {
    using map = Mmap.open(large);
    const whole = map.bytes(0, 2 ** 32);
    const rest = map.bytes(size - 2 ** 32, 2 ** 32);
    assertEquals([whole.length, whole[2 ** 32 - 1], rest[2 ** 32 - 8], rest.length], [
      2 ** 32,
      4,
      1,
      2 ** 32,
    ]);
    const odd = map.bytes(1, 2 ** 32);
    assertEquals([odd.length, odd[2 ** 32 - 1]], [2 ** 32, 1]);
  });

  it("is mapped in part from beyond 4 GiB", () => {
    using map = Mmap.open(large, { offset: 2 ** 32 - 3, length: 6 });
    assertEquals([...map.bytes()], [2, 3, 4, 1, 2, 3]);
    using exact = Mmap.open(large, { offset: 4, length: 2 ** 32 - 4 });
    assertEquals(exact.bytes().length, 2 ** 32 - 4);
    using more = Mmap.open(large, { offset: 4, length: 2 ** 32 });
    assertEquals([...more.bytes().subarray(2 ** 32 - 4)], [1, 2, 3, 4]);
  });

  it("loses every one of its views at dispose", () => {
    const map = Mmap.open(large);
    const views = [map.bytes(0, 8), map.bytes(size - 8, 8), map.bytes(0, 2 ** 32), map.bytes(2 ** 32, 4)];
    map[Symbol.dispose]();
    assertEquals(views.map((view) => view.length), [0, 0, 0, 0]);
  });
});
