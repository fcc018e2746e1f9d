/**
 * The checks before a call. Each function gets code of its own, written here from its signature, since a
 * shared closure over checkers would be megamorphic and cost more than the call.
 */
import { host, type HostName, type RawFunction } from "./host.ts";
import { pending, settle } from "./pending.ts";
import { RANGES, refuse } from "./refusal.ts";
import type { InspectedSignature } from "./signature.ts";
import type { ParameterType, ResultType } from "./types.ts";

/** Throws that the library of a function is closed. */
export function refuseClosed(name: string, path: string): never {
  throw new Error(`cannot call ${name}: ${path} was closed`);
}

/** What the written code calls: no name of its own is in scope there. */
const helpers = {
  host,
  pending,
  settle,
  encoder: new TextEncoder(),
  refuse(name: string, index: number, type: ParameterType, value: unknown): never {
    refuse(`cannot call ${name}: argument ${index + 1} (${type})`, type, value);
  },
  refuseCount(name: string, expected: number, given: number): never {
    throw new TypeError(`cannot call ${name}: it takes ${expected} arguments, and ${given} were given`);
  },
  refuseClosed,
};

/**
 * JSC keeps a typed array of up to 1,000 elements in its own heap, until `.buffer` is asked for: it moves it
 * out then, even while C works on it. So it is asked for before the call, and not again for the last two
 * views that were given, since the asking costs as much as the call. The two are held; no large buffer is.
 */
const MOVABLE = 8000;

/** `empty` is what becomes of an empty view, which has no address. */
function checkView(a: string, fail: string, empty: string, host: HostName): string {
  const pin = `else if (n <= ${MOVABLE} && ${a} !== ${a}Last && ${a} !== ${a}Other) {
      ${a}Other = ${a}Last;
      ${a}Last = ${a}.buffer.byteLength <= ${MOVABLE} ? ${a} : null;
    }`;
  // A detached view is empty, or throws if it is a DataView: only an empty one is asked for its buffer, for
  // that costs more than the call.
  return `if (!ArrayBuffer.isView(${a})) ${fail}
    let n;
    try { n = ${a}.byteLength; } catch { ${fail} }
    if (n === 0) { ${empty} } ${host === "bun" ? pin : ""}`;
}

function checkText(a: string, fail: string): string {
  return `if (typeof ${a} !== "string" || ${a}.includes("\\0")) ${fail} ${a} = encoder.encode(${a} + "\\0");`;
}

/** A statement that runs `fail` or leaves in `a` what the host takes. */
export function checkOf(type: ParameterType, a: string, fail: string, host: HostName): string {
  const [encoding, zero] = host === "bun" ? ['"number"', "0"] : ['"bigint"', "0n"];
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
      const [low, high] = RANGES[type] ?? [];
      const wrap = low === 0n ? "BigInt.asUintN" : "BigInt.asIntN";
      // Each is the other's at twice the cost.
      const range = host === "bun" ? `${a} < ${low}n || ${a} > ${high}n` : `${wrap}(64, ${a}) !== ${a}`;
      const number = `!Number.isSafeInteger(${a}) || ${a} < ${low} || (${a} === 0 && 1 / ${a} < 0)`;
      // V8 makes an object of BigInt(number), but computes with halves of 32 bits in a register.
      const halves = `(BigInt(Math.floor(${a} / 0x100000000) | 0) << 32n) + BigInt(${a} >>> 0)`;
      const convert = host === "bun" ? "" : `${a} = ${wrap}(64, ${halves});`;
      return `if (typeof ${a} === "bigint") { if (${range}) ${fail} } else { if (${number}) ${fail} ${convert} }`;
    }
    case "f32":
    case "f64":
      return `if (typeof ${a} !== "number") ${fail}`;
    case "bool":
      return `if (typeof ${a} !== "boolean") ${fail}${host === "node" ? ` ${a} = ${a} ? 1 : 0;` : ""}`;
    case "pointer":
    case "function":
      return `if (${a} === null) ${a} = ${zero}; else if (typeof ${a} !== ${encoding}) ${fail}`;
    case "pointer!":
    case "function!":
      return `if (typeof ${a} !== ${encoding} || ${a} === ${zero}) ${fail}`;
    case "buffer":
      return `if (${a} !== null) { ${
        checkView(a, fail, `if (${a}.buffer.detached) ${fail} ${a} = null;`, host)
      } }`;
    case "buffer!":
      return checkView(a, fail, fail, host);
    case "cstring":
      return `if (${a} !== null) { ${checkText(a, fail)} }`;
    case "cstring!":
      return checkText(a, fail);
  }
}

/** What the caller gets for `r`, as C has returned it and the host has given it. */
export function resultOf(type: ResultType, r: string, host: HostName): string {
  const isNull = host === "bun" ? `${r} === null || ${r} === 0` : `${r} === 0n`;
  switch (type) {
    case "void":
      return "undefined";
    case "bool":
      return `!!${r}`;
    case "pointer":
      return `${isNull} ? null : ${r}`;
    case "cstring":
      return `${isNull} ? null : host.stringAt(${r})`;
    default:
      return r;
  }
}

/** What a function of a library must know of it. */
export interface Owner {
  readonly path: string;
  readonly closed: boolean;
}

/** `raw` behind the checks of its signature. */
export function checked(
  name: string,
  signature: InspectedSignature,
  raw: RawFunction,
  owner: Owner,
): RawFunction {
  const { written, result } = signature;
  const names = written.map((_, i) => `a${i}`);
  const checks = written.map((type, i) =>
    `{ ${checkOf(type, names[i], `refuse(name, ${i}, "${type}", ${names[i]});`, host.name)} }`
  );
  // Passed where it is looked at by nobody, so that no optimiser lets go of a view while C has its address.
  const held = names.filter((_, i) => /^(?:buffer|cstring)/.test(written[i]));
  const state = names.map((a) => `let ${a}Last = null, ${a}Other = null;`).join(" ");
  const body = `"use strict"; const { ${Object.keys(helpers).join(", ")} } = helpers; ${
    host.name === "bun" ? state : ""
  }
  return function (${names.join(", ")}) {
    if (owner.closed) refuseClosed(name, owner.path);
    if (arguments.length !== ${names.length}) refuseCount(name, ${names.length}, arguments.length);
    ${checks.join("\n    ")}
    const r = call(${names.join(", ")});
    if (pending.flags[0] !== 0) settle(${["name", ...held].join(", ")});
    return ${resultOf(result, "r", host.name)};
  }`;
  return new Function("call", "name", "owner", "helpers", body)(raw, name, owner, helpers) as RawFunction;
}
