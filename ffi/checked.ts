/**
 * The checks before a call. Each function gets code of its own, written here from its signature, since a
 * shared closure over checkers would be megamorphic and cost more than the call.
 */
import { host, type HostName, isFar, type RawFunction } from "./host.ts";
import { keepAlive, pending, probe, settle } from "./pending.ts";
import { RANGES, refuse } from "./refusal.ts";
import type { InspectedSignature } from "./signature.ts";
import type { ParameterType, ResultType, WideInteger } from "./types.ts";

/** Throws that the library of a function is closed. */
export function refuseClosed(name: string, path: string): never {
  throw new Error(`cannot call ${name}: ${path} was closed`);
}

/** What the written code calls: no name of its own is in scope there. */
const helpers = {
  host,
  isFar,
  keepAlive,
  pending,
  probe,
  settle,
  is: Object.is,
  encoder: new TextEncoder(),
  refuse(name: string, index: number, type: ParameterType, value: unknown): never {
    refuse(`cannot call ${name}: argument ${index + 1} (${type})`, type, value);
  },
  refuseCount(name: string, expected: number, given: number): never {
    throw new TypeError(
      `cannot call ${name}: it takes ${expected} argument${expected === 1 ? "" : "s"}, and ${given} ${
        given === 1 ? "was" : "were"
      } given`,
    );
  },
  refuseClosed,
};

/**
 * Views of up to so many bytes have a memory of two, held by the function: the last two that were given. What
 * they cost is asked once. No large buffer is held.
 *
 * JSC keeps a typed array of up to 1,000 elements in its own heap, until `.buffer` is asked for: it moves it
 * out then, even while C works on it. So it is asked for before the call, at as much as the call costs. Node
 * takes a view in half a microsecond, and holds it until its event loop turns where it is the only argument:
 * it is given an address, which never changes as long as there is a byte at it.
 */
const REMEMBERED = 8000;

/** What of a view the function remembers, as names to declare. */
function memoryOf(a: string, host: HostName): string {
  switch (host) {
    case "deno":
      return "";
    case "bun":
      return `let ${a}Last = null, ${a}Other = null;`;
    case "node":
      return `let ${a}Last = null, ${a}Other = null, ${a}LastAt = 0n, ${a}OtherAt = 0n;`;
  }
}

/** Readies a view of `n` bytes, one or more. */
function holdView(a: string, host: HostName): string {
  switch (host) {
    case "deno":
      return "";
    case "bun":
      return `else if (n <= ${REMEMBERED} && ${a} !== ${a}Last && ${a} !== ${a}Other) {
        ${a}Other = ${a}Last;
        ${a}Last = ${a}.buffer.byteLength <= ${REMEMBERED} ? ${a} : null;
      }`;
    case "node":
      return `else if (${a} === ${a}Last) ${a}At = ${a}LastAt;
      else if (${a} === ${a}Other) ${a}At = ${a}OtherAt;
      else {
        ${a}At = host.addressOf(${a});
        if (${a}.buffer.byteLength <= ${REMEMBERED}) {
          ${a}Other = ${a}Last; ${a}OtherAt = ${a}LastAt;
          ${a}Last = ${a}; ${a}LastAt = ${a}At;
        }
      }`;
  }
}

/** What goes wrong with a view runs `fail`; `empty` is what becomes of an empty one, which has no address. */
function checkView(a: string, fail: string, empty: string, host: HostName): string {
  // A detached view is empty, or throws if it is a DataView: only an empty one is asked for its buffer, for
  // that costs more than the call.
  return `let n;
    try { n = ${a}.byteLength; } catch { ${fail} }
    if (n === 0) { ${empty} } ${holdView(a, host)}`;
}

/** A number or a bigint becomes what the host takes fastest: a bigint in V8, a number in JSC. */
function convertWide(type: WideInteger, a: string, fail: string, host: HostName): string {
  const [low, high] = RANGES[type] ?? [];
  const notSafe = `!Number.isSafeInteger(${a}) || ${a} < ${low} || (${a} === 0 && 1 / ${a} < 0)`;
  if (host === "bun") {
    return `if (typeof ${a} === "bigint" ? ${a} < ${low}n || ${a} > ${high}n : ${notSafe}) ${fail}`;
  }
  const wrap = low === 0n ? "BigInt.asUintN" : "BigInt.asIntN";
  // V8 makes an object of BigInt(number), but computes with halves of 32 bits in a register.
  const halves = `(BigInt(Math.floor(${a} / 0x100000000) | 0) << 32n) + BigInt(${a} >>> 0)`;
  return `if (typeof ${a} === "bigint") { if (${wrap}(64, ${a}) !== ${a}) ${fail} }
    else { if (${notSafe}) ${fail} ${a} = ${wrap}(64, ${halves}); }`;
}

/**
 * Whether `a` is refused, as an expression; nothing where its conversion tells. Small: V8 and JSC write a
 * function into its caller, where most of this costs nothing, up to a size. -0 is no integer: `is` alone tells
 * it from 0.
 */
function faultOf(type: ParameterType, a: string, host: HostName): string {
  // Where it is a bigint, its range is its maker's word: to look at it again costs V8 a third of the call.
  const pointer = host === "bun"
    ? `(Number.isSafeInteger(${a}) && ${a} >= 0 || isFar(${a}))`
    : `typeof ${a} === "bigint"`;
  const notInteger = (truncated: string): string => `typeof ${a} !== "number" || !is(${truncated}, ${a})`;
  switch (type) {
    case "i8":
      return notInteger(`${a} << 24 >> 24`);
    case "u8":
      return notInteger(`${a} & 0xff`);
    case "i16":
      return notInteger(`${a} << 16 >> 16`);
    case "u16":
      return notInteger(`${a} & 0xffff`);
    case "i32":
      return notInteger(`${a} | 0`);
    case "u32":
      return notInteger(`${a} >>> 0`);
    case "i64":
    case "u64":
    case "isize":
    case "usize":
      return "";
    case "f32":
    case "f64":
      return `typeof ${a} !== "number"`;
    case "bool":
      return `typeof ${a} !== "boolean"`;
    case "pointer":
    case "function":
      return `(${a} !== null && !(${pointer}))`;
    case "pointer!":
    case "function!":
      return `!(${pointer}) || ${a} === ${host === "bun" ? "0" : "0n"}`;
    case "buffer":
      return `(${a} !== null && !ArrayBuffer.isView(${a}))`;
    case "buffer!":
      return `!ArrayBuffer.isView(${a})`;
    case "cstring":
      return `${a} !== null && (typeof ${a} !== "string" || ${a}.includes("\\0"))`;
    case "cstring!":
      return `typeof ${a} !== "string" || ${a}.includes("\\0")`;
  }
}

/** Leaves in `a` what the host takes, as a statement; runs `fail` where a view has no memory left. */
function conversionOf(type: ParameterType, a: string, fail: string, host: HostName): string {
  switch (type) {
    case "i64":
    case "u64":
    case "isize":
    case "usize":
      return convertWide(type, a, fail, host);
    case "bool":
      return host === "node" ? `${a} = ${a} ? 1 : 0;` : "";
    case "pointer":
    case "function":
      return `if (${a} === null) ${a} = ${host === "bun" ? "0" : "0n"};`;
    case "buffer":
      return `${host === "node" ? `let ${a}At = 0n;` : ""} if (${a} !== null) { ${
        checkView(a, fail, `if (${a}.buffer.detached) ${fail} ${a} = null;`, host)
      } }`;
    case "buffer!":
      return `${host === "node" ? `let ${a}At;` : ""} { ${checkView(a, fail, fail, host)} }`;
    case "cstring":
      return host === "node" ? "" : `if (${a} !== null) ${a} = encoder.encode(${a} + "\\0");`;
    case "cstring!":
      return host === "node" ? "" : `${a} = encoder.encode(${a} + "\\0");`;
    default:
      return "";
  }
}

/** Statements that run `fail` or leave in `a` what the host takes. */
export function checkOf(type: ParameterType, a: string, fail: string, host: HostName): string {
  const fault = faultOf(type, a, host);
  return `${fault === "" ? "" : `if (${fault}) ${fail}`} ${conversionOf(type, a, fail, host)}`;
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
  /** Whether its calls throw what callbacks have left: Oxbow's own are not where anybody expects it. */
  readonly settles: boolean;
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
  const refusals = written.map((type, i) => `refuse(name, ${i}, "${type}", ${names[i]});`);
  const faults = written.map((type, i) => faultOf(type, names[i], host.name)).filter((fault) => fault !== "");
  const conversions = written.map((type, i) => conversionOf(type, names[i], refusals[i], host.name));
  // Passed where it is looked at by nobody, so that no optimiser lets go of a view while C has its address.
  const held = names.filter((_, i) => /^(?:buffer|cstring)/.test(written[i]));
  const views = names.filter((_, i) => /^buffer/.test(written[i]));
  const passed = host.name === "node" ? names.map((a) => views.includes(a) ? `${a}At` : a) : names;
  const body = `"use strict"; const { ${Object.keys(helpers).join(", ")} } = helpers;
  ${views.map((a) => memoryOf(a, host.name)).join(" ")}
  function fail(${["given", ...names].join(", ")}) {
    if (owner.closed) refuseClosed(name, owner.path);
    if (given !== ${names.length}) refuseCount(name, ${names.length}, given);
    ${written.map((type, i) => `{ ${checkOf(type, names[i], refusals[i], host.name)} }`).join("\n    ")}
  }
  return function (${names.join(", ")}) {
    if (${["owner.closed", `arguments.length !== ${names.length}`, ...faults].join(" || ")}) {
      fail(${["arguments.length", ...names].join(", ")});
    }
    ${conversions.join("\n    ")}
    ${host.name === "node" ? "if (pending.callbacks !== 0) probe();" : ""}
    const r = call(${passed.join(", ")});
    if (pending.flags[0] !== 0) ${
    owner.settles ? `settle(${["name", ...held].join(", ")})` : `keepAlive(${held.join(", ")})`
  };
    return ${resultOf(result, "r", host.name)};
  }`;
  return new Function("call", "name", "owner", "helpers", body)(raw, name, owner, helpers) as RawFunction;
}
