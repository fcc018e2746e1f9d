import { describe, it } from "node:test";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { tiered } from "../../../tier.ts";
import { clone, cloneAll } from "./clones.ts";

const RUNS = tiered({ quick: 200, full: 3_000, soak: 100_000 });

function bytesOf(view: unknown): number[] {
  if (!ArrayBuffer.isView(view)) throw new Error("no view");
  return [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
}

describe("buffers and views", () => {
  it("keep their class, their bytes and where they lie to each other", () => {
    const types = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ];
    const view = fc.record({ type: fc.nat(types.length - 1), at: fc.nat(30), length: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 6 }), fc.boolean(), (views, isWhole) => {
        const buffer = new Uint8Array(512).map((_, i) => i * 7).buffer;
        const sent = views.map(({ type, at, length }) => new types[type](buffer, 8 * at, length));
        const found = cloneAll(isWhole ? [...sent, buffer] : sent);
        const first = found[0];
        assert(ArrayBuffer.isView(first));
        sent.forEach((view, i) => {
          const other = found[i];
          assert(ArrayBuffer.isView(other));
          assertStrictEquals(Object.getPrototypeOf(other), Object.getPrototypeOf(view));
          assertEquals(bytesOf(other), bytesOf(view));
          assertStrictEquals(other.buffer, first.buffer);
          assertEquals(other.byteOffset - first.byteOffset, view.byteOffset - sent[0].byteOffset);
        });
        if (isWhole) assertEquals([found.at(-1), first.byteOffset], [buffer, sent[0].byteOffset]);
      }),
      { numRuns: RUNS },
    );
  });

  it("take only what is looked at", () => {
    const large = new Uint8Array(1 << 20);
    const found = clone([large.subarray(1000, 1010), large.subarray(1020, 1024)]);
    assert(Array.isArray(found) && ArrayBuffer.isView(found[0]) && ArrayBuffer.isView(found[1]));
    assertStrictEquals(found[0].buffer, found[1].buffer);
    assert(found[0].buffer.byteLength < 64);
  });

  it("are copies, of any size", () => {
    for (const length of [0, 1, 15, 16, 17, 5000, 300_000]) {
      const bytes = new Uint8Array(length).map((_, i) => i);
      const found = clone(bytes);
      assertEquals(found, bytes);
      bytes.fill(9);
      assert(length === 0 || bytesOf(found)[0] === 0);
    }
    assertEquals(clone(new ArrayBuffer(3)), new ArrayBuffer(3));
    assertEquals(bytesOf(clone(new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2))), [2, 3]);
    const buffer = clone(Buffer.from("text"));
    assertEquals([Object.getPrototypeOf(buffer) === Uint8Array.prototype, bytesOf(buffer)], [true, [
      116,
      101,
      120,
      116,
    ]]);
  });

  it("that can be resized stay so, and views follow them", () => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 64 });
    new Uint8Array(buffer).fill(3);
    const found = cloneAll([buffer, new Uint8Array(buffer), new Uint16Array(buffer, 2, 3)]);
    const [copy, follows, fixed] = found;
    assert(copy instanceof ArrayBuffer && follows instanceof Uint8Array && fixed instanceof Uint16Array);
    assertEquals([copy.resizable, copy.maxByteLength, follows.length, fixed.length, follows[15]], [
      true,
      64,
      16,
      3,
      3,
    ]);
    copy.resize(40);
    assertEquals([follows.length, fixed.length], [40, 3]);
    assertStrictEquals(follows.buffer, fixed.buffer);
  });

  it("are refused where a getter has taken them away", () => {
    const bytes = new Uint8Array(10_000);
    const value = {
      bytes,
      get later(): number {
        bytes.buffer.transfer();
        return 1;
      },
    };
    assertThrows(() => clone(value), TypeError);
    assertEquals(clone([1]), [1]);
  });

  it("of all of a short buffer are as they were met, and share it with what is met later", () => {
    for (
      const type of [
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        DataView,
      ]
    ) {
      for (const length of [8, 24, 4096]) {
        const bytes = new Uint8Array(length).map((_, i) => i);
        const view: unknown = Reflect.construct(type, [bytes.buffer]);
        const found = clone([
          1,
          view,
          bytes,
          view,
          bytes.buffer,
          new Uint16Array(bytes.buffer, 2, 2),
          bytes.buffer,
        ]);
        assert(Array.isArray(found));
        const [, first, second, again, buffer, part, same] = found;
        assertEquals([first, second], [view, bytes]);
        assertStrictEquals(first, again);
        assertStrictEquals(buffer, same);
        assertStrictEquals(first.buffer, buffer);
        assertStrictEquals(second.buffer, buffer);
        assertStrictEquals(part.buffer, buffer);
        assertEquals([part.byteOffset, part.length], [2, 2]);
        assertEquals(clone([bytes.buffer, view]), [bytes.buffer, view]);
      }
    }
  });

  it("of an error's field that is left out are not taken for what comes after", () => {
    const bytes = new Uint8Array(16).fill(5);
    const error = Object.assign(new Error("e"), { gone: [bytes, (): void => {}] });
    const found = clone([error, {}, bytes, new Uint8Array(bytes.buffer, 1)]);
    assert(Array.isArray(found));
    assertEquals(found.slice(1), [{}, bytes, bytes.subarray(1)]);
    assertStrictEquals(found[2].buffer, found[3].buffer);
  });
});
