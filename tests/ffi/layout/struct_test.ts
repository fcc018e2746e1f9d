import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  addressOf,
  type Fields,
  NULL,
  pointerAt,
  pointerTo,
  type ScalarType,
  struct,
} from "../../../ffi/mod.ts";

describe("struct", () => {
  const point = struct({ x: "i32", y: "i32" });

  it("shows the bytes that it is given, from the offset that it is given", () => {
    const bytes = new Uint8Array(20).subarray(3);
    const view = point.view(bytes, 5);
    view.y = 0x04030201;
    assertEquals([...bytes], [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
    bytes[5] = 9;
    assertEquals([view.x, view.y], [9, 0x04030201]);
  });

  it("tells sizes and offsets", () => {
    const line = struct({ isDashed: "bool", from: point, to: point, width: "f64" });
    assertEquals(line.offsets, { isDashed: 0, from: 4, to: 12, width: 24 });
    assertEquals([line.size, line.align], [32, 8]);
    const packed = struct({ isDashed: "bool", from: point, to: point, width: "f64" }, { packed: true });
    assertEquals([packed.size, packed.align, packed.offsets.from], [25, 1, 1]);
    const aligned = struct({ small: "u8" }, { align: 16 });
    assertEquals([aligned.size, aligned.align], [16, 16]);
    assertEquals(struct({ a: "u8", aligned }).offsets, { a: 0, aligned: 16 });
  });

  it("makes the view of a struct within it once", () => {
    const line = struct({ from: point, to: point });
    const view = line.view(new Uint8Array(line.size));
    assertStrictEquals(view.from, view.from);
    view.to.x = 7;
    assertEquals([view.from.x, view.to.x], [0, 7]);
    assertThrows(() => Object.assign(view, { from: view.to }), TypeError);
  });

  it("holds pointers, and null for C's", () => {
    const node = struct({ next: "pointer" });
    const bytes = new Uint8Array(node.size);
    const view = node.view(bytes);
    assertStrictEquals(view.next, null);
    const target = new Uint8Array(1);
    view.next = pointerTo(target);
    assertEquals(new BigUint64Array(bytes.buffer)[0], addressOf(pointerTo(target)));
    assertEquals(view.next, pointerTo(target));
    view.next = pointerAt(0xffff_0000_0001n);
    assertEquals(bytes.toHex(), "01000000ffff0000");
    view.next = null;
    assertEquals(bytes.toHex(), "0000000000000000");
    view.next = NULL;
    assertStrictEquals(view.next, null);
  });

  it("reads as true whatever byte is not 0", () => {
    const flag = struct({ on: "bool" });
    assertEquals([0, 1, 2, 255].map((byte) => flag.view(Uint8Array.of(byte)).on), [false, true, true, true]);
  });

  it("refuses to read as a number what none holds", () => {
    const counts = struct({ signed: "i53", unsigned: "u53" });
    const words = BigUint64Array.of(1n << 53n, 1n << 53n);
    const view = counts.view(words);
    assertThrows(
      () => view.signed,
      RangeError,
      "cannot read signed (i53): 9007199254740992 is past what a number holds; lay it out as i64",
    );
    assertThrows(() => view.unsigned, RangeError, "lay it out as u64");
    words.fill(-1n);
    assertEquals(view.signed, -1);
    assertThrows(
      () => view.unsigned,
      RangeError,
      "cannot read unsigned (u53): 18446744073709551615 is past what a number holds",
    );
    words.fill(-(1n << 53n));
    assertThrows(() => view.signed, RangeError, "-9007199254740992 is past");
    words.fill((1n << 53n) - 1n);
    assertEquals([view.signed, view.unsigned], [2 ** 53 - 1, 2 ** 53 - 1]);
  });

  it("refuses to write what a field does not hold", () => {
    const refused: readonly [ScalarType, unknown, new (message?: string) => Error, string][] = [
      ["i8", 128, RangeError, "cannot set f (i8) to 128: it is outside -128 to 127"],
      ["i8", -129, RangeError, "-129"],
      ["u8", 256, RangeError, "0 to 255"],
      ["u8", -1, RangeError, "cannot set f (u8) to -1"],
      ["i16", 2 ** 15, RangeError, "32767"],
      ["u16", 2 ** 16, RangeError, "65535"],
      ["u16be", -1, RangeError, "cannot set f (u16be) to -1: it is outside 0 to 65535"],
      ["i32", 2 ** 31, RangeError, "-2147483648 to 2147483647"],
      ["i32", 1.5, TypeError, "cannot set f (i32) to 1.5: it is no integer"],
      ["i32", NaN, TypeError, "NaN"],
      ["i32", 1n, TypeError, "cannot set f (i32) to 1n: it is no integer"],
      ["i32", "1", TypeError, "it is no integer"],
      ["i32", undefined, TypeError, "cannot set f (i32) to undefined"],
      ["u32", -1, RangeError, "0 to 4294967295"],
      ["u32be", 2 ** 32, RangeError, "0 to 4294967295"],
      ["i64", 1, TypeError, "cannot set f (i64) to 1: it is no bigint"],
      ["i64", 1n << 63n, RangeError, "cannot set f (i64) to 9223372036854775808n"],
      ["u64", -1n, RangeError, "0 to 18446744073709551615"],
      ["isize", -(1n << 63n) - 1n, RangeError, "outside"],
      ["usize", 1n << 64n, RangeError, "outside"],
      ["i53", 2 ** 53, RangeError, "9007199254740991"],
      ["i53", 1n, TypeError, "it is no integer"],
      ["i53", 0.5, TypeError, "it is no integer"],
      ["u53", -1, RangeError, "0 to 9007199254740991"],
      ["f32", "1", TypeError, "cannot set f (f32) to 1: it is no number"],
      ["f64", 1n, TypeError, "it is no number"],
      ["bool", 1, TypeError, "cannot set f (bool) to 1: it is no boolean"],
      [
        "pointer",
        undefined,
        TypeError,
        "cannot set f (pointer) to undefined: it is no pointer, and not null",
      ],
      ["pointer", "0x0", TypeError, "it is no pointer"],
    ];
    for (const [type, value, ErrorType, message] of refused) {
      const bytes = new Uint8Array(8);
      const view = struct<Fields>({ f: type }).view(bytes);
      assertThrows(() => Object.assign(view, { f: value }), ErrorType, message);
      assertEquals(bytes.toHex(), "0000000000000000");
    }
  });

  it("throws once its buffer was transferred away", () => {
    const bytes = new Uint8Array(point.size);
    const view = point.view(bytes);
    bytes.buffer.transfer();
    assertThrows(() => view.x, TypeError);
    assertThrows(() => {
      view.x = 1;
    }, TypeError);
  });

  it("refuses bytes that are too few", () => {
    assertThrows(
      () => point.view(new Uint8Array(7)),
      RangeError,
      "cannot view a struct: it is 8 bytes, and from 0 there are 7",
    );
    assertThrows(() => point.view(new Uint8Array(8), 1), RangeError, "it is 8 bytes, and from 1 there are 7");
    assertThrows(() => point.view(new Uint8Array(8), 9), RangeError, "from 9 there are 0");
    for (const offset of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assertThrows(
        () => point.view(new Uint8Array(16), offset),
        RangeError,
        `byteOffset is ${offset}, not a count of bytes`,
      );
    }
  });

  it("refuses what is no layout", () => {
    assertThrows(() => struct({}), TypeError, "cannot lay out a struct: it has no field");
    assertThrows(() => struct({ a: "u8", 1: "u8" }), TypeError, "field 1: its name reads as a number");
    for (const align of [0, 3, -1, 1.5, NaN]) {
      assertThrows(() => struct({ a: "u8" }, { align }), RangeError, `align is ${align}, not a power of two`);
    }
    const untyped: Record<string, unknown> = { struct };
    const lay = untyped.struct;
    if (typeof lay !== "function") throw new Error("struct is no function");
    assertThrows(() => lay({ a: "int" }), TypeError, 'cannot lay out field a: "int" is no type of a field');
    assertThrows(() => lay({ a: null }), TypeError, "null is no type");
    assertThrows(() => lay({ a: undefined }), TypeError, "undefined is no type");
    assertThrows(() => lay({ a: "toString" }), TypeError, '"toString" is no type');
  });

  it("takes any name for a field", () => {
    const odd = struct({ "a-b": "u8", 'c"d\\': "u8", constructor: "u8", "\u2028": "u8", "`${x}`": "u8" });
    const view = odd.view(Uint8Array.of(1, 2, 3, 4, 5));
    assertEquals([view["a-b"], view['c"d\\'], view.constructor, view["\u2028"], view["`${x}`"]], [
      1,
      2,
      3,
      4,
      5,
    ]);
  });
});
