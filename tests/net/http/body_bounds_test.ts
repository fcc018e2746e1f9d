/**
 * How many bytes of a body a server holds, counted at each system call: what it took of the kernel and its handler does
 * not have yet, and what it took of its handler and the kernel does not have yet.
 */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type HttpServer, serve, serveLean } from "../../../lib/net/http.ts";
import { type NetAddress, TcpStream } from "../../../lib/net/mod.ts";
import { SocketStream } from "../../../lib/net/socket_stream.ts";
import { run, spawn } from "../../../lib/task/mod.ts";
import { encoder, readAll } from "./client.ts";
import { tiered } from "../../tier.ts";

/** More than any kernel's buffers hold where nobody reads. */
const TOTAL = 100_000_000;
/** Of a body that is read. */
const UPLOADED = tiered({ quick: 20_000_000, full: TOTAL, soak: TOTAL });
const MOST_HELD = 65536;
/** Client and server share the thread, and take long turns. */
const QUIET = { slowPoll: false } as const;
/** A slow reader waits as often. */
const PAUSES = 100;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Has `seen` called with what each call of the server's took of the kernel, and with what each gave to it: the clients
 * here read and write by other methods.
 */
async function watching(
  seen: { received?: (count: number) => void; sent?: (count: number) => void },
  body: () => Promise<void>,
): Promise<void> {
  const { tryRead, tryWrite } = SocketStream.prototype;
  SocketStream.prototype.tryRead = function (...args): number {
    const count = tryRead.apply(this, args);
    if (count > 0) seen.received?.(count);
    return count;
  };
  SocketStream.prototype.tryWrite = function (...args): number {
    const count = tryWrite.apply(this, args);
    if (count > 0) seen.sent?.(count);
    return count;
  };
  try {
    await body();
  } finally {
    SocketStream.prototype.tryRead = tryRead;
    SocketStream.prototype.tryWrite = tryWrite;
  }
}

/** How a body is sent. */
interface Framing {
  readonly name: string;
  /** The header field. */
  readonly field: string;
  /** Data in a chunk; all of it where there are none. */
  readonly chunk: number;
}

const FRAMINGS: readonly Framing[] = [
  { name: "by its length", field: `Content-Length: ${UPLOADED}`, chunk: UPLOADED },
  { name: "in chunks of 3,000 bytes", field: "Transfer-Encoding: chunked", chunk: 3_000 },
  { name: "in chunks of 40,000 bytes", field: "Transfer-Encoding: chunked", chunk: 40_000 },
];

function isChunked({ chunk }: Framing): boolean {
  return chunk < UPLOADED;
}

function headOf({ field }: Framing): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${field}\r\n\r\n`;
}

function sizeLine({ chunk }: Framing): string {
  return `${chunk.toString(16)}\r\n`;
}

/** Bytes of the request up to there in its body, each chunk's end among them. */
function wireLength(framing: Framing, data: number): number {
  const { chunk } = framing;
  const head = headOf(framing).length;
  if (!isChunked(framing)) return head + data;
  return head + data + Math.ceil(data / chunk) * sizeLine(framing).length + Math.floor(data / chunk) * 2;
}

/** Sends the request whose body is `UPLOADED` bytes. */
async function upload(address: NetAddress, framing: Framing): Promise<string> {
  using stream = await TcpStream.connect(address);
  const { chunk } = framing;
  // One write of many chunks, or of many bytes.
  const unit = isChunked(framing) ? sizeLine(framing) + "x".repeat(chunk) + "\r\n" : "x".repeat(20_000);
  const data = isChunked(framing) ? chunk : 20_000;
  const times = Math.floor(UPLOADED / data);
  const together = 50;
  const many = encoder.encode(unit.repeat(together));
  const one = encoder.encode(unit);
  // The head and the first of its body come at once.
  await stream.writeAll(encoder.encode(headOf(framing) + unit));
  let sent = 1;
  for (; sent + together <= times; sent += together) await stream.writeAll(many);
  for (; sent < times; sent++) await stream.writeAll(one);
  const rest = UPLOADED - times * data;
  if (isChunked(framing)) {
    const last = rest === 0 ? "" : `${rest.toString(16)}\r\n${"x".repeat(rest)}\r\n`;
    await stream.writeAll(encoder.encode(`${last}0\r\n\r\n`));
  } else {
    await stream.writeAll(new Uint8Array(rest));
  }
  return await readAll(stream);
}

/** Takes the parts of a body: how long it was. */
type Take = (parts: AsyncIterable<Uint8Array>) => Promise<number>;

/** Servers of both kinds, whose handler has the parts taken. */
const SERVERS: readonly { name: string; open: (take: Take) => HttpServer }[] = [
  {
    name: "serve",
    open: (take) =>
      serve(async ({ body }) => {
        assert(body !== null);
        return new Response(String(await take(body)));
      }, { port: 0 }),
  },
  {
    name: "serveLean",
    open: (take) =>
      serveLean(async (request, response) => {
        async function* parts(): AsyncGenerator<Uint8Array> {
          for (let part = await request.read(); part !== null; part = await request.read()) yield part;
        }
        response.end(String(await take(parts())));
      }, { port: 0 }),
  },
];

describe(`what a server holds of a body of ${UPLOADED / 1e6} MB`, () => {
  for (const { name, open } of SERVERS) {
    for (const framing of FRAMINGS) {
      for (const isSlow of [false, true]) {
        const reader = isSlow ? "that reads slowly" : "that reads as fast as it can";
        it(`is never more than 64 KiB for a handler of ${name} ${reader}, sent ${framing.name}`, () => {
          let received = 0;
          let given = 0;
          let most = 0;
          const look = (): void => {
            most = Math.max(most, received - wireLength(framing, given));
          };
          const take: Take = async (parts) => {
            let next = 0;
            // What came with the head waits for who begins to read it.
            if (isSlow) await pause(5);
            for await (const part of parts) {
              // Until here it was on its way to the handler, and held.
              look();
              given += part.length;
              if (!isSlow || given < next) continue;
              next += UPLOADED / PAUSES;
              await pause(1);
            }
            return given;
          };
          return run(() =>
            watching({
              received: (count) => {
                received += count;
                look();
              },
            }, async () => {
              await using server = open(take);
              const answer = await upload(server.address, framing);
              assertEquals(answer.slice(answer.indexOf("\r\n\r\n") + 4), String(UPLOADED));
              assert(received >= wireLength(framing, UPLOADED), `${received} bytes were seen`);
              assert(most <= MOST_HELD, `${most} bytes`);
            }), QUIET);
        });
      }
    }
  }

  it("is what came with the head, where the handler reads none of it", () =>
    run(() => {
      let received = 0;
      return watching({ received: (count) => received += count }, async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        await using server = serve(async () => {
          await promise;
          return new Response("none");
        }, { port: 0 });
        const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOTAL}\r\n\r\n`;
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(head));
        const writing = spawn(() => stream.writeAll(new Uint8Array(TOTAL)));
        // As much as the kernel takes is under way.
        await pause(300);
        assert(received > 0 && received <= MOST_HELD, `${received} bytes`);
        writing.abort();
        resolve();
      });
    }, QUIET));
});

describe("what a server holds of a streamed answer of 100 MB", () => {
  for (const size of [10_000, 65_536, 1_000_000]) {
    it(`is no more than two parts of ${size} bytes while its client never reads, and while it does`, () =>
      run(() => {
        let taken = 0;
        let sent = 0;
        let most = 0;
        const look = (): void => {
          most = Math.max(most, taken - sent);
        };
        const part = new Uint8Array(size);
        const count = Math.ceil(TOTAL / size);
        const open = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
          // It has no queue of its own: what is pulled is the server's.
          new ReadableStream({
            pull(controller) {
              if (taken === count * size) return controller.close();
              taken += size;
              look();
              controller.enqueue(part);
            },
          }, { highWaterMark: 0 });
        return watching({ sent: (bytes) => sent += bytes }, async () => {
          const length = String(count * size);
          await using server = serve(
            () => new Response(open(), { headers: { "content-length": length } }),
            { port: 0 },
          );
          using stream = await TcpStream.connect(server.address);
          await stream.writeAll(encoder.encode("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
          let before = -1;
          while (taken === 0 || taken !== before) {
            before = taken;
            await pause(100);
          }
          assert(taken < count * size, "the kernel took all of it");
          assert(most <= 2 * size, `${most} bytes while nobody reads`);
          const bytes = new Uint8Array(1 << 20);
          let read = 0;
          for (let got = -1; got !== 0; read += got) got = await stream.read(bytes);
          assert(read > count * size, `${read} bytes were read`);
          assert(most <= 2 * size, `${most} bytes while the client reads`);
        });
      }, QUIET));
  }
});
