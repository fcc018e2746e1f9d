/** What is wrong with the arguments of readers, writers and codecs. */
import { requireBytes, requireNames, shown } from "../../io/arguments.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** How much is read at most. */
export interface LimitOptions {
  /** In bytes: any number where nothing is said, which is nothing for a peer that is not trusted. */
  limit?: number;
}

function has(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}

/** Throws a `TypeError` for what cannot be read. */
export function requireReader(what: string, reader: AsyncRead, name = "reader"): void {
  if (!has(reader, "read")) throw new TypeError(`${what}: ${name} is ${shown(reader)}, and has no read()`);
}

/** Throws a `TypeError` for what cannot be written to. */
export function requireWriter(what: string, writer: AsyncWrite, name = "writer"): void {
  const missing = ["write", "writeAll", "shutdown"].find((method) => !has(writer, method));
  if (missing !== undefined) {
    throw new TypeError(`${what}: ${name} is ${shown(writer)}, and has no ${missing}()`);
  }
}

/** Throws for what nothing can be read into. */
export function requireInto(into: Uint8Array): void {
  requireBytes("cannot read", "into", into);
  if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
}

/** How many bytes can be read into it now. Throws where there is no room any more: 0 would look like the end. */
export function roomOf(into: Uint8Array): number {
  const { byteLength } = into;
  if (byteLength > 0) return byteLength;
  throw new TypeError("cannot read: into was transferred away or resized before there was something to read");
}

/** Throws a `RangeError` for what is no count from `least` on. */
export function requireCount(what: string, name: string, count: number, least = 0): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  throw new RangeError(`${what}: ${name} is ${shown(count)}, not an integer from ${least}`);
}

/** Throws a `RangeError` for what is neither a count nor `Infinity`. */
export function requireLimit(what: string, name: string, limit: number): void {
  if (limit !== Infinity) requireCount(what, name, limit);
}

/** The limit that the options set. */
export function limitOf(what: string, options: LimitOptions): number {
  requireNames(what, "options are", options, ["limit"]);
  const { limit = Infinity } = options;
  requireLimit(what, "limit", limit);
  return limit;
}

/** Throws a `RangeError` for what is no byte. */
export function requireByte(what: string, name: string, byte: number): void {
  if (Number.isInteger(byte) && byte >= 0 && byte <= 255) return;
  throw new RangeError(`${what}: ${name} is ${shown(byte)}, not an integer from 0 to 255`);
}
