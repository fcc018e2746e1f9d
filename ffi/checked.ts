/**
 * The checks before a call. Each function gets code of its own, written here from its signature, since a
 * shared closure over checkers would be megamorphic and cost more than the call.
 */
import type { HostName, RawFunction } from "./host.ts";
import type { ParameterType, Signature } from "./types.ts";

const RANGES: Partial<Record<ParameterType, readonly [bigint, bigint]>> = {
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
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`;
  return String(value);
}

/** Called by the written code, where a check failed: finds out why, and says so. */
function refuse(name: string, index: number, type: ParameterType, value: unknown): never {
  const what = `cannot call ${name}: argument ${index + 1} (${type})`;
  const range = RANGES[type];
  if (range === undefined) {
    const detached = ArrayBuffer.isView(value) ? ", whose buffer is detached or shared" : "";
    throw new TypeError(`${what} is ${describe(value)}${detached}`);
  }
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

function refuseCount(name: string, expected: number, given: number): never {
  throw new TypeError(`cannot call ${name}: it takes ${expected} arguments, and ${given} were given`);
}

/** A statement that throws or leaves in `a` what the host takes. */
function checkOf(type: ParameterType, a: string, fail: string, host: HostName): string {
  const big = host !== "bun";
  switch (type) {
    case "i32":
      return `if (typeof ${a} !== "number" || (${a} | 0) !== ${a} || (${a} === 0 && 1 / ${a} < 0)) ${fail}`;
    case "u32":
      return `if (typeof ${a} !== "number" || (${a} >>> 0) !== ${a} || (${a} === 0 && 1 / ${a} < 0)) ${fail}`;
    case "i8":
    case "u8":
    case "i16":
    case "u16": {
      const [low, high] = RANGES[type] ?? [];
      return `if (typeof ${a} !== "number" || (${a} | 0) !== ${a} || ${a} < ${low} || ${a} > ${high} || (${a} === 0 && 1 / ${a} < 0)) ${fail}`;
    }
    case "i64":
    case "u64":
    case "isize":
    case "usize": {
      const isUnsigned = type === "u64" || type === "usize";
      // Two comparisons of bigints would cost twice this.
      const range = `if (BigInt.${isUnsigned ? "asUintN" : "asIntN"}(64, ${a}) !== ${a}) ${fail}`;
      const signed = isUnsigned ? `${a} < 0 || ` : "";
      const number = `if (!Number.isSafeInteger(${a}) || ${signed}(${a} === 0 && 1 / ${a} < 0)) ${fail}`;
      return `if (typeof ${a} === "bigint") { ${range} } else { ${number} ${
        big ? `${a} = BigInt(${a});` : ""
      } }`;
    }
    case "f32":
    case "f64":
      return `if (typeof ${a} !== "number") ${fail}`;
    case "bool":
      return `if (typeof ${a} !== "boolean") ${fail}${host === "node" ? ` ${a} = ${a} ? 1 : 0;` : ""}`;
    case "pointer":
    case "function":
      return `if (${a} === null) ${a} = ${big ? "0n" : "0"}; else if (typeof ${a} !== "${
        big ? "bigint" : "number"
      }") ${fail}`;
    case "buffer":
      // A detached view is empty: only an empty one is asked, for the asking costs more than the call.
      return `if (${a} !== null) {
      if (!ArrayBuffer.isView(${a}) || !(${a}.buffer instanceof ArrayBuffer)) ${fail}
      if (${a}.byteLength === 0) { if (${a}.buffer.detached) ${fail} ${a} = null; }
    }`;
  }
}

function resultOf(signature: Signature, host: HostName): string {
  switch (signature.result) {
    case "void":
      return "CALL;";
    case "pointer":
      return host === "bun"
        ? "const r = CALL; return r === null || r === 0 ? null : Number(r);"
        : "const r = CALL; return r === 0n ? null : r;";
    case "bool":
      return "return !!CALL;";
    default:
      return "return CALL;";
  }
}

/** `raw` behind the checks of its signature. */
export function checked(name: string, signature: Signature, raw: RawFunction, host: HostName): RawFunction {
  const { parameters } = signature;
  const names = parameters.map((_, i) => `a${i}`);
  const checks = parameters.map((type, i) =>
    checkOf(type, names[i], `refuse(name, ${i}, "${type}", ${names[i]});`, host)
  );
  const body = `"use strict"; return function (${names.join(", ")}) {
    if (arguments.length !== ${parameters.length}) refuseCount(name, ${parameters.length}, arguments.length);
    ${checks.join("\n    ")}
    ${resultOf(signature, host).replace("CALL", `call(${names.join(", ")})`)}
  }`;
  const make = new Function("call", "name", "refuse", "refuseCount", body);
  return make(raw, name, refuse, refuseCount) as RawFunction;
}
