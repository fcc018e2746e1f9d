import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import type { HttpServer } from "../../../lib/net/http.ts";
import { HEAD, WRITING } from "../../../lib/net/http/deadlines.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { sleep } from "../../../lib/task/mod.ts";
import {
  connectionsIn,
  encoder,
  exchange,
  GET,
  hello,
  HUNDRED_TURNS,
  LAST_GET,
  passTurns,
  readAll,
  serving,
  statusOf,
} from "./client.ts";

/** Lets the time of so many turns of the sweeper pass, once a client is in that phase. */
async function passIn(server: HttpServer, phase: number, turns: number): Promise<void> {
  while (connectionsIn(server, phase) === 0) await sleep(1);
  passTurns(server, turns);
}

describe("the limits of a client", () => {
  it("tells a client that is too slow with a head or a body 408", () =>
    serving(
      async (request) => new Response(await request.text()),
      { timeouts: { head: 40, body: 40 } },
      async (server) => {
        assertEquals(statusOf(await exchange(server, "GET / HTTP/1.1\r\nHo")), 408);
        const half = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";
        assertEquals(statusOf(await exchange(server, half)), 408);
      },
    ));

  it("counts the time of a head from its first byte, however often another follows", () =>
    serving(hello, { timeouts: { head: 60 } }, async (server) => {
      using stream = await TcpStream.connect(server.address);
      // The close may be a reset, as bytes were still on their way; nobody must miss the rejection.
      const answered = readAll(stream).catch((error: unknown) => {
        assert(error instanceof SystemError && error.code === "ECONNRESET");
        return "";
      });
      let isAnswered = false;
      answered.then(() => isAnswered = true, () => isAnswered = true);
      for (let i = 0; i < 1000 && !isAnswered; i++) {
        await sleep(5);
        try {
          await stream.writeAll(encoder.encode("a"));
        } catch (error) {
          assert(error instanceof SystemError);
          break;
        }
      }
      const answer = await answered;
      assertMatch(answer, /^(HTTP\/1\.1 408 |$)/);
    }));

  it("closes a connection that is idle for too long, without a word", () =>
    serving(hello, { timeouts: { idle: 40 } }, async (server) => {
      assertEquals(await exchange(server, ""), "");
    }));

  it("tells connections beyond maxConnections 503", () =>
    serving(hello, { maxConnections: 1 }, async (server) => {
      using first = await TcpStream.connect(server.address);
      await first.writeAll(encoder.encode(GET));
      assert(await first.read(new Uint8Array(1000)) > 0);
      assertEquals(statusOf(await exchange(server, "")), 503);
    }));

  it("goes on accepting after clients that were turned away had reset their connections", () =>
    serving(hello, { maxConnections: 1 }, async (server) => {
      {
        using held = await TcpStream.connect(server.address);
        await held.writeAll(encoder.encode(GET));
        assert(await held.read(new Uint8Array(1000)) > 0);
        for (let i = 0; i < 200; i++) {
          using turned = await TcpStream.connect(server.address);
          await turned.writeAll(encoder.encode(GET));
        }
        await sleep(20);
      }
      await sleep(20);
      assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
    }));

  it("lets a client hear 408 and 503 that sends on meanwhile: it is not reset", () =>
    serving(hello, { timeouts: { head: HUNDRED_TURNS }, maxConnections: 1 }, async (server) => {
      using slow = await TcpStream.connect(server.address);
      await slow.writeAll(encoder.encode("GET / HTTP/1.1\r\n"));
      await passIn(server, HEAD, 100);
      while (connectionsIn(server, HEAD) > 0) passTurns(server, 1);
      using turned = await TcpStream.connect(server.address);
      for (const [stream, status] of [[slow, 408], [turned, 503]] as const) {
        await stream.writeAll(encoder.encode("x: y\r\n".repeat(1000)));
        await sleep(5);
        assertEquals(statusOf(await readAll(stream)), status);
      }
    }));

  it("cuts a client that takes nothing of its answer", () =>
    serving(
      () => new Response(new Uint8Array(32 << 20)),
      { timeouts: { write: HUNDRED_TURNS } },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        await passIn(server, WRITING, 110);
        const answer = await readAll(stream).catch((error: unknown) => {
          assert(error instanceof SystemError && error.code === "ECONNRESET");
          return "";
        });
        assert(answer.length < 32 << 20);
      },
    ));

  it("counts the time of each head by itself where the next begins in the bytes that end one", () =>
    serving(hello, { timeouts: { head: HUNDRED_TURNS } }, async (server) => {
      using stream = await TcpStream.connect(server.address);
      const into = new Uint8Array(1000);
      await stream.writeAll(encoder.encode(GET.slice(0, 10)));
      for (let i = 0; i < 4; i++) {
        await passIn(server, HEAD, 70);
        await stream.writeAll(encoder.encode(GET.slice(10) + GET.slice(0, 10)));
        const count = await stream.read(into);
        assertEquals(statusOf(new TextDecoder().decode(into.subarray(0, count))), 200);
      }
    }));

  it("says why in the answer to a head that is too slow, behind a request that was a HEAD", () =>
    serving(hello, { timeouts: { head: HUNDRED_TURNS } }, async (server) => {
      using stream = await TcpStream.connect(server.address);
      await stream.writeAll(encoder.encode(GET.replace("GET", "HEAD") + GET.slice(0, 10)));
      await passIn(server, HEAD, 110);
      const answer = await readAll(stream);
      assert(answer.endsWith("\r\n\r\nthe request did not come in time\n"));
    }));
});
