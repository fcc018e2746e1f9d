import { describe, it } from "node:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CowTable } from "../../lib/mem/cow.ts";
import { MapTruncatedError, Mmap } from "../../lib/mem/mmap.ts";
import { tiered } from "../tier.ts";
import { countedSource } from "./counted_source.ts";

const MILLION = 1_000_000;

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

interface Row {
  bytes: number[];
  isBorrowed: boolean;
}

describe("CowTable", () => {
  it("borrows from its regions without a copy", () => {
    using table = new CowTable();
    const text = bytes("the quick brown fox");
    const first = table.addRegion(text);
    const second = table.addRegion(text.subarray(4));
    assertEquals([table.push(first, 4, 5), table.push(second, 6, 5), table.push(first, 19, 0)], [0, 1, 2]);
    assertEquals([0, 1, 2].map((i) => table.utf8(i).toString()), ["quick", "brown", ""]);
    assertEquals([0, 1, 2].map((i) => table.isBorrowed(i)), [true, true, true]);
    assertEquals([table.get(1).buffer === text.buffer, table.get(1).byteOffset], [true, 10]);
    assertEquals(table.length, 3);
  });

  it("copies a row when it is to be changed, once, and leaves the region", () => {
    using table = new CowTable();
    const text = bytes("one two");
    const region = table.addRegion(text);
    table.push(region, 0, 3);
    table.push(region, 0, 3);
    const row = table.toMut(0);
    row[0] = 0x4f;
    assertEquals([table.isBorrowed(0), table.isBorrowed(1)], [false, true]);
    assertEquals([table.utf8(0), table.utf8(1)].map(String), ["One", "one"]);
    table.toMut(0)[1] = 0x4e;
    assertEquals(new TextDecoder().decode(row), "ONe");
    assertEquals(text, bytes("one two"));
  });

  it("owns copies, empty ones too", () => {
    using table = new CowTable();
    const given = bytes("own");
    table.pushOwned(given);
    table.pushOwned(new Uint8Array(0));
    given.fill(0);
    assertEquals([table.utf8(0), table.utf8(1)].map(String), ["own", ""]);
    assertEquals([table.isBorrowed(0), table.isBorrowed(1)], [false, false]);
    table.set(1, bytes("now more"));
    table.set(0, new Uint8Array(0));
    assertEquals([table.utf8(0), table.utf8(1)].map(String), ["", "now more"]);
  });

  it("sets a row to its own bytes, and to another's", () => {
    using table = new CowTable();
    table.pushOwned(bytes("abcdef"));
    table.pushOwned(bytes("xy"));
    table.set(0, table.get(0).subarray(2));
    assertEquals(table.utf8(0).toString(), "cdef");
    table.set(1, table.get(0));
    table.set(0, table.get(1).subarray(1));
    assertEquals([table.utf8(0), table.utf8(1)].map(String), ["def", "cdef"]);
  });

  it("agrees with an array of arrays, whatever is done to it", () => {
    const region = Uint8Array.from({ length: 300 }, (_, i) => i);
    const content = fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 5000 }));
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("push"), row: fc.nat(200), content: fc.uint8Array({ maxLength: 100 }) }),
      fc.record({
        kind: fc.constantFrom("own", "set", "set", "mut", "shrink", "reserve"),
        row: fc.nat(),
        content,
      }),
    );
    const size = tiered({ quick: 60, full: 300, soak: 1000 });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: size, size: "max" }), (operations) => {
        using table = new CowTable();
        const at = table.addRegion(region);
        const oracle: Row[] = [];
        for (const { kind, row, content } of operations) {
          const i = row % Math.max(oracle.length, 1);
          if (kind === "push") {
            table.push(at, row, content.length);
            oracle.push({ bytes: [...region.subarray(row, row + content.length)], isBorrowed: true });
          } else if (kind === "shrink") {
            table.shrinkToFit();
          } else if (kind === "reserve") {
            table.reserve(row % 100, content.length);
          } else if (kind === "own" || oracle.length === 0) {
            table.pushOwned(content);
            oracle.push({ bytes: [...content], isBorrowed: false });
          } else if (kind === "set") {
            table.set(i, content);
            oracle[i] = { bytes: [...content], isBorrowed: false };
          } else {
            table.toMut(i).fill(content.length);
            oracle[i] = { bytes: oracle[i].bytes.map(() => content.length & 0xff), isBorrowed: false };
          }
        }
        assertEquals(table.length, oracle.length);
        const rows = oracle.map((_, i) => ({ bytes: [...table.get(i)], isBorrowed: table.isBorrowed(i) }));
        assertEquals(rows, oracle);
        assertEquals(region, Uint8Array.from({ length: 300 }, (_, i) => i));
      }),
      { numRuns: tiered({ quick: 100, full: 300, soak: 10_000 }) },
    );
  });

  it("gives no byte to two owned rows at once", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(300)), { size: "max", maxLength: 200 }), (sets) => {
        using table = new CowTable();
        for (let i = 0; i < 10; i++) table.pushOwned(new Uint8Array(1).fill(i));
        for (const [i, length] of sets) table.set(i, new Uint8Array(length).fill(i));
        for (let i = 0; i < 10; i++) assert(table.get(i).every((byte) => byte === i), `row ${i}`);
      }),
    );
  });

  it("has a million rows in 24 MB, and the owned bytes", () => {
    using table = new CowTable();
    const region = table.addRegion(new Uint8Array(MILLION + 7));
    table.reserve(MILLION);
    for (let i = 0; i < MILLION; i++) table.push(region, i, 7);
    assertEquals([table.length, table.byteSize], [MILLION, 24 * MILLION]);
    table.reserve(MILLION, 7000);
    for (let i = 0; i < 1000; i++) table.toMut(i * 1000)[0] = 1;
    assertEquals(table.byteSize, 24 * MILLION + 7000);
    assertEquals([table.get(999_000)[0], table.get(999_001)[0]], [1, 0]);
  });

  it("grows by doubling, and keeps what it has", () => {
    using table = new CowTable();
    const region = table.addRegion(Uint8Array.from({ length: 256 }, (_, i) => i));
    const sizes = new Set<number>();
    for (let i = 0; i < 10_000; i++) {
      table.push(region, i % 256, 1);
      sizes.add(table.byteSize);
    }
    assertEquals([...sizes], Array.from({ length: 11 }, (_, i) => 24 * 16 * 2 ** i));
    for (let i = 0; i < 10_000; i++) assertStrictEquals(table.get(i)[0], i % 256);
    table.shrinkToFit();
    assertEquals(table.byteSize, 240_000);
    assertStrictEquals(table.get(9999)[0], 9999 % 256);
  });

  it("uses freed blocks again", () => {
    using table = new CowTable();
    table.reserve(2000, 1000 * (100 + 200));
    for (let i = 0; i < 1000; i++) table.pushOwned(new Uint8Array(100).fill(i));
    for (let i = 0; i < 1000; i++) table.set(i, new Uint8Array(200).fill(i));
    const { byteSize } = table;
    for (let i = 1000; i < 1990; i++) table.pushOwned(new Uint8Array(100 - i % 3).fill(i));
    assertEquals(table.byteSize, byteSize);
    for (let i = 0; i < 1990; i++) {
      assertEquals(table.get(i), new Uint8Array(i < 1000 ? 200 : 100 - i % 3).fill(i));
    }
  });

  it("uses what was left of a chunk, cut into parts", () => {
    using table = new CowTable();
    const lengths = [1, 5000, 3000, 1000, 50];
    const sizes = lengths.map((length) => {
      table.pushOwned(new Uint8Array(length).fill(length));
      return table.byteSize - 24 * 16;
    });
    assertEquals(sizes, [4096, 9096, 9096, 9096, 9096]);
    lengths.forEach((length, i) => assertEquals(table.get(i), new Uint8Array(length).fill(length)));
  });

  it("reserves nothing where there is room", () => {
    using table = new CowTable();
    table.reserve(10, 100);
    assertEquals(table.byteSize, 340);
    table.reserve(9, 100);
    table.pushOwned(new Uint8Array(60));
    table.reserve(10, 40);
    assertEquals(table.byteSize, 340);
    table.reserve(11, 41);
    assertEquals(table.byteSize, 340 + 24 + 41);
  });

  it("gives back what it does not use", () => {
    using table = new CowTable();
    for (let i = 0; i < 100; i++) table.pushOwned(new Uint8Array(10_000).fill(i));
    const kept = table.get(7);
    for (let i = 0; i < 100; i++) table.set(i, Uint8Array.of(i, i));
    table.shrinkToFit();
    assertEquals(table.byteSize, 24 * 100 + 2 * 100);
    for (let i = 0; i < 100; i++) assertEquals([...table.get(i)], [i, i]);
    // A view that was taken before sees nobody else's bytes.
    kept.fill(255);
    assertEquals([...table.get(7)], [7, 7]);
    for (let i = 0; i < 100; i++) table.set(i, new Uint8Array(0));
    table.shrinkToFit();
    assertEquals([table.byteSize, table.isBorrowed(3)], [24 * 100 + 100, false]);
    using empty = new CowTable();
    empty.shrinkToFit();
    assertEquals(empty.byteSize, 0);
  });

  it("borrows from a map, past the 4 GiB that a view holds too", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-cow-table-"));
    try {
      const path = join(folder, "sparse");
      writeFileSync(path, bytes("begin"));
      truncateSync(path, 5 * 2 ** 30);
      const map = Mmap.open(path);
      const table = new CowTable();
      const region = table.addRegion(map);
      const far = 2 ** 32 - 4;
      table.push(region, 0, 5);
      table.push(region, far, 8);
      table.push(region, 5 * 2 ** 30 - 2, 2);
      map.bytes(far, 8).set(bytes("boundary"));
      map.bytes(5 * 2 ** 30 - 2, 2).set(bytes("eo"));
      assertEquals([0, 1, 2].map((i) => table.utf8(i).toString()), ["begin", "boundary", "eo"]);
      table.toMut(2)[1] = 0x66;
      assertEquals(table.utf8(2).toString(), "ef");
      // The table retains it.
      map[Symbol.dispose]();
      assertEquals([map.isClosed, table.utf8(0).toString(), table.utf8(2).toString()], [true, "begin", "ef"]);
      assertEquals([table.isBorrowed(1), table.isBorrowed(2)], [true, false]);
      const first = table.get(0);
      table[Symbol.dispose]();
      assertEquals(first.length, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("retains its regions until it is disposed", () => {
    const [a, b] = [countedSource(bytes("a")), countedSource(bytes("b"))];
    const table = new CowTable();
    table.addRegion(a);
    table.addRegion(b);
    table.addRegion(b);
    assertEquals([a.held, b.held, table.isDisposed], [1, 2, false]);
    table[Symbol.dispose]();
    table[Symbol.dispose]();
    assertEquals([a.held, b.held, table.isDisposed, table.length], [0, 0, true, 0]);
    const uses = [
      () => table.addRegion(a),
      () => table.push(0, 0, 0),
      () => table.pushOwned(bytes("c")),
      () => table.get(0),
      () => table.utf8(0),
      () => table.toMut(0),
      () => table.set(0, bytes("c")),
      () => table.isBorrowed(0),
      () => table.reserve(1),
      () => table.shrinkToFit(),
    ];
    for (const use of uses) assertThrows(use, Error, "the table was disposed");
    assertEquals(a.held, 0);
  });

  it("refuses rows that are not there, and regions and ranges", () => {
    using table = new CowTable();
    const region = table.addRegion(bytes("0123456789"));
    table.push(region, 0, 1);
    table.pushOwned(bytes("x"));
    for (const i of [-1, 2, 0.5, NaN, Infinity]) {
      for (
        const use of [
          () => table.get(i),
          () => table.utf8(i),
          () => table.toMut(i),
          () => table.isBorrowed(i),
          () => table.set(i, bytes("y")),
        ]
      ) assertThrows(use, RangeError, `row ${i}: the table has 2`);
    }
    for (const key of ["length", "0", undefined, null, {}]) {
      assertThrows(() => Reflect.apply(table.push, table, [key, 0, 1]), TypeError, "region is a");
    }
    for (const number of [1, -1, 0.5, NaN]) {
      assertThrows(() => table.push(number, 0, 1), RangeError, `region is ${number}, and there are 1`);
    }
    for (
      const [offset, length] of [[0, 11], [10, 1], [-1, 1], [0, -1], [0.5, 1], [0, 0.5], [NaN, 1], [0, NaN]]
    ) {
      assertThrows(
        () => table.push(region, offset, length),
        RangeError,
        `${length} bytes from ${offset} do not`,
      );
    }
    for (const count of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => table.reserve(count), RangeError, `rows is ${count}`);
      assertThrows(() => table.reserve(0, count), RangeError, `ownedBytes is ${count}`);
    }
    for (const value of ["x", [1], null, undefined, new Uint16Array(2)]) {
      assertThrows(() => Reflect.apply(table.pushOwned, table, [value]), TypeError, "bytes is no Uint8Array");
      assertThrows(() => Reflect.apply(table.set, table, [0, value]), TypeError, "bytes is no Uint8Array");
      assertThrows(() => Reflect.apply(table.addRegion, table, [value]), TypeError, "it is no Uint8Array");
    }
    const gone = bytes("gone");
    gone.buffer.transfer();
    assertThrows(() => table.pushOwned(gone), TypeError, "the memory of bytes is gone");
    assertThrows(() => table.set(1, gone), TypeError, "the memory of bytes is gone");
    assertThrows(() => table.reserve(2 ** 50), RangeError, `room for ${2 ** 50} rows`);
    assertThrows(() => table.reserve(0, 2 ** 50), RangeError, `cannot own ${2 ** 50} bytes more`);
    assertEquals(table.utf8(1).toString(), "x");
    assertEquals([table.length, table.utf8(0).toString(), table.isBorrowed(0)], [2, "0", true]);
  });

  it("has as many regions as 16 bits can tell apart", () => {
    using table = new CowTable();
    const all = Uint8Array.from({ length: 2 ** 16 + 1 }, (_, i) => i % 251);
    for (let i = 0; i < 2 ** 16; i++) table.addRegion(all.subarray(i));
    for (const i of [0, 2 ** 15 - 1, 2 ** 15, 2 ** 16 - 1]) {
      assertEquals([...table.get(table.push(i, 1, 1))], [(i + 1) % 251]);
    }
    assertThrows(() => table.addRegion(all), RangeError, "there are 65536");
  });

  it("has as many chunks as 16 bits can tell apart", () => {
    using table = new CowTable();
    for (let i = 0; i < 2 ** 16; i++) {
      table.reserve(0, 1);
      table.pushOwned(Uint8Array.of(i % 251));
    }
    assertThrows(() => table.reserve(0, 1), RangeError, "has 65536 chunks");
    assertThrows(() => table.pushOwned(Uint8Array.of(1)), RangeError, "has 65536 chunks");
    assertEquals([table.length, table.get(2 ** 16 - 1)[0]], [2 ** 16, (2 ** 16 - 1) % 251]);
    table.shrinkToFit();
    table.pushOwned(Uint8Array.of(1));
    assertEquals([table.get(2 ** 15)[0], table.get(2 ** 16)[0]], [2 ** 15 % 251, 1]);
  });

  it("takes a few times what rows have held, however they grow", () => {
    const all = new Uint8Array(20_000);
    using one = new CowTable();
    one.pushOwned(all.subarray(0, 1));
    for (let length = 1; length <= 20_000; length++) one.set(0, all.subarray(0, length));
    assert(one.byteSize <= 4 * 20_000 + 4096, `one row: ${one.byteSize}`);

    using many = new CowTable();
    for (let i = 0; i < 100; i++) many.pushOwned(all.subarray(0, 10));
    for (let length = 10; length <= 1000; length++) {
      for (let i = 0; i < 100; i++) many.set(i, all.subarray(0, length));
    }
    assert(many.byteSize <= 4 * 100_000 + 4096, `a hundred rows: ${many.byteSize}`);

    const set = fc.tuple(fc.nat(19), fc.nat(20_000));
    fc.assert(
      fc.property(fc.array(set, { size: "max", maxLength: 300 }), (sets) => {
        using table = new CowTable();
        const most = new Array<number>(20).fill(1);
        for (let i = 0; i < 20; i++) table.pushOwned(all.subarray(0, 1));
        for (const [i, length] of sets) {
          table.set(i, all.subarray(0, length));
          most[i] = Math.max(most[i], length);
        }
        const peak = most.reduce((a, b) => a + b);
        assert(table.byteSize <= 16 * peak + 2 * 4096, `${table.byteSize} bytes for ${peak}`);
      }),
    );
  });

  it("asks a source for its length once, and takes bytes from it alone", () => {
    using table = new CowTable();
    let asked = 0;
    const source = {
      get byteLength(): number {
        return asked++ === 0 ? 3 : NaN;
      },
      bytes: () => bytes("abc"),
    };
    const region = table.addRegion(source);
    assertThrows(() => table.push(region, 100, 3), RangeError, "do not lie in the 3 of region 0");
    assertEquals(asked, 1);
    for (const given of [[1, 2, 3], Float64Array.of(1, 2, 3), undefined, "abc", { length: 3 }]) {
      let held = 0;
      const wrong = { byteLength: 3, bytes: () => given, retain: () => held++, release: () => held-- };
      assertThrows(
        () => Reflect.apply(table.addRegion, table, [wrong]),
        TypeError,
        "cannot add a region: its bytes() gave no Uint8Array",
      );
      assertEquals(held, 0);
    }
    for (const byteLength of [-1, 0.5, NaN, "3", undefined]) {
      const wrong = { byteLength, bytes: () => bytes("abc") };
      assertThrows(() => Reflect.apply(table.addRegion, table, [wrong]), TypeError, "it is no Uint8Array");
    }
  });

  it("tells that the memory of its own rows is gone, and stays as it is", () => {
    using table = new CowTable();
    table.reserve(3, 4);
    table.pushOwned(bytes("ab"));
    table.pushOwned(bytes("cd"));
    const { buffer } = table.get(0);
    table.reserve(3, 100);
    table.pushOwned(bytes("ef"));
    assert(buffer instanceof ArrayBuffer);
    buffer.transfer();
    for (const use of [() => table.get(1), () => table.toMut(1), () => table.shrinkToFit()]) {
      assertThrows(use, TypeError, "cannot use an owned row: its memory is gone");
    }
    assertEquals([table.length, table.utf8(2).toString()], [3, "ef"]);
  });

  it("gives no zeros for what a map has lost", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-cow-table-"));
    try {
      const path = join(folder, "text");
      for (const isDisposed of [false, true]) {
        writeFileSync(path, new Uint8Array(65_536).fill(0x61));
        const map = Mmap.open(path);
        using table = new CowTable();
        const region = table.addRegion(map);
        table.push(region, 0, 2);
        table.push(region, 65_530, 2);
        table.pushOwned(bytes("own"));
        if (isDisposed) map[Symbol.dispose]();
        truncateSync(path, 4096);
        assertEquals(table.utf8(0).toString(), "aa");
        assertThrows(() => table.toMut(1), MapTruncatedError, "was cut to 4096");
        assertEquals([table.isBorrowed(1), table.utf8(2).toString()], [true, "own"]);
        assertThrows(() => table.get(1), MapTruncatedError, "was cut to 4096");
        table.set(1, bytes("new"));
        assertEquals(table.utf8(1).toString(), "new");
        map[Symbol.dispose]();
      }
      writeFileSync(path, new Uint8Array(65_536).fill(0x61));
      using map = Mmap.open(path);
      using table = new CowTable();
      table.push(table.addRegion(map), 65_530, 2);
      truncateSync(path, 4096);
      assertThrows(() => table.utf8(0), MapTruncatedError, "was cut to 4096");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses text that is none, and stays as it is where a source fails", () => {
    using table = new CowTable();
    table.pushOwned(Uint8Array.of(0x61, 0xff));
    assertThrows(() => table.utf8(0), TypeError, "at byte 1 of 2");
    const failing = { ...countedSource(bytes("abc")), bytes: (): Uint8Array => new Uint8Array(1) };
    assertThrows(() => table.addRegion(failing), RangeError, "asked for 3 bytes from 0, it gave 1");
    assertEquals(failing.held, 0);
    const gone = bytes("gone");
    gone.buffer.transfer();
    assertThrows(() => table.addRegion(gone), TypeError, "its memory is gone");
    assertThrows(() => table.push(0, 0, 0), RangeError, "there are 0");
  });
});
