import { assert } from "@std/assert";
import { type Handler, type HttpServer, serve, type ServeOptions } from "../../../lib/net/http.ts";
import { Server } from "../../../lib/net/http/server.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run } from "../../../lib/task/mod.ts";

export const encoder: TextEncoder = new TextEncoder();

export function hello(): Response {
  return new Response("hello");
}

/** A server on a port of its own, for as long as `body` runs. */
export function serving(
  handler: Handler,
  options: ServeOptions,
  body: (server: HttpServer) => Promise<void>,
): Promise<void> {
  return run(async () => {
    await using server = serve(handler, { port: 0, ...options });
    await body(server);
    await server.shutdown({ deadline: 100 });
  });
}

/** A limit of a hundred turns of the sweeper, of half a second each: no test waits for so long. */
export const HUNDRED_TURNS = 50_000;

/** The server's connections in a phase. */
export function connectionsIn(server: HttpServer, phase: number): number {
  assert(server instanceof Server);
  return server.deadlines.in(phase).length;
}

/** Lets the time of so many turns of the sweeper pass, at once. */
export function passTurns(server: HttpServer, turns: number): void {
  assert(server instanceof Server);
  for (let i = 0; i < turns; i++) server.sweep();
}

/** Everything that the server sends, until it closes. */
export async function readAll(stream: TcpStream): Promise<string> {
  const bytes = new Uint8Array(65536);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const count = await stream.read(bytes);
    if (count === 0) return text;
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
  }
}

/** What the server sends to `request`, until it closes. */
export async function exchange(server: HttpServer, request: string): Promise<string> {
  using stream = await TcpStream.connect(server.address);
  await stream.writeAll(encoder.encode(request));
  return await readAll(stream);
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

export const GET: string = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
export const LAST_GET: string = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
