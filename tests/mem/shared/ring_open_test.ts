import { describe, it } from "node:test";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { MapTruncatedError, Mmap } from "../../../lib/mem/mmap.ts";
import { RingTakenError, SharedFormatError, SharedMutex, SharedRing } from "../../../lib/mem/shared.ts";
import { HEADER } from "../../../lib/mem/shared/ring_layout.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { flipEachBit, newMap } from "./file_map.ts";
import { preamble } from "./peer.ts";
import { files, message, newRing } from "./rings.ts";

const KINDS = ["spsc", "mpmc"] as const;

describe("SharedRing", () => {
  it("is for one producer and one consumer, or for many", () => {
    const { map, ring } = newRing({ capacity: 1024 });
    using other = SharedRing.open(map);
    assertEquals([ring.kind, other.kind, ring.producer, ring.consumer], ["spsc", "spsc", "none", "none"]);
    ring.sendSync(message(3, 3));
    assertEquals([other.producer, other.consumer], ["alive", "none"]);
    assertThrows(() => other.sendSync(message(1, 1)), RingTakenError, "it has a producer already");
    assertThrows(() => other.end(), RingTakenError, "it has a producer already");
    assertEquals(other.recvSync(), message(3, 3));
    assertThrows(() => ring.tryRecv(), RingTakenError, "it has a consumer already");
    assertEquals(ring.consumer, "alive");
    ring[Symbol.dispose]();
    assertEquals(other.producer, "left");
    assertStrictEquals(other.recvSync(), undefined);
    other.sendSync(message(4, 4));
    assertEquals([other.producer, other.recvSync()], ["alive", message(4, 4)]);
    assertEquals(other.deaths, { producers: 0, consumers: 0 });
    other[Symbol.dispose]();
    const many = SharedRing.create(map, { capacity: 1024, kind: "mpmc" });
    using second = SharedRing.open(map);
    many.sendSync(message(1, 1));
    second.sendSync(message(2, 2));
    assertEquals([many.recvSync(), second.recvSync()], [message(1, 1), message(2, 2)]);
    const place = many.reserve(3);
    assertEquals(second.trySend(message(1, 1)), false);
    assertEquals(assertThrows(() => second.sendSync(message(1, 1)), SystemError).code, "EDEADLK");
    place?.commit();
    const found = second.peek();
    assertStrictEquals(many.tryRecv(), undefined);
    found?.release();
    many[Symbol.dispose]();
    second[Symbol.dispose]();
    map[Symbol.dispose]();
  });

  it("is not made anew where this thread has a side", () => {
    const { map, ring } = newRing({ capacity: 64 });
    ring.sendSync(message(1, 1));
    assertThrows(() => SharedRing.create(map, { capacity: 64 }), Error, "this thread holds one there");
    assertEquals(ring.recvSync(), message(1, 1));
    ring[Symbol.dispose]();
    SharedRing.create(map, { capacity: 64 })[Symbol.dispose]();
    map[Symbol.dispose]();
  });

  it("makes a file of its own, and opens it", () => {
    const path = files.file("own");
    writeFileSync(path, "something else");
    const url = pathToFileURL(path);
    using ring = SharedRing.create(url, { capacity: 512 });
    assertEquals(readFileSync(path).length, SharedRing.byteSize(512));
    using other = SharedRing.open(path);
    assertEquals(other.capacity, 512);
    ring.sendSync(message(9, 9));
    using newer = SharedRing.create(path, { capacity: 1024, kind: "mpmc" });
    newer.sendSync(message(1, 1));
    assertEquals(other.recvSync(), message(9, 9));
    using third = SharedRing.open(path);
    assertEquals([third.capacity, third.recvSync()], [1024, message(1, 1)]);
    assert(existsSync(path));
  });

  it("gives its sides back where it was forgotten", () => {
    const path = files.file("forgotten");
    SharedRing.create(path, { capacity: 1024 })[Symbol.dispose]();
    const source = `
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      (() => {
        const ring = SharedRing.open(map);
        ring.sendSync(Uint8Array.of(1));
        ring.tryRecv();
      })();
      await collect();
      using ring = SharedRing.open(map);
      console.log(ring.producer, ring.consumer);
      ring.sendSync(Uint8Array.of(2));
      console.log(ring.recvSync()[0], ring.deaths.producers);`;
    assertEquals(outputOf(preamble(path) + source), "left left\n2 0");
  });

  it("survives a file that is cut short under it", () => {
    for (const kind of KINDS) {
      const path = files.file(`cut ${kind}`);
      const ring = SharedRing.create(path, { capacity: 1024, kind });
      ring.sendSync(message(8, 8));
      const found = ring.peek();
      using other = SharedRing.open(path);
      truncateSync(path, 0);
      assertThrows(() => other.trySend(message(8, 8)), MapTruncatedError);
      assertThrows(() => other.recvSync({ timeout: 10 }), MapTruncatedError);
      // It reads as zeros from its first use on, and what it has open ends with an error.
      assertThrows(() => {
        found?.release();
        ring[Symbol.dispose]();
      }, MapTruncatedError);
      using map = newMap(files.file("whole"));
      for (let i = 0; i < 3; i++) SharedMutex.create(map).lockSync()[Symbol.dispose]();
    }
  });

  it("refuses a capacity that is no power of two, a kind that is none, and a place outside the map", () => {
    using map = newMap(files.file("options"), 8192);
    for (const capacity of [0, 1, 32, 63, 100, 2 ** 31, -64, 64.5, NaN, Infinity]) {
      assertThrows(() => SharedRing.byteSize(capacity), RangeError, `capacity is ${capacity}`);
      assertThrows(() => SharedRing.create(map, { capacity }), RangeError, `capacity is ${capacity}`);
      assertThrows(() => SharedRing.create(files.file("none"), { capacity }), RangeError);
    }
    assertEquals(existsSync(files.file("none")), false);
    for (const kind of ["SPSC", "", null, 1]) {
      assertThrows(
        () => Reflect.apply(SharedRing.create, SharedRing, [map, { capacity: 64, kind }]),
        TypeError,
      );
    }
    for (const byteOffset of [-64, 8192, 8192 - 64, NaN, 32, 2 ** 53]) {
      assertThrows(() => SharedRing.create(map, { capacity: 64, byteOffset }), RangeError);
    }
    for (const byteOffset of [-64, NaN, 32, 2 ** 53]) {
      assertThrows(() => SharedRing.open(map, { byteOffset }), RangeError);
    }
    for (const byteOffset of [8192, 8192 - 64]) {
      assertThrows(() => SharedRing.open(map, { byteOffset }), SharedFormatError, "bytes are no ring");
    }
    using ring = SharedRing.create(map, { capacity: 64, byteOffset: 7168 });
    ring.sendSync(message(1, 1));
    for (const mode of ["r", "c"] as const) {
      const path = files.file("options");
      using alone = mode === "r" ? Mmap.open(path) : Mmap.open(path, { mode });
      assertThrows(
        () => Reflect.apply(SharedRing.create, SharedRing, [alone, { capacity: 64 }]),
        TypeError,
        "shares nothing",
      );
      assertThrows(() => Reflect.apply(SharedRing.open, SharedRing, [alone]), TypeError, "shares nothing");
    }
  });

  it("opens only what create has finished", () => {
    const path = files.file("format");
    for (const text of ["", "short", "x".repeat(HEADER - 1)]) {
      writeFileSync(path, text);
      assertThrows(() => SharedRing.open(path), SharedFormatError, `${text.length} bytes are no ring`);
    }
    writeFileSync(path, "x".repeat(HEADER + 64));
    assertThrows(() => SharedRing.open(path), SharedFormatError, "something else lies there");
    writeFileSync(path, new Uint8Array(HEADER + 64));
    assertThrows(() => SharedRing.open(path), SharedFormatError, "none was made there");
    SharedRing.create(path, { capacity: 1024 })[Symbol.dispose]();
    truncateSync(path, HEADER + 1016);
    assertThrows(
      () => SharedRing.open(path),
      SharedFormatError,
      "its capacity is 1024, and 1016 bytes follow",
    );
    using map = newMap(path, 8192);
    SharedMutex.create(map);
    assertThrows(() => SharedRing.open(map), SharedFormatError, "another kind");
    SharedRing.create(map, { capacity: 1024 })[Symbol.dispose]();
    flipEachBit(map, 4, () => assertThrows(() => SharedRing.open(map), SharedFormatError));
    assertThrows(() => SharedRing.open(files.file("missing")), Error);
    assertThrows(() => Reflect.construct(SharedRing, [Symbol(), {}, 64, false, false]), TypeError);
  });
});
