import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  array,
  type ElementType,
  type Fields,
  type Layout,
  pointerAt,
  type ScalarType,
  struct,
} from "../../../ffi/mod.ts";
import { unlessInstalled } from "../../skip.ts";
import { tiered } from "../../tier.ts";
import { outputOfC } from "./c_program.ts";

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
});
