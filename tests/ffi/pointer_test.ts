import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  addressOf,
  cString,
  dlopen,
  NULL,
  offset,
  pointerArray,
  pointerAt,
  pointerTo,
  unsafeBufferAt,
  unsafeCopy,
  unsafeStringAt,
  word,
} from "../../ffi/mod.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";

const { symbols: libc } = dlopen(["libc.so.6"], {
  memcpy: {
    parameters: [/* void *dest */ "pointer", /* const void *src */ "buffer", /* size_t n */ "usize"],
    result: "pointer",
  },
  memset: {
    parameters: [/* void *s */ "pointer", /* int c */ "i32", /* size_t n */ "usize"],
    result: "void",
  },
  identity: {
    symbol: "memcpy",
    parameters: ["u64", "u64", "usize"],
    result: "u64",
    unchecked: true,
  },
  signed: { symbol: "memcpy", parameters: ["i64", "u64", "usize"], result: "i64", unchecked: true },
  strchr: { parameters: [/* const char *s */ "buffer", /* int c */ "i32"], result: "pointer" },
});

describe("pointerTo", () => {
  it("points to the view's first byte, and not to its buffer's", () => {
    const bytes = new Uint8Array(64);
    const start = addressOf(pointerTo(bytes));
    assertEquals(addressOf(pointerTo(bytes.subarray(5))) - start, 5n);
    assertEquals(addressOf(pointerTo(new Float64Array(bytes.buffer, 8, 2))) - start, 8n);
    assertEquals(addressOf(pointerTo(new DataView(bytes.buffer, 63, 1))) - start, 63n);
  });

  it("is NULL for an empty view", () => {
    assertStrictEquals(pointerTo(new Uint8Array(0)), NULL);
    assertStrictEquals(pointerTo(new Uint8Array(8).subarray(8)), NULL);
    assertEquals(addressOf(NULL), 0n);
  });

  it("refuses a view whose buffer was transferred away", () => {
    const view = new Uint8Array(8);
    structuredClone(view, { transfer: [view.buffer] });
    assertThrows(() => pointerTo(view), TypeError, "detached");
  });

  it("stays good whatever is done with the view later, at every size", () => {
    for (const size of [1, 2, 3, 7, 8, 16, 63, 64, 100, 255, 999, 1000, 1001, 4096, 100_000]) {
      const view = new Uint8Array(size);
      const pointer = pointerTo(view);
      const part = view.subarray(0, 1);
      const copy = structuredClone(view);
      const other = new DataView(view.buffer);
      for (let i = 0; i < 20; i++) new Uint8Array(100_000).fill(i);
      libc.memset(pointer, 0x5a, size);
      assert(view.every((byte) => byte === 0x5a), `${size} bytes have moved`);
      assertEquals([part[0], other.getUint8(size - 1), copy[0]], [0x5a, 0x5a, 0]);
    }
  });

  it("stays good where the view's elements were never touched before", () => {
    const views = Array.from({ length: 200 }, (_, i) => new Int32Array(i % 7 + 1));
    const pointers = views.map((view) => pointerTo(view));
    for (const [i, pointer] of pointers.entries()) libc.memcpy(pointer, Int32Array.of(i), 4);
    assertEquals(views.map((view) => view[0]), views.map((_, i) => i));
  });
});

describe("an address", () => {
  it("becomes a pointer and back", () => {
    for (const address of [0n, 1n, 4096n, 0x7fff_ffff_f000n, 2n ** 53n - 1n]) {
      assertEquals(addressOf(pointerAt(address)), address);
    }
  });

  it("is refused outside 64 bits", () => {
    for (const address of [-1n, 2n ** 64n, -(2n ** 70n)]) {
      assertThrows(() => pointerAt(address), RangeError, `cannot point to ${address}`);
    }
  });

  it("is counted on in bytes, in both directions", () => {
    const pointer = pointerAt(4096n);
    assertEquals(addressOf(offset(pointer, 100)), 4196n);
    assertEquals(addressOf(offset(pointer, -96)), 4000n);
    assertEquals(addressOf(offset(pointer, 2 ** 40)), 4096n + 2n ** 40n);
  });
});

describe("what is no pointer", () => {
  const uses = { addressOf, offset, unsafeBufferAt, unsafeCopy, unsafeStringAt };

  it("is refused by name, null too", () => {
    for (const use of Object.values(uses)) {
      for (const value of [null, undefined, "1", {}, true, new Uint8Array(8)]) {
        assertThrows(() => Reflect.apply(use, undefined, [value, 1]), TypeError, "and no Pointer");
      }
    }
    assertThrows(() => Reflect.apply(unsafeStringAt, undefined, [null]), TypeError, "pointer is null");
  });

  it("is made of no view, and of no address but a bigint", () => {
    for (const value of [null, undefined, 1, "text", {}, new ArrayBuffer(8)]) {
      assertThrows(() => Reflect.apply(pointerTo, undefined, [value]), TypeError, "what is no view");
    }
    for (const value of [null, undefined, 4096, "4096"]) {
      const call = () => Reflect.apply(pointerAt, undefined, [value]);
      assertThrows(call, TypeError, `cannot point to ${value}: an address is a bigint`);
    }
  });

  it("is not counted on to by a part of a byte", () => {
    for (const bytes of [0.5, NaN, Infinity, 2 ** 53]) {
      assertThrows(() => offset(pointerAt(4096n), bytes), RangeError, `bytes is ${bytes}`);
    }
  });
});

describe("an address that no number holds", () => {
  const { symbols: libc } = dlopen(["libc.so.6"], {
    // With 0 for `n` it gives back `dest`.
    same: { symbol: "memcpy", parameters: ["pointer!", "pointer", "usize"], result: "pointer" },
    number: { symbol: "memcpy", parameters: ["usize", "pointer", "usize"], result: "pointer" },
    bits: { symbol: "memcpy", parameters: ["pointer", "pointer", "usize"], result: "usize" },
  });

  it("goes to C and back as it is", () => {
    const far = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
    for (const address of far) {
      const pointer = pointerAt(address);
      assertEquals(addressOf(pointer), address);
      assertEquals(libc.bits(pointer, null, 0), address);
      for (const back of [libc.same(pointer, null, 0), libc.number(address, null, 0)]) {
        assertEquals(back === null ? undefined : addressOf(back), address);
        assertEquals(libc.bits(back, null, 0), address);
      }
      assertEquals(addressOf(offset(pointer, -1)), address - 1n);
    }
  });

  it("ends at 64 bits", () => {
    assertThrows(
      () => offset(pointerAt(2n ** 64n - 1n), 1),
      RangeError,
      "cannot point to 18446744073709551616",
    );
    assertThrows(() => offset(NULL, -1), RangeError, "cannot point to -1");
  });
});

describe("pointerArray", () => {
  it("is C's array of the views' addresses, in their order", () => {
    const views = [Float32Array.of(1, 2), Float32Array.of(3), new Float32Array(0), Float32Array.of(4, 5, 6)];
    const array = pointerArray(views);
    assertEquals(array.length, 4);
    const addresses = new BigUint64Array(unsafeBufferAt(array.pointer, 32));
    assertEquals([...addresses], views.map((view) => addressOf(pointerTo(view))));
    assertEquals(addresses[2], 0n);
    const last = new Float32Array(unsafeBufferAt(pointerAt(addresses[3]), 12));
    assertEquals([...last], [4, 5, 6]);
  });

  it("holds the views, so that their memory lives as long as it does", () => {
    const views = [new Uint8Array(8), new Uint8Array(9)];
    const array = pointerArray(views);
    assertEquals(array.views, views);
    views.length = 0;
    assertEquals(array.views.length, 2);
  });

  it("of no view is empty", () => {
    const array = pointerArray([]);
    assertEquals([array.length, addressOf(array.pointer)], [0, 0n]);
  });
});

describe("unsafeBufferAt", () => {
  it("is the memory itself", () => {
    const bytes = new Uint8Array(5000);
    const window = new Uint8Array(unsafeBufferAt(offset(pointerTo(bytes), 1000), 2000));
    window[0] = 7;
    bytes[2999] = 9;
    assertEquals([bytes[1000], window[1999], window.length], [7, 9, 2000]);
  });

  it("of no byte is an empty buffer, whatever the address", () => {
    assertEquals(unsafeBufferAt(NULL, 0).byteLength, 0);
    assertEquals(unsafeBufferAt(pointerAt(1n), 0).byteLength, 0);
  });

  it("refuses a length that is no count of bytes", () => {
    for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assertThrows(() => unsafeBufferAt(pointerAt(4096n), length), RangeError, `length is ${length}`);
    }
  });

  it("refuses the null address", () => {
    assertThrows(() => unsafeBufferAt(NULL, 1), Error);
  });
});

describe("unsafeCopy", () => {
  it("is the memory as it was", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const copy = unsafeCopy(offset(pointerTo(bytes), 1), 2);
    bytes.fill(9);
    assertEquals([...copy], [2, 3]);
    copy.fill(0);
    assertEquals([...bytes], [9, 9, 9, 9]);
    assertEquals(unsafeCopy(NULL, 0).length, 0);
  });

  it("refuses a length that is no count of bytes, and the null address", () => {
    assertThrows(() => unsafeCopy(pointerAt(4096n), -1), RangeError, "length is -1");
    assertThrows(() => unsafeCopy(NULL, 1), Error);
  });
});

describe("a C string", () => {
  it("is UTF-8 and a NUL", () => {
    assertEquals([...cString("牛 ox")], [0xe7, 0x89, 0x9b, 0x20, 0x6f, 0x78, 0]);
    assertEquals([...cString("")], [0]);
  });

  it("cannot hold a NUL", () => {
    assertThrows(() => cString("a\0b"), TypeError, 'cannot pass "a\\u0000b" to C');
  });

  it("is made of text alone", () => {
    for (const value of [null, undefined, 1, {}]) {
      assertThrows(() => Reflect.apply(cString, undefined, [value]), TypeError, `a ${typeof value} to C`);
    }
  });

  it("goes to C and back", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 50 }), (text) => {
      fc.pre(!text.includes("\0") && text.isWellFormed());
      const bytes = cString(text);
      assertEquals(unsafeStringAt(pointerTo(bytes)), text);
      assertEquals(bytes.at(-1), 0);
    }));
  });

  it("is read from where C found it", () => {
    const haystack = cString("under the yoke: Jochbogen");
    const found = libc.strchr(haystack, 0x4a);
    assertEquals(found === null ? null : unsafeStringAt(found), "Jochbogen");
    assertEquals(haystack.at(-1), 0);
  });
});

describe("word", () => {
  it("goes through an unchecked call unchanged", () => {
    const zero = word(0);
    for (const value of [0, 1, 65_535, 65_536, 2 ** 32, 2 ** 53 - 1]) {
      assertStrictEquals(libc.identity(word(value), zero, zero), BigInt(value));
      assertStrictEquals(libc.identity(word(BigInt(value)), zero, zero), BigInt(value));
      assertStrictEquals(libc.identity(word(value), zero, zero), BigInt(value));
    }
    for (const value of [-1, -65_536, -(2 ** 53) + 1]) {
      assertStrictEquals(libc.signed(word(value), zero, zero), BigInt(value));
    }
  });
});

describe("a NativeBuffer", () => {
  it("tells where its bytes are", () => {
    const buffer = new NativeBuffer(100);
    assertEquals(buffer.bytes.length, 100);
    libc.memcpy(NativeBuffer.range(buffer, 0, 100), Uint8Array.of(1, 2, 3), 3);
    libc.memcpy(NativeBuffer.range(buffer, 97, 3), Uint8Array.of(4, 5, 6), 3);
    assertEquals([...buffer.bytes.subarray(0, 4), ...buffer.bytes.subarray(96)], [1, 2, 3, 0, 0, 4, 5, 6]);
    assertEquals(
      addressOf(NativeBuffer.range(buffer, 100, 0)) - addressOf(NativeBuffer.range(buffer, 0, 0)),
      100n,
    );
  });

  it("refuses a range that does not lie in it", () => {
    const buffer = new NativeBuffer(16);
    const wrong: [number, number][] = [[0, 17], [16, 1], [-1, 2], [1, -1], [17, 0], [0, 2 ** 53], [
      2 ** 53,
      0,
    ]];
    wrong.push([NaN, 1], [0, NaN], [0.5, 1], [0, 1.5], [Infinity, 1], [0, Infinity]);
    for (const [from, length] of wrong) {
      assertThrows(
        () => NativeBuffer.range(buffer, from, length),
        RangeError,
        `${length} bytes from ${from} of a buffer of 16`,
      );
    }
    const object = { valueOf: () => 1 };
    assertThrows(() => Reflect.apply(NativeBuffer.range, NativeBuffer, [buffer, "0", 1]), RangeError);
    assertThrows(() => Reflect.apply(NativeBuffer.range, NativeBuffer, [buffer, 0, object]), RangeError);
  });

  it("refuses all but an empty range once its bytes were transferred away", () => {
    const buffer = new NativeBuffer(16);
    const { bytes } = buffer;
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    assertThrows(() => NativeBuffer.range(buffer, 0, 1), TypeError, "transferred away");
    assertThrows(() => NativeBuffer.range(buffer, 8, 8), TypeError, "transferred away");
  });

  it("cannot be given other bytes than those whose address it has", () => {
    const buffer = new NativeBuffer(16);
    assertEquals(Reflect.set(buffer, "bytes", new Uint8Array(1 << 20)), false);
    assertEquals(buffer.bytes.length, 16);
    assertThrows(() => NativeBuffer.range(buffer, 0, 17), RangeError);
  });
});
