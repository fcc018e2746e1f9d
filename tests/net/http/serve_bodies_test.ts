import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { WouldBlock } from "../../../lib/io/fd.ts";
import { Connection } from "../../../lib/net/http/connection.ts";
import { Server } from "../../../lib/net/http/server.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { sleep } from "../../../lib/task/mod.ts";
import {
  encoder,
  exchange,
  hello,
  HUNDRED_TURNS,
  LAST_GET,
  passTurns,
  readAll,
  serving,
  statusOf,
} from "./client.ts";

describe("the body of a request", () => {
  it("tells a client that waits for it to send its body", () =>
    serving(async (request) => new Response(await request.text()), {}, async (server) => {
      using stream = await TcpStream.connect(server.address);
      const head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
      await stream.writeAll(encoder.encode(head));
      const first = new Uint8Array(100);
      const count = await stream.read(first);
      assertEquals(new TextDecoder().decode(first.subarray(0, count)), "HTTP/1.1 100 Continue\r\n\r\n");
      await stream.writeAll(encoder.encode("abc"));
      assert((await readAll(stream)).endsWith("\r\n\r\nabc"));
    }));

  it("goes on with the connection where the handler left the body unread", () =>
    serving(hello, {}, async (server) => {
      const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + "x".repeat(1000);
      const answer = await exchange(server, post + LAST_GET);
      assertEquals(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    }));

  it("gives a body read too late none of the next request's", async () => {
    const late = Promise.withResolvers<string>();
    await serving(
      async (request) => {
        if (request.url.endsWith("/first")) {
          setTimeout(() => request.text().then(late.resolve, (error) => late.resolve(String(error))), 20);
          return hello();
        }
        await new Promise((resolve) => setTimeout(resolve, 60));
        return new Response(await request.text());
      },
      {},
      async (server) => {
        const post = (path: string, body: string, more = "") =>
          `POST ${path} HTTP/1.1\r\nHost: a\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
        const answer = await exchange(
          server,
          post("/first", "mine") + post("/second", "secret", "Connection: close\r\n"),
        );
        assert(answer.endsWith("\r\n\r\nsecret"));
      },
    );
    assertStringIncludes(await late.promise, "TypeError");
  });

  it("does not count a handler's work as a slow body", () => {
    let work = (): void => {};
    return serving(
      async (request) => {
        const text = await request.text();
        work();
        await new Promise((resolve) => setTimeout(resolve));
        return new Response(text);
      },
      { timeouts: { body: HUNDRED_TURNS } },
      async (server) => {
        work = () => passTurns(server, 110);
        using stream = await TcpStream.connect(server.address);
        const head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\n";
        await stream.writeAll(encoder.encode(`${head}abc`));
        await sleep(5);
        await stream.writeAll(encoder.encode("def"));
        assert((await readAll(stream)).endsWith("\r\n\r\nabcdef"));
      },
    );
  });

  it("sends a request's body back as it comes", () =>
    serving((request) => new Response(request.body), {}, async (server) => {
      const body = "x".repeat(500_000);
      const post =
        `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      using stream = await TcpStream.connect(server.address);
      const answered = readAll(stream);
      await stream.writeAll(encoder.encode(post));
      const answer = await answered;
      assertEquals(answer.slice(answer.indexOf("\r\n\r\n")).replace(/[^x]+/g, "").length, body.length);
    }));

  it("refuses a chunked body that grows over the limit while its handler reads it", () =>
    serving(
      async (request) => new Response(await request.text()),
      { limits: { body: 1000 } },
      async (server) => {
        const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        const answer = await exchange(
          server,
          `${head}1f4\r\n${"a".repeat(500)}\r\n1f5\r\n${"a".repeat(501)}\r\n0\r\n\r\n`,
        );
        assertEquals(statusOf(answer), 413);
      },
    ));

  it("streams an upload of 100 MB, of which little is in memory at a time", () => {
    const part = new Uint8Array(1 << 20);
    let largest = 0;
    return serving(
      async (request) => {
        let total = 0;
        for await (const bytes of request.body ?? []) {
          total += bytes.length;
          largest = Math.max(largest, bytes.buffer.byteLength);
        }
        return new Response(String(total));
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${
          100 << 20
        }\r\n\r\n`;
        await stream.writeAll(encoder.encode(head));
        for (let sent = 0; sent < 100; sent++) await stream.writeAll(part);
        assert((await readAll(stream)).endsWith(`\r\n\r\n${100 << 20}`));
        assert(largest > 0 && largest <= 1 << 16);
      },
    );
  });

  it("does not tell a client to go on whose body nobody reads, and closes", () =>
    serving(hello, {}, async (server) => {
      const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
      const answer = await exchange(server, head);
      assertEquals(statusOf(answer), 200);
      assert(!answer.includes("100 Continue"));
    }));

  it("tells a second reader of a body that it is being read", () =>
    serving(
      async (request) => {
        const reader = request.text();
        await Promise.resolve();
        const second = await request.text().catch((error: unknown) => String(error));
        return new Response(`${await reader} ${second}`);
      },
      {},
      async (server) => {
        const head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
        assertMatch(await exchange(server, `${head}abc`), /\r\n\r\nabc TypeError: /);
      },
    ));

  it("rejects the reader of a body whose client goes away", async () => {
    const failed = Promise.withResolvers<string>();
    await serving(
      async (request) => {
        await request.text().catch((error: unknown) => failed.resolve(String(error)));
        return hello();
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"));
        await sleep(10);
      },
    );
    assertMatch(await failed.promise, /closed the connection|ECONNRESET/);
  });

  it("says that it closes where it answers a client that waits for 100 Continue, and skips what others have sent", () =>
    serving(hello, {}, async (server) => {
      const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
      const lengths = [["Content-Length: 3\r\n\r\n", "abc"], [
        "Transfer-Encoding: chunked\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
      ]];
      for (const [framing, body] of lengths) {
        const answer = await exchange(server, head + framing);
        assertStringIncludes(answer, "\r\nconnection: close\r\n");
        for (let sent = 1; sent < body.length; sent++) {
          using stream = await TcpStream.connect(server.address);
          await stream.writeAll(encoder.encode(head + framing + body.slice(0, sent)));
          const into = new Uint8Array(1000);
          const first = new TextDecoder().decode(into.subarray(0, await stream.read(into)));
          assert(first.startsWith("HTTP/1.1 200 ") && !first.includes("connection: close"));
          await stream.writeAll(encoder.encode(body.slice(sent) + LAST_GET));
          assertEquals(statusOf(await readAll(stream)), 200);
        }
      }
    }));

  it("tells a client that it may send once there is room to tell it", () => {
    const junk = new NativeBuffer(65536);
    let fill = (): void => undefined;
    return serving(
      (request) => {
        fill();
        return request.text().then((text) => new Response(text));
      },
      {},
      async (server) => {
        assert(server instanceof Server);
        const { deadlines } = server;
        fill = () => {
          for (const connection of deadlines.all()) {
            assert(connection instanceof Connection);
            while (connection.stream.tryWrite(junk) !== WouldBlock);
          }
        };
        using stream = await TcpStream.connect(server.address);
        const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n";
        await stream.writeAll(encoder.encode(`${head}Connection: close\r\n\r\n`));
        const into = new Uint8Array(65536);
        for (let text = ""; !text.endsWith("HTTP/1.1 100 Continue\r\n\r\n");) {
          text = text.slice(-25) + new TextDecoder().decode(into.subarray(0, await stream.read(into)));
        }
        await stream.writeAll(encoder.encode("abc"));
        assert((await readAll(stream)).endsWith("\r\n\r\nabc"));
      },
    );
  });
});
