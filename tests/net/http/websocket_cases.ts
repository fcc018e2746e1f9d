/** What the tests of Autobahn's cases have in common: frames, what a case is, and how one is played. */
import { it } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { HttpServer } from "../../../lib/net/http.ts";
import { upgradeWebSocket, type UpgradeWebSocketOptions } from "../../../lib/net/websocket.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { serving } from "./client.ts";
import { BINARY, CLOSE, type Frame, frame, PING, PONG, RawClient, TEXT } from "./websocket_wire.ts";

export const utf8: TextEncoder = new TextEncoder();
const CONTINUATION = 0;
export const NORMAL = 1000;
export const PROTOCOL_ERROR = 1002;
export const INVALID_DATA = 1007;
export const NONE = 1005;
export const HELLO = "Hello, world!";

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? utf8.encode(payload) : payload;
}

export function text(payload: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: TEXT, payload: bytesOf(payload), ...more };
}

export function binary(payload: Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: BINARY, payload, ...more };
}

/** The first piece of a text. */
export function begin(payload: string | Uint8Array): Frame {
  return text(payload, { fin: false });
}

export function goOn(payload: string | Uint8Array, fin = false): Frame {
  return { opcode: CONTINUATION, payload: bytesOf(payload), fin };
}

export function ping(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: PING, payload: bytesOf(payload), ...more };
}

export function pong(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: PONG, payload: bytesOf(payload), ...more };
}

export function close(code: number, reason: string | Uint8Array = ""): Frame {
  return { opcode: CLOSE, payload: Uint8Array.from([code >> 8, code & 255, ...bytesOf(reason)]) };
}

/** The same message in pieces of so many bytes. */
export function pieces({ opcode, payload }: Frame, size: number): Frame[] {
  const count = Math.max(1, Math.ceil(payload.length / size));
  return Array.from({ length: count }, (_, i) => ({
    opcode: i === 0 ? opcode : CONTINUATION,
    payload: payload.subarray(i * size, (i + 1) * size),
    fin: i === count - 1,
  }));
}

export function hex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** How frames leave: at once, each by itself, or in pieces of so many bytes that have nothing to do with them. */
type Cut = "together" | "frames" | number;

export interface Case {
  readonly title: string;
  readonly send: readonly Frame[];
  /** What comes back, in this order, before the end. */
  readonly get?: readonly Frame[];
  /** The code by which the server closes; where nothing is said the client does, normally, once it has all. */
  readonly closes?: number;
  readonly cut?: Cut;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function send({ stream }: RawClient, frames: readonly Frame[], cut: Cut): Promise<void> {
  const parts = frames.map((one) => frame(one));
  if (cut === "frames") {
    for (const part of parts) {
      await stream.writeAll(part);
      await sleep(2);
    }
    return;
  }
  const bytes = joined(parts);
  if (cut === "together") return await stream.writeAll(bytes);
  for (let at = 0; at < bytes.length; at += cut) {
    await stream.writeAll(bytes.subarray(at, at + cut));
    await sleep(0);
  }
}

export async function play(
  server: HttpServer,
  { send: sent, get = [], closes, cut = "together" }: Case,
): Promise<void> {
  using client = await RawClient.open(server);
  // A server that has refused what came does not read on.
  const sending = send(client, sent, cut).catch((error) => {
    if (closes === undefined) throw error;
  });
  for (const { opcode, payload } of get) {
    const found = await client.next();
    assertEquals([found?.opcode, found?.fin, found?.rsv], [opcode, true, 0]);
    assertEquals(found?.payload, payload);
  }
  await sending;
  if (closes === undefined) await client.send(close(NORMAL));
  // Nothing else comes before it, and nothing after.
  const last = await client.next();
  assertStrictEquals(last?.opcode, CLOSE);
  const [high, low] = last.payload;
  assertStrictEquals(low === undefined ? NONE : high << 8 | low, closes ?? NORMAL);
  await client.stream.shutdown("write").toPromise().catch(() => undefined);
  assertStrictEquals(await client.next(), undefined);
}

export function echoing(
  body: (server: HttpServer) => Promise<void>,
  options: UpgradeWebSocketOptions = {},
): Promise<void> {
  return serving(
    (request) => {
      const { socket, response } = upgradeWebSocket(request, options);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    },
    {},
    body,
  );
}

export function passes(cases: readonly Case[]): void {
  for (const one of cases) it(one.title, () => echoing((server) => play(server, one)));
}

/** What is sent comes back. */
export function echoed(title: string, message: Frame, cut: Cut = "together"): Case {
  return { title, send: [message], get: [message], cut };
}

export const BYTES: Uint8Array = hex("00fffefdfcfb00ff");
export const STARS = (length: number): string => "*".repeat(length);
export const FES = (length: number): Uint8Array => new Uint8Array(length).fill(0xfe);

export const SAID: readonly Frame[] = [text(HELLO)];

/** Greek, some ASCII, and both with a surrogate between them, which is no UTF-8. */
export const GREEK: Uint8Array = hex("cebae1bdb9cf83cebccebaceb5");
export const EDITED: Uint8Array = hex("656469746564");
export const AFTER: Uint8Array = joined([GREEK, hex("eda080"), EDITED]);
