import { beforeEach, describe, it } from "node:test";
import { truncateSync } from "node:fs";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MapTransferredError, Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl } from "../child.ts";
import { tiered } from "../tier.ts";
import { runCollecting } from "./collect.ts";
import { pattern, scratch } from "./scratch.ts";

const SIZE = 3 * 4096 + 123;

const contents = pattern(SIZE);
const files = scratch();
let path: string;

beforeEach(() => {
  path = files.file(contents);
});

describe("dispose", () => {
  it("leaves every view with length 0", () => {
    const map = Mmap.open(path, { offset: 4 });
    const bytes = map.bytes();
    const floats = map.view(Float32Array, 0, 100);
    const views = [bytes, bytes.subarray(10, 20), map.bytes(4000, 200), floats, floats.subarray(5)];
    const copy = bytes.slice(0, 3);
    const clone = structuredClone(bytes.subarray(0, 3));
    const data = new DataView(bytes.buffer, 8);
    map[Symbol.dispose]();
    assertEquals(views.map((view) => view.length), [0, 0, 0, 0, 0]);
    assertEquals(views.map((view) => view[0]), new Array(5).fill(undefined));
    assertEquals(bytes.buffer.detached, true);
    assertThrows(() => data.getUint8(0), TypeError);
    assertEquals([...copy, ...clone], [...contents.slice(4, 7), ...contents.slice(4, 7)]);
  });

  it("comes with using", () => {
    let bytes = new Uint8Array(0);
    {
      using map = Mmap.open(path);
      bytes = map.bytes();
      assertEquals(bytes.length, SIZE);
    }
    assertEquals(bytes.length, 0);
  });

  it("ends every use of the map with an error that says so", () => {
    const map = Mmap.open(path);
    map[Symbol.dispose]();
    assertEquals([map.isClosed, map.byteLength], [true, SIZE]);
    assertThrows(() => map.bytes(), Error, `cannot view ${path} as Uint8Array: the map was disposed`);
    assertThrows(() => map.bytes(0, 0), Error, "the map was disposed");
    assertThrows(() => map.view(Float32Array, 0, 1), Error, "as Float32Array: the map was disposed");
  });

  it("does nothing the second time", () => {
    const map = Mmap.open(path);
    map[Symbol.dispose]();
    using other = Mmap.open(path);
    map[Symbol.dispose]();
    assertEquals(other.bytes(), contents);
  });

  it("of a map without views, or without bytes, is fine", () => {
    Mmap.open(path)[Symbol.dispose]();
    const empty = Mmap.open(path, { length: 0 });
    const bytes = empty.bytes();
    empty[Symbol.dispose]();
    assertEquals([empty.isClosed, bytes.length], [true, 0]);
  });

  it("leaves the other maps of the file alone", () => {
    const maps = Array.from({ length: 50 }, () => Mmap.open(path));
    const views = maps.map((map) => map.bytes());
    for (const [i, map] of maps.entries()) if (i % 2 === 0) map[Symbol.dispose]();
    for (const [i, view] of views.entries()) {
      if (i % 2 === 0) assertEquals(view.length, 0);
      else assertEquals(view, contents);
    }
    for (const map of maps) map[Symbol.dispose]();
  });

  it("gives everything back over many cycles, once the collector has been", () => {
    const cycles = tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 });
    truncateSync(path, 1 << 20);
    const { stdout, stderr, code } = runCollecting(
      `
      import { readFileSync } from "node:fs";
      import { Mmap } from "${moduleUrl("lib/mem/mmap.ts")}";
      import { descriptors, openedSince } from "${moduleUrl("tests/descriptors.ts")}";
      const path = ${JSON.stringify(path)};
      const expected = readFileSync(path);
      function measure() {
        const status = readFileSync("/proc/self/status", "latin1");
        return {
          kilobytes: Number(/^VmRSS:\\s+(\\d+)/m.exec(status)[1]),
          megabytes: Number(/^VmSize:\\s+(\\d+)/m.exec(status)[1]) / 1024,
          mappings: readFileSync("/proc/self/maps", "latin1").split("\\n").length,
        };
      }
      async function cycle(times) {
        for (let i = 0; i < times; i++) {
          const offset = i % ${SIZE};
          using map = Mmap.open(path, { offset });
          if (map.bytes()[0] !== expected[offset]) throw new Error("a wrong byte in cycle " + i);
          // The collector's news come between turns.
          if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }
      // What was collected is given back when enough maps have ended since.
      async function settle(isEnough) {
        for (let round = 0; round < 20 && !isEnough(); round++) {
          await collect();
          await cycle(1_000);
        }
      }
      let rounds = 0;
      await cycle(2_000);
      await settle(() => ++rounds > 2);
      const before = measure();
      const open = descriptors();
      function grown() {
        const after = measure();
        return Object.keys(before).map((of) => after[of] - before[of]);
      }
      function isBack() {
        const [kilobytes, megabytes, mappings] = grown();
        return kilobytes < 128 * 1024 && megabytes < 2048 && mappings < 100;
      }
      await cycle(${cycles});
      const [, , mappings] = grown();
      if (openedSince(open).length > 0 || mappings >= 1_000) throw new Error("kept: " + [...openedSince(open), mappings]);
      await settle(isBack);
      console.log(isBack() ? "back" : JSON.stringify({ before, after: measure() }));
    `,
      { limitMs: tiered({ quick: 60_000, full: 300_000, soak: 3_600_000 }) },
    );
    assertEquals([stdout, stderr, code], ["back\n", "", 0]);
  });
});

describe("a buffer that was transferred away", () => {
  it("makes the map unusable, with an error that says why", () => {
    const map = Mmap.open(path);
    const view = map.bytes(10, 10);
    structuredClone(view, { transfer: [view.buffer] });
    const sentence = `cannot use the map of ${path}: a buffer of it was transferred away`;
    assertThrows(() => map.bytes(), MapTransferredError, sentence);
    const error = assertThrows(() => map[Symbol.dispose](), MapTransferredError, sentence);
    assertEquals([error.name, error instanceof Error, map.isClosed], ["MapTransferredError", true, true]);
    map[Symbol.dispose]();
    assertThrows(() => map.bytes(), Error, "the map was disposed");
  });

  it("reads zeros from dispose on, for as long as it lives", () => {
    const map = Mmap.open(path);
    const kept = map.bytes(0, SIZE).buffer.transfer();
    const bytes = new Uint8Array(kept, 0, SIZE);
    assertEquals(bytes, contents);
    assertThrows(() => map[Symbol.dispose](), MapTransferredError);
    assertEquals(bytes, new Uint8Array(SIZE));
    for (let i = 0; i < 1_000; i++) Mmap.open(path)[Symbol.dispose]();
    bytes[SIZE - 1] = 7;
    assertStrictEquals(bytes.indexOf(7), SIZE - 1);
  });
});
