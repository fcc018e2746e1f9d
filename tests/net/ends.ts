/** The two ends of a connection, and what goes between them, for tests of both. */
import { Buffer } from "node:buffer";
import process from "node:process";
import {
  type AsyncRead,
  type AsyncWrite,
  type NetAddress,
  TcpListener,
  TcpStream,
} from "../../lib/net/mod.ts";
import { type Coroutine, sleep } from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";

/** The kernel chooses the port. */
export const local: NetAddress = { hostname: "127.0.0.1", port: 0 };

/** A name of the abstract namespace that nobody else has. */
export function abstractName(): string {
  return `oxbow-test-${process.pid}-${crypto.randomUUID()}`;
}

export function closeAll(closed: readonly { close(): void }[]): void {
  for (const one of closed) one.close();
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Until the runtime has slept in the host's loop, for which it opens descriptors of its own, once. */
export async function slept(): Promise<void> {
  const runtime = currentRuntime();
  // Where it polls, or may load no code, it never does.
  for (let i = 0; runtime.hostSleeps === 0 && i < 50; i++) await sleep(20);
}

/** Bytes that are not the same elsewhere. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

/** The end of a connection that gives back what it is given, as a coroutine. */
export function* echo(stream: TcpStream, size = 4096): Coroutine<number> {
  using connection = stream;
  const bytes = new Uint8Array(size);
  let total = 0;
  for (;;) {
    const count = yield* connection.read(bytes);
    if (count === 0) return total;
    yield* connection.writeAll(bytes.subarray(0, count));
    total += count;
  }
}

/** As `echo`, as an async function. */
export async function asyncEcho(stream: TcpStream, size = 4096): Promise<number> {
  using connection = stream;
  const bytes = new Uint8Array(size);
  let total = 0;
  for (;;) {
    const count = await connection.read(bytes);
    if (count === 0) return total;
    await connection.writeAll(bytes.subarray(0, count));
    total += count;
  }
}

/** All that comes, up to the end. */
export function* readAll(stream: AsyncRead): Coroutine<Uint8Array> {
  const into = new Uint8Array(10_000);
  const parts: Uint8Array[] = [];
  for (;;) {
    const count = yield* stream.read(into);
    if (count === 0) return Uint8Array.from(Buffer.concat(parts));
    parts.push(into.slice(0, count));
  }
}

/** Writes them, then the end. */
export function* sendAll(stream: AsyncWrite, parts: readonly Uint8Array[]): Coroutine<void> {
  for (const part of parts) yield* stream.writeAll(part);
  yield* stream.shutdown();
}

/** The two ends of a connection. */
export async function pair(listener: TcpListener): Promise<[client: TcpStream, server: TcpStream]> {
  const client = await TcpStream.connect(listener.address);
  return [client, (await listener.accept()).stream];
}

/** A listener, and the connections that wait in its queue. */
export interface FullListener extends Disposable {
  readonly address: NetAddress;
  readonly isClosed: boolean;
}

/** One whose queue is full: who connects to it waits for an answer. */
export async function fullListener(at: NetAddress = local): Promise<FullListener> {
  const listener = TcpListener.bind(at, { backlog: 0 });
  const waiting: TcpStream[] = [];
  // One that comes too late may have been held up itself.
  for (let late = 0; late < 2;) {
    try {
      waiting.push(await TcpStream.connect(listener.address, { timeout: 50 }));
      late = 0;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      late++;
    }
  }
  return {
    address: listener.address,
    get isClosed() {
      return listener.isClosed;
    },
    [Symbol.dispose]() {
      for (const stream of waiting) stream.close();
      listener.close();
    },
  };
}
