import { assertEquals } from "@std/assert";
import process from "node:process";
import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { HttpError } from "../../../lib/net/http/error.ts";
import type { RequestHead } from "../../../lib/net/http/parse/head.ts";
import type { HttpLimits } from "../../../lib/net/http/limits.ts";
import { RequestParser } from "../../../lib/net/http/parse/parser.ts";

/** The bytes of a text whose characters stand for bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The text whose characters stand for the bytes. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** What was read of one request. */
export interface Seen {
  method: string;
  target: string;
  minor: number;
  keepAlive: boolean;
  expectContinue: boolean;
  framing: string;
  fields: [string, string][];
  body: string;
}

/** The requests of a connection, and the status of the error that ended it, 0 if none did. */
export interface Reading {
  requests: Seen[];
  status: number;
  isIdle: boolean;
}

/** Bytes whose address is known, which heads are read from by machine code; none where no memory has an address. */
const received = isNativeAvailable() ? new NativeBuffer(70000) : undefined;
const plain = new Uint8Array(70000);
/** Up to where each of the two was written since it was overwritten; to its end at first. */
const written = new Map<NativeBuffer | Uint8Array, number>();

function isNativeAvailable(): boolean {
  return process.env.OXBOW_NATIVE !== "0";
}

/**
 * Reads all requests out of `pieces`, each of which is fed from one place that is overwritten before the next, as
 * a receive buffer is: by the scanner in TypeScript, and by the one in machine code, which must agree.
 */
export function readRequests(pieces: Iterable<Uint8Array>, limits?: HttpLimits): Reading {
  const parts = Array.from(pieces);
  const { reading, message } = readFrom(plain, parts, limits);
  if (received !== undefined) assertEquals(readFrom(received, parts, limits), { reading, message });
  return reading;
}

/** Feeds what lies in `source` from 3 on. */
function feed(parser: RequestParser, source: NativeBuffer | Uint8Array, piece: Uint8Array): void {
  const bytes = source instanceof NativeBuffer ? source.bytes : source;
  bytes.fill(0xee, 0, written.get(source));
  bytes.set(piece, 3);
  written.set(source, 3 + piece.length);
  if (source instanceof NativeBuffer) parser.feed(source, 3, 3 + piece.length);
  else parser.feed(source, 3, 3 + piece.length);
}

function readFrom(
  source: NativeBuffer | Uint8Array,
  pieces: readonly Uint8Array[],
  limits: HttpLimits | undefined,
): { reading: Reading; message: string } {
  const parser = new RequestParser(limits);
  const requests: Seen[] = [];
  let open: Seen | undefined;
  try {
    for (const piece of pieces) {
      feed(parser, source, piece);
      open = takeRequests(parser, open, requests);
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { reading: { requests, status: error.status, isIdle: parser.isIdle }, message: error.message };
  }
  return { reading: { requests, status: 0, isIdle: parser.isIdle }, message: "" };
}

function takeRequests(parser: RequestParser, begun: Seen | undefined, requests: Seen[]): Seen | undefined {
  let open = begun;
  for (;;) {
    if (open === undefined) {
      const head = parser.next();
      if (head === undefined) return undefined;
      open = seen(head);
    }
    const part = parser.read();
    if (part === undefined) return open;
    if (part !== null) {
      open.body += textOf(part);
    } else {
      requests.push(open);
      open = undefined;
    }
  }
}

function seen(head: RequestHead): Seen {
  const { method, target, minor, keepAlive, expectContinue, framing } = head;
  return { method, target, minor, keepAlive, expectContinue, framing, fields: [...head.headers()], body: "" };
}

/** The head of a request that is there as a whole, after its bytes were overwritten. */
export function headOf(text: string, limits?: HttpLimits): RequestHead {
  // Both scanners agree, also in what they throw.
  readRequests([bytesOf(text)], limits);
  const parser = new RequestParser(limits);
  feed(parser, received ?? plain, bytesOf(text));
  const head = parser.next();
  if (head === undefined) throw new Error("the head is not whole");
  (received?.bytes ?? plain).fill(0xdd);
  written.delete(received ?? plain);
  return head;
}

/** The bytes in pieces of at most `size`. */
export function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
