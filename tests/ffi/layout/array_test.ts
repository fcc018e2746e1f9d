import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { addressOf, array, NULL, pointerAt, struct } from "../../../ffi/mod.ts";

describe("array", () => {
  it("is a typed array over the same bytes", () => {
    const bytes = new Uint8Array(12);
    const view = array("u16", 4).view(bytes, 2);
    view[3] = 0x0201;
    assertEquals([view.constructor, view.length, view.byteOffset], [Uint16Array, 4, 2]);
    assertEquals([bytes[8], bytes[9]], [1, 2]);
  });

  it("is a list of views of structs and of arrays", () => {
    const pairs = array(struct({ a: "u8", b: "u16" }), 3);
    assertEquals([pairs.size, pairs.align], [12, 2]);
    const bytes = new Uint8Array(pairs.size);
    const list = pairs.view(bytes);
    for (const [i, view] of list.entries()) [view.a, view.b] = [i + 1, 256 * (i + 1)];
    assertEquals(bytes.toHex(), "010000010200000203000003");
    const matrix = array(array("f32", 2), 2).view(new Uint8Array(16));
    matrix[1][0] = 4;
    assertEquals(matrix.map((row) => [...row]), [[0, 0], [4, 0]]);
  });

  it("is a list of pointers, read and written in place", () => {
    const table = struct({ first: "u8", names: array("pointer", 3) });
    assertEquals([table.size, table.align, table.offsets.names], [32, 8, 8]);
    const bytes = new Uint8Array(table.size);
    const { names } = table.view(bytes);
    assertEquals([...names], [null, null, null]);
    names[1] = pointerAt(0xffff_0000_0001n);
    names[2] = NULL;
    assertEquals(bytes.toHex(), `${"00".repeat(16)}01000000ffff0000${"00".repeat(8)}`);
    bytes[24] = 5;
    assertEquals([...names], [null, pointerAt(0xffff_0000_0001n), pointerAt(5n)]);
    assertEquals(names.map((name) => name === null ? 0n : addressOf(name)), [0n, 0xffff_0000_0001n, 5n]);
    names[1] = null;
    assertEquals([...names], [null, null, pointerAt(5n)]);
  });

  it("of pointers takes no other value, and no other length", () => {
    const bytes = new Uint8Array(16);
    const list = array("pointer", 2).view(bytes);
    for (const value of [undefined, "0x0", {}, true]) {
      assertThrows(
        () => Object.assign(list, { 1: value }),
        TypeError,
        `cannot set element 1 (pointer) to ${value}: it is no pointer, and not null`,
      );
    }
    assertThrows(() => list[2] = null, TypeError);
    assertThrows(() => Object.assign(list, { length: 1 }), TypeError);
    assertEquals([list.length, bytes.toHex()], [2, "00".repeat(16)]);
    assertThrows(() => array("pointer", 2).view(new Uint8Array(15)), RangeError, "it is 16 bytes");
    bytes.buffer.transfer();
    assertThrows(() => list[0], TypeError);
  });

  it("refuses a length that is no count, and an element of no typed array", () => {
    for (const length of [0, -1, 1.5, NaN, 2 ** 53]) {
      assertThrows(() => array("u8", length), RangeError, `length is ${length}, not a count from 1`);
    }
    const untyped: Record<string, unknown> = { array };
    const lay = untyped.array;
    if (typeof lay !== "function") throw new Error("array is no function");
    assertThrows(() => lay("bool", 2), TypeError, "cannot lay out an array: no typed array is of bool");
    assertThrows(() => lay("int", 2), TypeError, 'cannot lay out an array: "int" is no type of a field');
  });

  it("refuses bytes that are too few or that no typed array can start at", () => {
    assertThrows(
      () => array("u8", 4).view(new Uint8Array(3)),
      RangeError,
      "cannot view an array of 4: it is 4 bytes, and from 0 there are 3",
    );
    assertThrows(
      () => array("u32", 1).view(new Uint8Array(8).subarray(1), 2),
      RangeError,
      "cannot view an array of u32 at byte 3 of its buffer: a typed array starts at a multiple of 4",
    );
    const packed = struct({ a: "u8", b: array("u32", 1) }, { packed: true });
    const view = packed.view(new Uint8Array(packed.size));
    assertThrows(() => view.b, RangeError, "at byte 1 of its buffer");
  });
});
