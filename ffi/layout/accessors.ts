/**
 * The class of a struct's view, written from its fields: a getter that all structs shared would be
 * megamorphic, and one with its offset written in costs what `DataView` does.
 */
import { fromPointer, host, toPointer } from "../host.ts";
import type { Pointer } from "../types.ts";
import type { Layout, ScalarType } from "./field.ts";

/** A field where it lies. */
export interface PlacedField {
  readonly name: string;
  readonly type: ScalarType | Layout<unknown>;
  readonly offset: number;
}

/** Integers that a `DataView` reads and writes: its method's name, and what they hold. */
const INTEGERS = {
  i8: ["Int8", -0x80n, 0x7fn],
  u8: ["Uint8", 0n, 0xffn],
  i16: ["Int16", -0x8000n, 0x7fffn],
  u16: ["Uint16", 0n, 0xffffn],
  u16be: ["Uint16", 0n, 0xffffn],
  i32: ["Int32", -0x80000000n, 0x7fffffffn],
  u32: ["Uint32", 0n, 0xffffffffn],
  u32be: ["Uint32", 0n, 0xffffffffn],
  i64: ["BigInt64", -(1n << 63n), (1n << 63n) - 1n],
  isize: ["BigInt64", -(1n << 63n), (1n << 63n) - 1n],
  u64: ["BigUint64", 0n, (1n << 64n) - 1n],
  usize: ["BigUint64", 0n, (1n << 64n) - 1n],
  i53: ["", -(2n ** 53n - 1n), 2n ** 53n - 1n],
  u53: ["", 0n, 2n ** 53n - 1n],
} as const;

const BIGINTS: readonly ScalarType[] = ["i64", "isize", "u64", "usize"];

/** Throws that a value does not fit its field. */
export function refuse(name: string, type: ScalarType, value: unknown): never {
  const given = typeof value === "bigint" ? `${value}n` : String(value);
  const what = `cannot set ${name} (${type}) to ${given}`;
  if (type === "pointer") throw new TypeError(`${what}: it is no pointer, and not null`);
  if (type === "bool" || type === "f32" || type === "f64") {
    throw new TypeError(`${what}: it is no ${type === "bool" ? "boolean" : "number"}`);
  }
  const [, low, high] = INTEGERS[type];
  if (BIGINTS.includes(type) ? typeof value !== "bigint" : !Number.isInteger(value)) {
    throw new TypeError(`${what}: it is no ${BIGINTS.includes(type) ? "bigint" : "integer"}`);
  }
  throw new RangeError(`${what}: it is outside ${low} to ${high}`);
}

/** Called by the written code where a 64-bit integer is past what a number holds. */
function refuseRead(name: string, type: "i53" | "u53", data: DataView, offset: number): never {
  const value = type === "i53" ? data.getBigInt64(offset, true) : data.getBigUint64(offset, true);
  throw new RangeError(
    `cannot read ${name} (${type}): ${value} is past what a number holds; lay it out as ${
      type === "i53" ? "i64" : "u64"
    }`,
  );
}

/** The pointer at `offset`, null for C's. */
export function getPointer(data: DataView, offset: number): Pointer | null {
  const address = data.getBigUint64(offset, true);
  return address === 0n ? null : toPointer(address);
}

/** Writes a pointer at `offset`. */
export function setPointer(data: DataView, offset: number, pointer: Pointer | null): void {
  data.setBigUint64(offset, pointer === null ? 0n : fromPointer(pointer), true);
}

/** The statements of a getter. */
function readOf(type: ScalarType, name: string, at: number): string {
  switch (type) {
    case "bool":
      return `return this.#data.getUint8(${at}) !== 0;`;
    case "pointer":
      return `return getPointer(this.#data, ${at});`;
    case "f32":
    case "f64":
      return `return this.#data.getFloat${type.slice(1)}(${at}, true);`;
    case "i53":
    case "u53":
      // A whole number of 2^32 and one below it: exact wherever the sum is safe.
      return `const value = this.#data.get${type === "i53" ? "Int32" : "Uint32"}(${
        at + 4
      }, true) * 0x1_0000_0000
        + this.#data.getUint32(${at}, true);
      if (!Number.isSafeInteger(value)) refuseRead(${name}, "${type}", this.#data, ${at});
      return value;`;
    default:
      return `return this.#data.get${INTEGERS[type][0]}(${at}, ${!type.endsWith("be")});`;
  }
}

/** What a setter's value must be. */
function conditionOf(type: ScalarType): string {
  switch (type) {
    case "bool":
      return `typeof value === "boolean"`;
    case "pointer":
      return `value === null || typeof value === "${host.encoding}"`;
    case "f32":
    case "f64":
      return `typeof value === "number"`;
    case "i64":
    case "isize":
      return `typeof value === "bigint" && BigInt.asIntN(64, value) === value`;
    case "u64":
    case "usize":
      return `typeof value === "bigint" && BigInt.asUintN(64, value) === value`;
    case "i53":
      return `Number.isSafeInteger(value)`;
    case "u53":
      return `Number.isSafeInteger(value) && value >= 0`;
    case "i32":
      return `typeof value === "number" && (value | 0) === value`;
    case "u32":
    case "u32be":
      return `typeof value === "number" && (value >>> 0) === value`;
    default: {
      const [, low, high] = INTEGERS[type];
      return `typeof value === "number" && (value | 0) === value && value >= ${low} && value <= ${high}`;
    }
  }
}

/** The statements of a setter, which has found its value fit. */
function writeOf(type: ScalarType, at: number): string {
  switch (type) {
    case "bool":
      return `this.#data.setUint8(${at}, value ? 1 : 0);`;
    case "pointer":
      return `setPointer(this.#data, ${at}, value);`;
    case "f32":
    case "f64":
      return `this.#data.setFloat${type.slice(1)}(${at}, value, true);`;
    case "i53":
    case "u53":
      return `this.#data.setInt32(${at + 4}, Math.floor(value / 0x1_0000_0000), true);
      this.#data.setInt32(${at}, value, true);`;
    default:
      return `this.#data.set${INTEGERS[type][0]}(${at}, value, ${!type.endsWith("be")});`;
  }
}

function memberOf({ name, type, offset }: PlacedField, i: number): string {
  const key = JSON.stringify(name);
  if (typeof type !== "string") {
    return `#view${i}; get [${key}]() { return this.#view${i} ??= layouts[${i}].view(this.#data, ${offset}); }`;
  }
  return `get [${key}]() { ${readOf(type, key, offset)} }
    set [${key}](value) {
      if (!(${conditionOf(type)})) refuse(${key}, "${type}", value);
      ${writeOf(type, offset)}
    }`;
}

/** A class whose instances have the fields as accessors over a `DataView` of the struct's bytes. */
export function viewClass(fields: readonly PlacedField[]): new (data: DataView<ArrayBuffer>) => unknown {
  const source = `"use strict"; return class StructView {
    #data;
    constructor(data) { this.#data = data; }
    ${fields.map(memberOf).join("\n    ")}
  }`;
  const make = new Function("layouts", "refuse", "refuseRead", "getPointer", "setPointer", source);
  return make(fields.map(({ type }) => type), refuse, refuseRead, getPointer, setPointer);
}
