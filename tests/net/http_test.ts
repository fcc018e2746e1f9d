import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { HttpError, serve, StaticResponse } from "../../lib/net/http.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./http/client.ts";
import { TcpStream } from "../../lib/net/mod.ts";
import { run, sleep } from "../../lib/task/mod.ts";

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

  it("answers HEAD without a body", () =>
    serving(hello, {}, async (server) => {
      const answer = await exchange(server, LAST_GET.replace("GET", "HEAD"));
      assertStringIncludes(answer, "\r\ncontent-length: 5\r\n");
      assert(answer.endsWith("\r\n\r\n"));
    }));

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

  it("answers 500 where the handler throws, by onError or by itself, and goes on", () => {
    const seen: unknown[] = [];
    const onError = (error: unknown) => {
      seen.push(error);
      return new Response("sorry", { status: 500 });
    };
    return serving(
      (request) => {
        if (request.url.endsWith("/late")) return Promise.reject(new Error("late"));
        if (request.url.endsWith("/")) return hello();
        throw new Error("at once");
      },
      { onError },
      async (server) => {
        const answer = await exchange(
          server,
          GET.replace("/", "/now") + GET.replace("/", "/late") + LAST_GET,
        );
        assertEquals([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), [
          "500",
          "500",
          "200",
        ]);
        assertEquals(seen.map(String), ["Error: at once", "Error: late"]);
      },
    );
  });

  const refused: [name: string, request: string, status: number][] = [
    ["nonsense", "hello\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
    [
      "both framings",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a request line of 1 MB", `GET /${"a".repeat(1 << 20)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ["a header of 1 MB", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(1 << 20)}\r\n\r\n`, 431],
    ["headers without end", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(100_000)}`, 431],
    ["a body over the limit", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413],
    ["another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
  ];
  for (const [name, request, status] of refused) {
    it(`refuses ${name} with ${status} and closes`, () =>
      serving(hello, { limits: { body: 1000 } }, async (server) => {
        const answer = await exchange(server, request);
        assertEquals(statusOf(answer), status);
        assertStringIncludes(answer, "\r\nconnection: close\r\n");
        assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
      }));
  }

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
      for (let i = 0; i < 1000 && !stream.isClosed; i++) {
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

  it("goes on after clients that go away in the middle of a head, a body and an answer", () =>
    serving(() => new Response(new Uint8Array(4 << 20)), {}, async (server) => {
      for (const part of ["GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123", GET]) {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(part));
        await sleep(5);
      }
      assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
    }));

  it("cuts a response whose stream breaks off, tells onError, and sends none of it to another client", () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => {
      errors.push(error);
      return hello();
    };
    return serving(
      (request) => {
        if (!request.url.endsWith("/broken")) return hello();
        return new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 1));
              controller.enqueue(encoder.encode("x".repeat(200_000)));
              controller.error(new Error("broken"));
            },
          }),
        );
      },
      { onError },
      async (server) => {
        const answer = await exchange(server, GET.replace("/", "/broken"));
        assert(!answer.endsWith("\r\n0\r\n\r\n"));
        assertEquals(errors.map(String), ["Error: broken"]);
        assert((await exchange(server, LAST_GET)).endsWith("\r\n\r\nhello"));
      },
    );
  });

  it("aborts the request's signal when the client was cut off", async () => {
    const aborted = Promise.withResolvers<unknown>();
    await serving(
      (request) => {
        request.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
        return new Promise<Response>(() => {});
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        await sleep(10);
        await server.shutdown({ deadline: 0 });
      },
    );
    assert(await aborted.promise instanceof DOMException);
  });

  it("tells connections beyond maxConnections 503", () =>
    serving(hello, { maxConnections: 1 }, async (server) => {
      using first = await TcpStream.connect(server.address);
      await first.writeAll(encoder.encode(GET));
      assert(await first.read(new Uint8Array(1000)) > 0);
      assertEquals(statusOf(await exchange(server, "")), 503);
    }));

  it("shuts down: idle connections close, one that is answered finishes, nobody connects", () =>
    run(async () => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      const server = serve(async () => {
        await gate;
        return hello();
      }, { port: 0 });
      using idle = await TcpStream.connect(server.address);
      using busy = await TcpStream.connect(server.address);
      await busy.writeAll(encoder.encode(GET));
      await sleep(10);
      const finished = server.shutdown();
      assertEquals(await readAll(idle), "");
      await assertRejects(() => TcpStream.connect(server.address), SystemError, "ECONNREFUSED");
      open();
      const answer = await readAll(busy);
      assertEquals(statusOf(answer), 200);
      assertStringIncludes(answer, "\r\nconnection: close\r\n");
      await finished;
    }));

  it("shuts down by its signal, at once where that was aborted before", () =>
    run(async () => {
      const controller = new AbortController();
      const server = serve(hello, { port: 0, signal: controller.signal });
      controller.abort();
      await server.finished;
      await serve(hello, { port: 0, signal: controller.signal }).finished;
    }));

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

  it("lives in the host's loop where no runtime runs", async () => {
    const server = serve(hello, { port: 0 });
    const response = await fetch(`http://127.0.0.1:${server.address.port}/`);
    assertEquals(response.status, 200);
    await response.body?.cancel();
    await server.shutdown();
  });

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

  it("does not count a handler's work as a slow body", () =>
    serving(
      async (request) => {
        const text = await request.text();
        await new Promise((resolve) => setTimeout(resolve, 150));
        return new Response(text);
      },
      { timeouts: { body: 40 } },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        const head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\n";
        await stream.writeAll(encoder.encode(`${head}abc`));
        await sleep(5);
        await stream.writeAll(encoder.encode("def"));
        assert((await readAll(stream)).endsWith("\r\n\r\nabcdef"));
      },
    ));

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

  it("answers 500 where onError fails as well", () => {
    const { error } = console;
    console.error = () => {};
    return serving(
      () => {
        throw new Error("first");
      },
      { onError: () => Promise.reject(new Error("second")) },
      async (server) => {
        assertEquals(statusOf(await exchange(server, LAST_GET)), 500);
      },
    ).finally(() => console.error = error);
  });

  it("refuses options that are no numbers before it listens", () =>
    run(async () => {
      for (const options of [{ timeouts: { idle: NaN } }, { maxConnections: 0 }, { limits: { body: -1 } }]) {
        assertThrows(() => serve(hello, { port: 0, ...options }), RangeError);
      }
      const server = serve(hello, { port: 0, limits: { body: undefined } });
      assertThrows(() => server.shutdown({ deadline: NaN }), RangeError, "deadline");
      await server.shutdown();
    }));

  it("lets a handler refuse with an HttpError of its own", () =>
    serving(
      () => {
        throw new HttpError(413, "too much");
      },
      {},
      async (server) => {
        const answer = await exchange(server, GET);
        assertEquals(statusOf(answer), 413);
        assert(answer.endsWith("\r\n\r\ntoo much\n"));
      },
    ));
});
