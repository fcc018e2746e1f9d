import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  addressOf,
  array,
  type ElementType,
  type Fields,
  type Layout,
  NULL,
  pointerAt,
  pointerTo,
  type ScalarType,
  struct,
} from "../../../ffi/mod.ts";
import { tiered } from "../../tier.ts";
import { outputOfC } from "./c_program.ts";
import { unlessInstalled } from "../../skip.ts";

type Value = number | bigint | boolean;

/** A type both as ours and as C's, with what is put into it. */
interface Specimen {
  readonly type: ScalarType | Layout<unknown>;
  /** The C declaration of a field of this type. */
  declare(name: string): string;
  /** The C statements that put the value into `place`. */
  assign(place: string): string;
  /** Puts the value where `view` shows it. */
  set(view: Record<string, unknown>, key: string): void;
  /** What is read there, as `value` is written. */
  get(view: Record<string, unknown>, key: string): unknown;
  readonly value: unknown;
}

const C_TYPES: Readonly<Record<Exclude<ScalarType, "pointer">, string>> = {
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  u16be: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  u32be: "uint32_t",
  i64: "int64_t",
  u64: "uint64_t",
  isize: "ssize_t",
  usize: "size_t",
  i53: "int64_t",
  u53: "uint64_t",
  f32: "float",
  f64: "double",
  bool: "_Bool",
};

/** `value` as a C expression: bit patterns, since C has no literal for its own smallest integer. */
function literal(type: string, value: Value): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (type.startsWith("f")) return `(double)${value}`;
  const bits = `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}ull`;
  return type.endsWith("be") ? `__builtin_bswap${type.slice(1, 3)}(${bits})` : bits;
}

function scalar(type: Exclude<ScalarType, "pointer">, value: Value): Specimen {
  return {
    type,
    declare: (name) => `${C_TYPES[type]} ${name};`,
    assign: (place) => `${place} = ${literal(type, value)};`,
    set: (view, key) => {
      view[key] = value;
    },
    get: (view, key) => view[key],
    value,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The view that is the field `key`. */
function within(view: Record<string, unknown>, key: string): Record<string, unknown> {
  const inner = view[key];
  if (!isRecord(inner)) throw new Error(`${key} is no view`);
  return inner;
}

type NumberType = Exclude<ElementType, "pointer">;

function scalars(type: NumberType, values: readonly (number | bigint)[]): Specimen {
  return {
    type: array(type, values.length),
    declare: (name) => `${C_TYPES[type]} ${name}[${values.length}];`,
    assign: (place) => values.map((value, i) => `${place}[${i}] = ${literal(type, value)};`).join(" "),
    set: (view, key) => {
      const elements = within(view, key);
      values.forEach((value, i) => elements[i] = value);
    },
    get: (view, key) => values.map((_, i) => within(view, key)[i]),
    value: values,
  };
}

function pointers(addresses: readonly bigint[]): Specimen {
  const value = addresses.map((address) => address === 0n ? null : pointerAt(address));
  return {
    type: array("pointer", addresses.length),
    declare: (name) => `void *${name}[${addresses.length}];`,
    assign: (place) => addresses.map((address, i) => `${place}[${i}] = (void *)${address}ull;`).join(" "),
    set: (view, key) => {
      const elements = within(view, key);
      value.forEach((pointer, i) => elements[i] = pointer);
    },
    get: (view, key) => value.map((_, i) => within(view, key)[i]),
    value,
  };
}

interface StructSpecimen extends Specimen {
  readonly type: ReturnType<typeof struct<Fields>>;
  readonly fields: readonly Specimen[];
}

function fieldsOf(fields: readonly Specimen[], packed: boolean): StructSpecimen {
  const body = fields.map((field, i) => field.declare(`f${i}`)).join(" ");
  return {
    fields,
    type: struct<Fields>(Object.fromEntries(fields.map(({ type }, i) => [`f${i}`, type])), { packed }),
    declare: (name) => `struct ${packed ? "__attribute__((packed)) " : ""}{ ${body} } ${name};`,
    assign: (place) => fields.map((field, i) => field.assign(`${place}.f${i}`)).join(" "),
    set: (view, key) => fields.forEach((field, i) => field.set(within(view, key), `f${i}`)),
    get: (view, key) => fields.map((field, i) => field.get(within(view, key), `f${i}`)),
    value: fields.map(({ value }) => value),
  };
}

function signed(bits: number): fc.Arbitrary<bigint> {
  return fc.bigInt({ min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n });
}

function unsigned(bits: number): fc.Arbitrary<bigint> {
  return fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
}

const safe = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(-(2 ** 53 - 1), -(2 ** 32), -1, 2 ** 32, 2 ** 53 - 1),
);
const values = {
  i8: signed(8).map(Number),
  u8: unsigned(8).map(Number),
  i16: signed(16).map(Number),
  u16: unsigned(16).map(Number),
  i32: signed(32).map(Number),
  u32: unsigned(32).map(Number),
  i64: signed(64),
  u64: unsigned(64),
  f32: fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
  f64: fc.maxSafeInteger(),
} satisfies Record<NumberType, fc.Arbitrary<number | bigint>>;

const scalarSpecimens = {
  ...values,
  u16be: values.u16,
  u32be: values.u32,
  isize: values.i64,
  usize: values.u64,
  i53: safe,
  u53: safe.map(Math.abs),
  bool: fc.boolean(),
} satisfies Record<Exclude<ScalarType, "pointer">, fc.Arbitrary<Value>>;

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  const keys: K[] = [];
  for (const key in record) keys.push(key);
  return keys;
}

const anyScalar: fc.Arbitrary<Specimen> = fc.constantFrom(...keysOf(scalarSpecimens)).chain((type) => {
  const value: fc.Arbitrary<Value> = scalarSpecimens[type];
  return value.map((value) => scalar(type, value));
});

const anyScalars: fc.Arbitrary<Specimen> = fc.constantFrom(...keysOf(values)).chain((type) => {
  const value: fc.Arbitrary<number | bigint> = values[type];
  return fc.array(value, { minLength: 1, maxLength: 4 }).map((values) => scalars(type, values));
});

/** Of user space, and null: what a host holds exactly. */
const anyPointers: fc.Arbitrary<Specimen> = fc.array(
  fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: (1n << 47n) - 1n })),
  { minLength: 1, maxLength: 4 },
).map(pointers);

/** Packed structs hold no array of scalars, for a typed array has to be aligned. */
function anyStruct(depth: number): fc.Arbitrary<StructSpecimen> {
  const inner = depth === 0 ? [] : [anyStruct(depth - 1)];
  const plain = fc.array(fc.oneof(anyScalar, anyScalar, anyScalars, anyPointers, ...inner), {
    minLength: 1,
    maxLength: 6,
  });
  const packed = fc.array(
    fc.oneof({ weight: 4, arbitrary: anyScalar }, { weight: 1, arbitrary: anyPointers }),
    { minLength: 1, maxLength: 6 },
  );
  return fc.oneof(
    { weight: 3, arbitrary: plain.map((fields) => fieldsOf(fields, false)) },
    { weight: 1, arbitrary: packed.map((fields) => fieldsOf(fields, true)) },
  );
}

/** Size, alignment, offsets and bytes of each struct, as C has them. */
function linesOfC(specimens: readonly StructSpecimen[]): string[] {
  const blocks = specimens.map((specimen) =>
    `{
    ${specimen.declare("s")}
    memset(&s, 0, sizeof s);
    ${specimen.assign("s")}
    printf("%zu %zu", sizeof s, _Alignof(__typeof__(s)));
    ${specimen.fields.map((_, i) => `printf(" %zu", offsetof(__typeof__(s), f${i}));`).join(" ")}
    printf(" ");
    for (size_t i = 0; i < sizeof s; i++) printf("%02x", ((unsigned char *)&s)[i]);
    printf("\\n");
  }`
  );
  const source = ["stddef.h", "stdint.h", "stdio.h", "string.h", "sys/types.h"].map((header) =>
    `#include <${header}>`
  );
  return outputOfC([...source, `int main(void) { ${blocks.join("\n")} }`].join("\n")).trimEnd().split("\n");
}

function lineOfOurs({ type, set }: StructSpecimen): string {
  const bytes = new Uint8Array(type.size);
  set({ view: type.view(bytes) }, "view");
  return [type.size, type.align, ...Object.values(type.offsets), bytes.toHex()].join(" ");
}

describe("struct", () => {
  const skip = unlessInstalled("gcc");

  it("lays out, writes and reads as gcc does, and is skipped where that is not installed", { skip }, () => {
    const specimens = fc.array(anyStruct(2), { minLength: 100, maxLength: 100 });
    fc.assert(
      fc.property(specimens, (specimens) => {
        const lines = linesOfC(specimens);
        assertEquals(specimens.map(lineOfOurs), lines);
        for (const [i, { type, get, value }] of specimens.entries()) {
          const bytes = Uint8Array.fromHex(lines[i].split(" ").at(-1) ?? "");
          assertEquals(get({ view: type.view(bytes) }, "view"), value);
        }
      }),
      { numRuns: tiered({ quick: 2, full: 20, soak: 2000 }), endOnFailure: true },
    );
  });

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
