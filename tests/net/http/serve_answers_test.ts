import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { serve, StaticResponse } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { unlessIpv6 } from "../ipv6.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./client.ts";

describe("serve()", () => {
  it("answers a request with what the handler gives", () =>
    serving(
      (request) => new Response(`${request.method} ${request.url}`, { headers: { "x-a": "b" } }),
      {},
      async (server) => {
        const answer = await exchange(
          server,
          "GET /p?q=1 HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n\r\n",
        );
        assertEquals(statusOf(answer), 200);
        assertStringIncludes(answer, "\r\nx-a: b\r\n");
        assertStringIncludes(answer, "\r\ncontent-length: 20\r\n");
        assert(answer.endsWith("\r\n\r\nGET http://h:1/p?q=1"));
      },
    ));

  it(
    "names its address to a client that names none, without the link's interface",
    { skip: unlessIpv6() },
    () =>
      serving(
        (request) => new Response(new URL(request.url).host),
        { hostname: "::1%lo" },
        async (server) => {
          const answer = await exchange(server, "GET /p HTTP/1.0\r\n\r\n");
          assert(answer.endsWith(`\r\n\r\n[::1]:${server.address.port}`));
        },
      ),
  );

  it("answers the host's own fetch, several times over a connection", () =>
    serving(async (request) => new Response((await request.text()).toUpperCase()), {}, async (server) => {
      for (let i = 0; i < 5; i++) {
        const url = `http://127.0.0.1:${server.address.port}/`;
        const response = await fetch(url, { method: "POST", body: `body ${i}` });
        assertEquals(await response.text(), `BODY ${i}`);
      }
    }));

  it("answers pipelined requests in their order", () =>
    serving(
      async (request) => {
        const { pathname } = new URL(request.url);
        await new Promise((resolve) => setTimeout(resolve, pathname === "/0" ? 5 : 0));
        return new Response(pathname);
      },
      {},
      async (server) => {
        const requests = [0, 1, 2, 3].map((i) => GET.replace("/", `/${i}`)).join("") +
          LAST_GET.replace("/", "/last");
        const answer = await exchange(server, requests);
        assertEquals([...answer.matchAll(/\r\n\r\n\/(\d|last)/g)].map(([, path]) => path), [
          "0",
          "1",
          "2",
          "3",
          "last",
        ]);
      },
    ));

  it("answers a request that comes a byte at a time", () =>
    serving(hello, {}, async (server) => {
      using stream = await TcpStream.connect(server.address);
      for (const byte of encoder.encode(LAST_GET)) {
        await stream.writeAll(Uint8Array.of(byte));
        await sleep(0);
      }
      assertEquals(statusOf(await readAll(stream)), 200);
    }));

  it("sends the fields of an answer whatever its size, its request and its version", () =>
    serving(
      (request) => {
        const body = "a".repeat(Number(new URL(request.url).searchParams.get("length")));
        return request.url.includes("json") ? Response.json(body) : new Response(body);
      },
      {},
      async (server) => {
        for (const length of [0, 5, 60, 70, 65_000, 66_000, 200_000]) {
          for (const [path, type] of [["text", "text/plain;charset=utf-8"], ["json", "application/json"]]) {
            for (const method of ["GET", "HEAD"]) {
              for (const version of ["1.0", "1.1"]) {
                const first = `${method} /${path}?length=${length} HTTP/${version}\r\nHost: a\r\n` +
                  "Connection: keep-alive\r\n\r\n";
                const answer = await exchange(server, first + LAST_GET);
                const size = path === "json" ? length + 2 : length;
                assertEquals(answer.toLowerCase().match(/content-type: .*/)?.[0], `content-type: ${type}`);
                assertEquals(answer.match(/content-length: .*/)?.[0], `content-length: ${size}`);
                assertEquals(answer.match(/date: /g)?.length, 2);
              }
            }
          }
        }
      },
    ));

  it("answers HEAD without a body", () =>
    serving(hello, {}, async (server) => {
      const answer = await exchange(server, LAST_GET.replace("GET", "HEAD"));
      assertStringIncludes(answer, "\r\ncontent-length: 5\r\n");
      assert(answer.endsWith("\r\n\r\n"));
    }));

  it("sends a stream in chunks, and a body of many megabytes whole, to a client that reads late", () => {
    const megabytes = new Uint8Array(20 << 20).fill(97);
    return serving(
      (request) => {
        if (request.url.endsWith("/whole")) return new Response(megabytes);
        return new Response(
          new ReadableStream({
            async start(controller) {
              for (const part of ["one", "two", "three"]) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(encoder.encode(part));
              }
              controller.close();
            },
          }),
        );
      },
      {},
      async (server) => {
        const streamed = await exchange(server, LAST_GET);
        assertStringIncludes(streamed, "\r\ntransfer-encoding: chunked\r\n");
        assert(streamed.endsWith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"));
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(LAST_GET.replace("/", "/whole")));
        await sleep(50);
        const whole = await readAll(stream);
        assertEquals(whole.slice(whole.indexOf("\r\n\r\n")).replace(/[^a]+/g, "").length, megabytes.length);
      },
    );
  });

  it("frames an answer that just fills its buffer, with a head beyond ASCII", () =>
    serving(
      (request) => {
        if (request.url.endsWith("/next")) return hello();
        const length = Number(new URL(request.url).searchParams.get("length"));
        return new StaticResponse("a".repeat(length), { headers: { "x-name": "caf\xe9" } });
      },
      {},
      async (server) => {
        for (let length = 65_350; length < 65_450; length++) {
          const answer = await exchange(
            server,
            GET.replace("/", `/?length=${length}`) + LAST_GET.replace("/", "/next"),
          );
          const [, body] = /\r\n\r\n(a*)HTTP\/1\.1 200 OK\r\n/.exec(answer) ?? [];
          assertEquals(body?.length, length);
        }
      },
    ));

  it("lives in the host's loop where no runtime runs", async () => {
    const server = serve(hello, { port: 0 });
    const response = await fetch(`http://127.0.0.1:${server.address.port}/`);
    assertEquals(response.status, 200);
    await response.body?.cancel();
    await server.shutdown();
  });

  it("says which port is taken", () =>
    serving(hello, {}, async (server) => {
      const error = assertThrows(
        () => serve(hello, { port: server.address.port }),
        SystemError,
        String(server.address.port),
      );
      assertEquals(error.code, "EADDRINUSE");
      await Promise.resolve();
    }));

  it("refuses options that are none before it listens", () =>
    run(async () => {
      for (const options of [{ timeouts: { idle: NaN } }, { maxConnections: 0 }, { limits: { body: -1 } }]) {
        assertThrows(() => serve(hello, { port: 0, ...options }), RangeError);
      }
      for (const options of [{ timeouts: { idel: 1 } }, { limits: { bodies: 1 } }, { limits: null }]) {
        assertThrows(() => Reflect.apply(serve, undefined, [hello, { port: 0, ...options }]), TypeError);
      }
      const server = serve(hello, { port: 0, limits: { body: undefined } });
      assertThrows(() => server.shutdown({ deadline: NaN }), RangeError, "deadline");
      await server.shutdown();
    }));
});
