import { HttpError } from "../../../lib/net/http/error.ts";
import type { RequestHead } from "../../../lib/net/http/head.ts";
import type { HttpLimits } from "../../../lib/net/http/limits.ts";
import { RequestParser } from "../../../lib/net/http/parser.ts";

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

/**
 * Reads all requests out of `pieces`, each of which is fed from one place that is overwritten before the next, as
 * a receive buffer is.
 */
export function readRequests(pieces: Iterable<Uint8Array>, limits?: HttpLimits): Reading {
  const parser = new RequestParser(limits);
  const buffer = new Uint8Array(70000);
  const requests: Seen[] = [];
  let open: Seen | undefined;
  try {
    for (const piece of pieces) {
      buffer.fill(0xee);
      buffer.set(piece, 3);
      parser.feed(buffer, 3, 3 + piece.length);
      open = takeRequests(parser, open, requests);
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { requests, status: error.status, isIdle: parser.isIdle };
  }
  return { requests, status: 0, isIdle: parser.isIdle };
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

/** The head of a request that is there as a whole. */
export function headOf(text: string, limits?: HttpLimits): RequestHead {
  const parser = new RequestParser(limits);
  parser.feed(bytesOf(text));
  const head = parser.next();
  if (head === undefined) throw new Error("the head is not whole");
  return head;
}

/** The bytes in pieces of at most `size`. */
export function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
