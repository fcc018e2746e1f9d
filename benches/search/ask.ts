/**
 * Clients of the search server: coroutines that each keep a connection, ask, check the answer, and only then
 * ask again.
 *
 * @module
 */
import { TcpStream } from "../../lib/net/mod.ts";
import { type Coroutine, run, spawn } from "../../lib/task/mod.ts";

const HOSTNAME = "127.0.0.1";
const decoder = new TextDecoder();
const encoder = new TextEncoder();

interface Asked {
  readonly port: number;
  readonly queries: readonly string[];
  /** The next query of all clients. */
  next: number;
  /** Milliseconds of each answer. */
  readonly times: number[];
}

/** The answer's body, as soon as all of it is in the first `end` bytes. */
function bodyOf(bytes: Uint8Array, end: number): string | undefined {
  const text = decoder.decode(bytes.subarray(0, end));
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return undefined;
  if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(`not answered: ${text.slice(0, 200)}`);
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(text)?.[1]);
  return end < head + 4 + length ? undefined : text.slice(head + 4);
}

function* client(asked: Asked): Coroutine<void> {
  using stream = yield* TcpStream.connect({ hostname: HOSTNAME, port: asked.port });
  const bytes = new Uint8Array(1 << 18);
  while (asked.next < asked.queries.length) {
    const query = asked.queries[asked.next++];
    const start = performance.now();
    yield* stream.writeAll(
      encoder.encode(`GET /search?q=${encodeURIComponent(query)} HTTP/1.1\r\nHost: ${HOSTNAME}\r\n\r\n`),
    );
    let end = 0;
    let body: string | undefined;
    while (body === undefined) {
      const count = yield* stream.read(bytes.subarray(end));
      if (count === 0) throw new Error("the server closed a connection");
      end += count;
      body = bodyOf(bytes, end);
    }
    asked.times.push(performance.now() - start);
    const answer: unknown = JSON.parse(body);
    const isRight = typeof answer === "object" && answer !== null && "query" in answer &&
      answer.query === query &&
      "hits" in answer && Array.isArray(answer.hits) && answer.hits.length === 10;
    if (!isRight) throw new Error(`a wrong answer to ${query}: ${body.slice(0, 200)}`);
  }
}

/** Asks every query once, over so many connections at a time. Milliseconds of each, and of all. */
export async function askAll(
  port: number,
  connections: number,
  queries: readonly string[],
): Promise<{ times: number[]; ms: number }> {
  const asked: Asked = { port, queries, next: 0, times: [] };
  const start = performance.now();
  await run(async () => {
    for (const handle of Array.from({ length: connections }, () => spawn(client, asked))) await handle;
  });
  return { times: asked.times, ms: performance.now() - start };
}
