/**
 * A function of a library that is to be called elsewhere than on this thread: where it is, and its arguments as the six
 * registers of System V's ABI take them. Checked as by a call, before anything is called.
 */
import type { Library } from "./dlopen.ts";
import { fromPointer, isPointer } from "./host.ts";
import { keepLoaded } from "./loader.ts";
import { pointerAt, unsafeStringAt } from "./pointer.ts";
import { RANGES, refuse } from "./refusal.ts";
import type { InspectedSignature } from "./signature.ts";
import { symbolPointer } from "./symbol_pointer.ts";
import { signatureIn } from "./tables.ts";
import type { ParameterType, ResultType, SymbolTable } from "./types.ts";

/** What the integer registers hold. */
const MOST_ARGUMENTS = 6;

/** A function that can be called by its address. */
export interface NativeTarget {
  readonly name: string;
  readonly address: number;
  readonly parameters: readonly ParameterType[];
  readonly result: ResultType;
}

function requirePassable(what: string, { written, result, unchecked }: InspectedSignature): void {
  if (unchecked) throw new TypeError(`${what}: it is unchecked, and its arguments are to be checked here`);
  if (written.length > MOST_ARGUMENTS) {
    throw new RangeError(`${what}: it takes ${written.length} arguments, and six go to another thread`);
  }
  const float = [...written, result].find((type) => type === "f32" || type === "f64");
  if (float !== undefined) {
    throw new TypeError(
      `${what}: it takes or gives ${float}, and integers and addresses alone go to another thread`,
    );
  }
}

/** The function of that name, of a library that stays loaded from now on: a call of it may be under way at any time. */
export function nativeTarget(library: Library<SymbolTable>, name: string): NativeTarget {
  const what = `cannot call ${name} on another thread`;
  const signature = signatureIn(library?.symbols, name);
  if (signature === undefined) throw new TypeError(`${what}: it is in no table of an opened library`);
  requirePassable(what, signature);
  const symbol = signature.symbol ?? name;
  const pointer = symbolPointer(library, symbol);
  if (pointer === null) throw new Error(`${what}: ${library.path} has no ${symbol}`);
  keepLoaded(library.path);
  return {
    name,
    address: Number(fromPointer(pointer)),
    parameters: signature.written,
    result: signature.result,
  };
}

const encoder = new TextEncoder();

/** What an argument is: an integer of 64 bits, a buffer, or the bytes of a text, whose address is to be one. */
export type NativeArgument = bigint | ArrayBufferView | { readonly text: Uint8Array<ArrayBuffer> };

function integerOf(what: string, type: ParameterType, value: unknown): bigint {
  const [low, high] = RANGES[type] ?? refuse(what, type, value);
  const isWide = high > 0xffffffffn;
  const isInteger = isWide
    ? typeof value === "bigint" || Number.isSafeInteger(value)
    : typeof value === "number" && Number.isInteger(value);
  if (!isInteger || Object.is(value, -0)) refuse(what, type, value);
  const integer = BigInt(value as number | bigint);
  if (integer < low || integer > high) refuse(what, type, value);
  return integer;
}

function viewOf(what: string, type: ParameterType, value: unknown): NativeArgument {
  if (!ArrayBuffer.isView(value)) return refuse(what, type, value);
  const isDetached = value.buffer instanceof ArrayBuffer && value.buffer.detached;
  if (!isDetached && value.byteLength > 0) return value;
  return isDetached || type.endsWith("!") ? refuse(what, type, value) : 0n;
}

function argumentOf(what: string, type: ParameterType, value: unknown): NativeArgument {
  const isNullable = !type.endsWith("!");
  switch (isNullable ? type : type.slice(0, -1)) {
    case "bool":
      return typeof value === "boolean" ? BigInt(value) : refuse(what, type, value);
    case "pointer":
    case "function": {
      if (value === null && isNullable) return 0n;
      if (!isPointer(value)) return refuse(what, type, value);
      const address = fromPointer(value as Parameters<typeof fromPointer>[0]);
      return address === 0n && !isNullable ? refuse(what, type, value) : address;
    }
    case "buffer":
      return value === null && isNullable ? 0n : viewOf(what, type, value);
    case "cstring":
      if (value === null && isNullable) return 0n;
      if (typeof value !== "string" || value.includes("\0")) return refuse(what, type, value);
      return { text: encoder.encode(`${value}\0`) };
    default:
      return integerOf(what, type, value);
  }
}

/** The arguments, checked by the function's signature. Throws as its call does. */
export function nativeArguments(target: NativeTarget, values: readonly unknown[]): NativeArgument[] {
  const { name, parameters } = target;
  if (!Array.isArray(values) || values.length !== parameters.length) {
    const given = Array.isArray(values) ? `${values.length} given` : "no array of them given";
    throw new TypeError(
      `cannot call ${name}: it takes ${parameters.length} arguments, and there were ${given}`,
    );
  }
  return parameters.map((type, i) =>
    argumentOf(`cannot call ${name}: argument ${i + 1} (${type})`, type, values[i])
  );
}

/** What a call has left in the register of its result, as the function's caller gets it. */
export function nativeResult(type: ResultType, bits: bigint): unknown {
  switch (type) {
    case "void":
      return undefined;
    case "bool":
      return (bits & 0xffn) !== 0n;
    case "i8":
    case "i16":
    case "i32":
      return Number(BigInt.asIntN(Number(type.slice(1)), bits));
    case "u8":
    case "u16":
    case "u32":
      return Number(BigInt.asUintN(Number(type.slice(1)), bits));
    case "u64":
    case "usize":
      return BigInt.asUintN(64, bits);
    case "pointer":
    case "cstring": {
      const address = BigInt.asUintN(64, bits);
      if (address === 0n) return null;
      return type === "pointer" ? pointerAt(address) : unsafeStringAt(pointerAt(address));
    }
    default:
      return BigInt.asIntN(64, bits);
  }
}
