import { describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { MessageChannel } from "node:worker_threads";
import { assertEquals, assertThrows } from "@std/assert";
import { PinnedBytes } from "../../lib/mem/yoke.ts";

describe("PinnedBytes", () => {
  it("copies what it is given, of any length", () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      using pinned = PinnedBytes.copy(bytes);
      assertEquals([pinned.byteLength, pinned.bytes().length], [length, length]);
      assertEquals(pinned.bytes(), bytes);
      bytes.fill(1);
      assertEquals(length > 1 ? pinned.bytes()[1] : 31, 31);
    }
  });

  it("begins as zeros, can be written to, and shows it in every view", () => {
    using pinned = PinnedBytes.zeros(70_000);
    assertEquals(pinned.bytes().every((byte) => byte === 0), true);
    pinned.bytes(65_530, 10)[0] = 9;
    assertEquals(pinned.bytes()[65_530], 9);
  });

  it("cannot be transferred away by anybody", () => {
    using pinned = PinnedBytes.copy(Uint8Array.of(1, 2));
    const { buffer } = pinned.bytes();
    const { port1, port2 } = new MessageChannel();
    const ways: (() => unknown)[] = [
      () => buffer.transfer(),
      () => buffer.transferToFixedLength(),
      () => buffer.resize(0),
      () => structuredClone(buffer, { transfer: [buffer] }),
      () => port1.postMessage(buffer, [buffer]),
    ];
    try {
      for (const way of ways) assertThrows(way, Error);
    } finally {
      port1.close();
      port2.close();
    }
    assertEquals([buffer.detached, [...pinned.bytes()]], [false, [1, 2]]);
  });

  it("is empty once disposed, and at the last release where it was retained", () => {
    const now = PinnedBytes.copy(Uint8Array.of(1));
    const gone = now.bytes();
    now[Symbol.dispose]();
    now[Symbol.dispose]();
    assertEquals([gone.length, now.isDisposed], [0, true]);
    assertThrows(() => now.bytes(), Error, "cannot read a PinnedBytes: it was disposed");
    assertThrows(() => now.retain(), Error, "cannot retain a PinnedBytes");
    assertThrows(() => now.release(), Error, "nobody has retained it");

    const held = PinnedBytes.copy(Uint8Array.of(1, 2));
    const view = held.bytes();
    held.retain();
    held[Symbol.dispose]();
    held.retain();
    held.release();
    assertEquals([held.isDisposed, held.bytes(1)[0], view.length], [true, 2, 2]);
    held.release();
    assertEquals(view.length, 0);
    assertThrows(() => held.release(), Error, "nobody has retained it");
  });

  it("copies nothing but a Uint8Array", () => {
    const fake = Object.create(Uint8Array.prototype);
    const others = [
      "123",
      3,
      [1, 2],
      {},
      undefined,
      null,
      new Float64Array(2),
      new Uint8ClampedArray(2),
      fake,
    ];
    for (const bytes of [...others, new ArrayBuffer(2), new DataView(new ArrayBuffer(2))]) {
      const copy = () => Reflect.apply(PinnedBytes.copy, PinnedBytes, [bytes]);
      assertThrows(copy, TypeError, "bytes is no Uint8Array");
    }
    using pinned = PinnedBytes.copy(Buffer.from("123"));
    assertEquals([...pinned.bytes()], [49, 50, 51]);
  });

  it("refuses a length that is none, and a range outside", () => {
    for (const length of ["5", Symbol("5"), undefined]) {
      const zeros = () => Reflect.apply(PinnedBytes.zeros, PinnedBytes, [length]);
      assertThrows(zeros, RangeError, `byteLength is ${String(length)}`);
    }
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 32 + 1]) {
      assertThrows(() => PinnedBytes.zeros(length), RangeError, `byteLength is ${length}`);
    }
    using pinned = PinnedBytes.zeros(3);
    for (const [offset, length] of [[-1, 1], [0, 4], [4, 0], [1.5, 1], [0, -1]]) {
      assertThrows(() => pinned.bytes(offset, length), RangeError, "do not lie in its 3 bytes");
    }
    for (const part of [["1", 1], [0, Symbol("1")], [0, 1n]]) {
      assertThrows(() => Reflect.apply(pinned.bytes, pinned, part), RangeError, "do not lie in its 3 bytes");
    }
    assertThrows(
      () => Reflect.construct(PinnedBytes, [Symbol("PinnedBytes"), 1]),
      TypeError,
      "PinnedBytes.copy",
    );
  });
});
