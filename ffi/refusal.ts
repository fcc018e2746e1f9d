/** Why a value cannot go to C, in words. */
import type { ParameterType } from "./types.ts";

/** The bounds of each integer type. */
export const RANGES: Partial<Record<ParameterType, readonly [low: bigint, high: bigint]>> = {
  i8: [-0x80n, 0x7fn],
  u8: [0n, 0xffn],
  i16: [-0x8000n, 0x7fffn],
  u16: [0n, 0xffffn],
  i32: [-0x80000000n, 0x7fffffffn],
  u32: [0n, 0xffffffffn],
  i64: [-(1n << 63n), (1n << 63n) - 1n],
  u64: [0n, (1n << 64n) - 1n],
  isize: [-(1n << 63n), (1n << 63n) - 1n],
  usize: [0n, (1n << 64n) - 1n],
};

function describe(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  // By the inner tag, "[object Uint8Array]": a stranger's own properties may throw.
  if (ArrayBuffer.isView(value)) return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

function whyNoAddress(type: ParameterType, value: unknown): string {
  if (type.startsWith("buffer") && ArrayBuffer.isView(value)) {
    return value.buffer instanceof ArrayBuffer && value.buffer.detached
      ? ", whose buffer is detached"
      : ", which is empty";
  }
  if (type.startsWith("buffer")) {
    if (value instanceof ArrayBuffer) return ", and no view of it: pass new Uint8Array(buffer)";
    if (typeof value === "string") return ", and no view of bytes: pass cString(text)";
  }
  if (type.startsWith("function") && typeof value === "function") {
    return ": pass callback(signature, fn).pointer";
  }
  if (type.startsWith("function") && typeof value === "object" && value !== null && "pointer" in value) {
    return ": pass its pointer";
  }
  if (type.startsWith("pointer") && ArrayBuffer.isView(value)) {
    return ": pass pointerTo(view), or declare the parameter a buffer";
  }
  const isNull = value === null || value === 0n || value === 0;
  if (type.endsWith("!") && isNull) return ", where C follows the pointer";
  return type.startsWith("cstring") && typeof value === "string"
    ? ", with a NUL in it, where C would end it"
    : "";
}

/** Throws what is wrong with a value that a check has refused; `what` says which it is. */
export function refuse(what: string, type: ParameterType, value: unknown): never {
  const range = RANGES[type];
  if (range === undefined) throw new TypeError(`${what} is ${describe(value)}${whyNoAddress(type, value)}`);
  const isWide = range[1] > 0xffffffffn;
  if (typeof value === "bigint" && !isWide) {
    throw new TypeError(`${what} is ${describe(value)}, a bigint where a number is asked for`);
  }
  const isInteger = typeof value === "bigint" || (Number.isInteger(value) && !Object.is(value, -0));
  if (!isInteger) throw new TypeError(`${what} is ${describe(value)}, not an integer`);
  if (isWide && typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`${what} is ${describe(value)}, which no number holds exactly: pass a bigint`);
  }
  throw new RangeError(`${what} is ${describe(value)}, outside ${range[0]} to ${range[1]}`);
}
