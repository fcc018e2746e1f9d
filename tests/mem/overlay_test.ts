import { afterEach, beforeEach, describe, it } from "node:test";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type ByteSource, Overlay } from "../../lib/mem/cow.ts";
import { Mmap } from "../../lib/mem/mmap.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { runCollecting } from "./collect.ts";
import { countedSource } from "./counted_source.ts";
import { bytesOf, noise } from "./overlaid.ts";

const PAGE = 4096;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-overlay-"));
  path = join(folder, "file");
});

afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

describe("Overlay", () => {
  it("is written to by pages, and what lies below stays", () => {
    const lower = noise(3 * PAGE + 100);
    using overlay = new Overlay(lower);
    assertEquals([overlay.byteLength, overlay.pageSize, overlay.dirtyPages()], [lower.length, PAGE, []]);
    overlay.write(PAGE - 2, Uint8Array.of(1, 2, 3, 4));
    assertEquals(overlay.dirtyPages(), [0, 1]);
    assertEquals([...overlay.read(PAGE - 3, 6)], [lower[PAGE - 3], 1, 2, 3, 4, lower[PAGE + 2]]);
    overlay.write(lower.length - 1, Uint8Array.of(9));
    assertEquals(overlay.dirtyPages(), [0, 1, 3]);
    assertEquals([overlay.page(3).length, overlay.page(3)[99]], [100, 9]);
    assertEquals(lower, noise(3 * PAGE + 100));
  });

  it("gives pages in place, and copies of what is read", () => {
    const lower = noise(2 * PAGE);
    using overlay = new Overlay(lower);
    assertEquals([overlay.page(1).buffer === lower.buffer, overlay.page(1).byteOffset], [true, PAGE]);
    overlay.write(PAGE, Uint8Array.of(7));
    const page = overlay.page(1);
    assertEquals([page.buffer === lower.buffer, page[0], page[1]], [false, 7, lower[PAGE + 1]]);
    const copy = overlay.read(PAGE, 2);
    copy[0] = 8;
    overlay.write(PAGE, Uint8Array.of(5));
    assertEquals([page[0], copy[0]], [5, 8]);
    overlay.read(0, 1)[0] ^= 1;
    assertEquals(lower, noise(2 * PAGE));
  });

  it("agrees with a plain buffer, whatever is read, written, discarded and committed", () => {
    const length = fc.constantFrom(0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 17);
    const operation = fc.record({
      kind: fc.constantFrom("write", "write", "write", "read", "readInto", "discard", "commit", "self"),
      at: fc.nat(),
      size: fc.oneof(fc.nat(10), fc.nat(3 * PAGE), fc.constantFrom(PAGE, 2 * PAGE)),
      seed: fc.nat(255),
    });
    fc.assert(
      fc.property(length, fc.array(operation, { maxLength: 30, size: "max" }), (length, operations) => {
        const lower = noise(length);
        let plain = lower.slice();
        using overlay = new Overlay(countedSource(lower));
        const touched = new Set<number>();
        for (const { kind, at, size, seed } of operations) {
          const offset = at % (length + 1);
          const count = Math.min(size, length - offset);
          if (kind === "write") {
            overlay.write(offset, noise(count, seed));
            plain.set(noise(count, seed), offset);
            for (let i = offset; i < offset + count; i++) touched.add(Math.floor(i / PAGE));
          } else if (kind === "self" && length > 0) {
            // A page of its own, written across others and itself.
            const page = overlay.page(seed % Math.ceil(length / PAGE));
            const piece = page.subarray(0, length - offset);
            plain.set(piece.slice(), offset);
            overlay.write(offset, piece);
            for (let i = offset; i < offset + piece.length; i++) touched.add(Math.floor(i / PAGE));
          } else if (kind === "read") {
            assertEquals(overlay.read(offset, count), plain.slice(offset, offset + count));
          } else if (kind === "readInto") {
            const target = new Uint8Array(count + 2).fill(seed);
            overlay.readInto(target.subarray(1, count + 1), offset);
            assertEquals(target.slice(1, count + 1), plain.slice(offset, offset + count));
            assertEquals([target[0], target[count + 1]], [seed, seed]);
          } else if (kind === "discard") {
            overlay.discard();
            plain = lower.slice();
            touched.clear();
          } else if (kind === "commit") {
            overlay.commit(path);
            assertEquals(bytesOf(path), plain);
          }
        }
        assertEquals(overlay.read(0, length), plain);
        assertEquals(overlay.dirtyPages(), [...touched].sort((a, b) => a - b));
        const mended = lower.slice();
        for (const { offset, bytes } of overlay.diff()) mended.set(bytes, offset);
        assertEquals(mended, plain);
        assertEquals(lower, noise(length));
      }),
      { numRuns: tiered({ quick: 30, full: 300, soak: 6000 }) },
    );
  });

  it("tells the bytes that differ, in ranges that cannot be shorter", () => {
    const lower = new Uint8Array(3 * PAGE);
    using overlay = new Overlay(lower);
    assertEquals(overlay.diff(), []);
    overlay.write(10, Uint8Array.of(0, 1, 1, 0, 2));
    overlay.write(PAGE - 1, Uint8Array.of(3, 4));
    overlay.write(2 * PAGE, new Uint8Array(PAGE));
    assertEquals(overlay.diff(), [
      { offset: 11, bytes: Uint8Array.of(1, 1) },
      { offset: 14, bytes: Uint8Array.of(2) },
      { offset: PAGE - 1, bytes: Uint8Array.of(3, 4) },
    ]);
    assertEquals(overlay.dirtyPages(), [0, 1, 2]);
    const [range] = overlay.diff();
    range.bytes[0] = 99;
    assertEquals(overlay.read(11, 1)[0], 1);
  });

  it("lies over a map, whose file stays", () => {
    const old = noise(PAGE + 5);
    writeFileSync(path, old);
    using map = Mmap.open(path);
    using overlay = new Overlay(map);
    overlay.write(PAGE, Uint8Array.of(1, 2));
    assertEquals(bytesOf(path), old);
    overlay.commit(pathToFileURL(path));
    const expected = old.slice();
    expected.set([1, 2], PAGE);
    assertEquals(bytesOf(path), expected);
    // The map is of the file that was replaced.
    assertEquals(map.bytes().slice(), old);
    assertEquals([overlay.dirtyPages(), overlay.read(0, overlay.byteLength)], [[1], expected]);
    overlay.discard();
    overlay.commit(path);
    assertEquals(bytesOf(path), old);
  });

  it("lies over more than the 4 GiB that a view holds", () => {
    const length = 5 * 2 ** 30 + 3;
    writeFileSync(path, "");
    truncateSync(path, length);
    using map = Mmap.open(path);
    using overlay = new Overlay(map);
    overlay.write(2 ** 32 - 3, noise(6));
    overlay.write(length - 1, Uint8Array.of(4));
    assertEquals([...overlay.read(2 ** 32 - 4, 8)], [0, ...noise(6), 0]);
    assertEquals([overlay.page(5 * 2 ** 18).length, overlay.page(5 * 2 ** 18)[2]], [3, 4]);
    assertEquals(overlay.diff().map(({ offset }) => offset), [2 ** 32 - 3, length - 1]);
  });

  it("retains what lies below until it is disposed", () => {
    const lower = countedSource(noise(10));
    const overlay = new Overlay(lower);
    assertEquals([lower.held, overlay.isDisposed], [1, false]);
    overlay[Symbol.dispose]();
    overlay[Symbol.dispose]();
    assertEquals([lower.held, overlay.isDisposed], [0, true]);
    const uses = [
      () => overlay.byteLength,
      () => overlay.read(0, 0),
      () => overlay.readInto(new Uint8Array(0), 0),
      () => overlay.write(0, new Uint8Array(0)),
      () => overlay.page(0),
      () => overlay.dirtyPages(),
      () => overlay.diff(),
      () => overlay.discard(),
      () => overlay.commit(path),
    ];
    for (const use of uses) assertThrows(use, Error, "cannot use an overlay that was disposed");
    assertEquals(existsSync(path), false);
  });

  it("reads on what is retained, after its owner has disposed it", () => {
    const all = noise(2 * PAGE);
    let isClosed = false;
    const lower: ByteSource = {
      byteLength: all.length,
      bytes(offset, length) {
        if (isClosed) throw new Error("the map was disposed");
        return all.subarray(offset, offset + length);
      },
    };
    using overlay = new Overlay(lower);
    isClosed = true;
    overlay.write(5, Uint8Array.of(1));
    assertEquals([overlay.read(5, 2), overlay.page(1)], [Uint8Array.of(1, all[6]), all.subarray(PAGE)]);
    overlay.commit(path);
    assertEquals(bytesOf(path).length, all.length);
    assertThrows(() => new Overlay(lower), Error, "the map was disposed");
  });

  it("lets go of what lies below when it is forgotten", () => {
    const output = outputOf(`
      import { type ByteSource, Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      const bytes = new Uint8Array(9);
      let held = 0;
      const lower = { byteLength: 9, bytes: () => bytes, retain: () => held++, release: () => held-- };
      function forget() {
        for (let i = 0; i < 100; i++) new Overlay(lower).write(0, Uint8Array.of(1));
      }
      const kept = new Overlay(lower);
      for (let i = 0; i < 100; i++) new Overlay(lower)[Symbol.dispose]();
      forget();
      const before = held;
      await collect(() => held <= 50);
      await collect();
      console.log(before, held >= 1 && held <= 50, kept.read(0, 1).length);
    `);
    assertEquals(output, "101 true 1");
  });

  it("tells that the memory below is gone, and keeps what was written", () => {
    const lower = noise(2 * PAGE);
    using overlay = new Overlay(lower);
    overlay.write(0, Uint8Array.of(42));
    writeFileSync(path, "old");
    lower.buffer.transfer();
    for (
      const use of [
        () => overlay.read(PAGE, 1),
        () => overlay.page(1),
        () => overlay.write(PAGE, Uint8Array.of(1)),
        () => overlay.diff(),
        () => overlay.commit(path),
      ]
    ) assertThrows(use, TypeError, "their memory is gone");
    assertEquals([overlay.read(0, 1)[0], overlay.dirtyPages()], [42, [0]]);
    assertEquals([readFileSync(path, "utf8"), readdirSync(folder)], ["old", ["file"]]);
    overlay.write(0, noise(PAGE));
    assertThrows(() => new Overlay(lower), TypeError, "its memory is gone");
  });

  it("goes on where it was forgotten, though what lies below cannot be let go of", () => {
    const { code, stdout, stderr } = runCollecting(`
      import { CowTable, Overlay } from "${moduleUrl("lib/mem/cow.ts")}";
      let released = 0;
      const lower = {
        byteLength: 1,
        bytes: () => Uint8Array.of(1),
        release() {
          released++;
          throw new Error("it was transferred");
        },
      };
      function forget() {
        for (let i = 0; i < 20; i++) {
          new Overlay(lower).write(0, Uint8Array.of(1));
          new CowTable().addRegion(lower);
        }
      }
      forget();
      await collect(() => released > 20);
      await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(released > 20);
    `);
    assertEquals([code, stdout.trim()], [0, "true"]);
    assertMatch(stderr, /an Overlay was collected, and what it held was not released:.*it was transferred/);
    assertMatch(stderr, /a CowTable was collected, and what it held was not released:.*it was transferred/);
  });

  it("writes what a Buffer over its own page has, and no view that a subclass makes up", () => {
    const first = Uint8Array.from({ length: PAGE }, (_, i) => i & 255);
    using overlay = new Overlay(new Uint8Array(3 * PAGE));
    overlay.write(0, first);
    overlay.write(100, Buffer.from(overlay.page(0).buffer));
    assertEquals(overlay.read(100, PAGE), first);

    class Deaf extends Uint8Array<ArrayBuffer> {
      override subarray(): Uint8Array<ArrayBuffer> {
        return new Uint8Array(0);
      }
    }
    const bytes = new Deaf(first.buffer);
    overlay.write(PAGE + 7, bytes);
    assertEquals(overlay.read(PAGE + 7, PAGE), first);
    const target = new Deaf(new ArrayBuffer(PAGE));
    overlay.readInto(target, PAGE + 7);
    assertEquals(Buffer.compare(target, first), 0);
  });

  it("tells that the memory of a page of its own is gone, and writes nothing", () => {
    using overlay = new Overlay(noise(2 * PAGE));
    overlay.write(PAGE, Uint8Array.of(1));
    const { buffer } = overlay.page(1);
    assert(buffer instanceof ArrayBuffer);
    buffer.transfer();
    for (
      const use of [
        () => overlay.read(PAGE, 1),
        () => overlay.page(1),
        () => overlay.write(PAGE - 1, Uint8Array.of(1, 2)),
        () => overlay.diff(),
        () => overlay.commit(path),
      ]
    ) assertThrows(use, TypeError, "cannot use page 1 of an overlay: its memory is gone");
    assertEquals([overlay.dirtyPages(), overlay.read(0, PAGE)], [[1], noise(PAGE)]);
    assertEquals(readdirSync(folder), []);
    const gone = Uint8Array.of(1);
    gone.buffer.transfer();
    assertThrows(() => overlay.write(0, gone), TypeError, "the memory of bytes is gone");
    assertThrows(() => overlay.readInto(gone, 0), TypeError, "the memory of target is gone");
  });

  it("writes nothing where it cannot write all", () => {
    using overlay = new Overlay(noise(2 * PAGE));
    overlay.write(5, Uint8Array.of(1));
    const before = overlay.read(0, 2 * PAGE);
    for (
      const [offset, length] of [[2 * PAGE, 1], [PAGE, PAGE + 1], [-1, 1], [0.5, 1], [NaN, 1], [2 ** 53, 1]]
    ) {
      const bytes = new Uint8Array(length);
      assertThrows(
        () => overlay.write(offset, bytes),
        RangeError,
        `${length} bytes from ${offset} do not lie`,
      );
      assertThrows(() => overlay.readInto(bytes, offset), RangeError, "cannot read an overlay");
      assertThrows(() => overlay.read(offset, length), RangeError, "in its 8192");
    }
    for (const length of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => overlay.read(0, length), RangeError, `${length} bytes from 0`);
    }
    for (const i of [-1, 2, 0.5, NaN]) {
      assertThrows(() => overlay.page(i), RangeError, `there is no page ${i}`);
    }
    for (const value of [undefined, null, "text", [1], new Uint16Array(1)]) {
      assertThrows(
        () => Reflect.apply(overlay.write, overlay, [0, value]),
        TypeError,
        "bytes is no Uint8Array",
      );
      assertThrows(
        () => Reflect.apply(overlay.readInto, overlay, [value, 0]),
        TypeError,
        "target is no Uint8",
      );
      assertThrows(
        () => Reflect.construct(Overlay, [value]),
        TypeError,
        "cannot lay over it: it is no Uint8Array",
      );
    }
    assertEquals([overlay.dirtyPages(), overlay.read(0, 2 * PAGE)], [[0], before]);
  });
});
