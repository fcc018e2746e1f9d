import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import type { HttpServer } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./client.ts";

async function sent(server: HttpServer, text: string): Promise<TcpStream> {
  const stream = await TcpStream.connect(server.address);
  await stream.writeAll(encoder.encode(text));
  return stream;
}

/** Closes by RST, and not by FIN. */
function reset(stream: TcpStream): void {
  stream.socket.setLinger(0);
  stream.close();
}

/** What a handler gives that was written with no types. */
function passedOff(value: unknown, key: string = "value"): Response {
  return Reflect.get({ value }, key);
}

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";

/** Where a connection may break: what was sent until then. */
const STATES: Record<string, string> = {
  "before the first byte": "",
  "in the request line": "GE",
  "in a field": "GET / HTTP/1.1\r\nHos",
  "before the end of the head": "GET / HTTP/1.1\r\nHost: a\r\n\r",
  "before the body": HEAD,
  "in a body": `${HEAD}${"x".repeat(5000)}`,
  "in a chunk": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
  "in the size of a chunk": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1",
  "while it is answered": "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
  "while a stream is sent to it": "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
  "between two requests": GET,
  "after a request that is refused": "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
};

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 30));
  if (pathname !== "/stream") return new Response(String((await request.text()).length));
  return new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new Uint8Array(65536));
      },
    }),
  );
}

describe("a server of hostile clients", () => {
  for (const [state, text] of Object.entries(STATES)) {
    it(`goes on after connections that are reset ${state}`, () => {
      const errors: unknown[] = [];
      const options = {
        onError: (error: unknown) => (errors.push(error), new Response(null, { status: 500 })),
      };
      return serving(answer, options, async (server) => {
        for (let i = 0; i < 5; i++) {
          const stream = await sent(server, text);
          await sleep(5 * i);
          reset(stream);
        }
        assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
        await sleep(60);
        // A body that broke off is its handler's to hear of, and nothing else is anybody's fault.
        const strange = errors.filter((error) =>
          !/closed the connection inside|ECONNRESET/.test(String(error))
        );
        assertEquals(strange.map(String), []);
      });
    });
  }

  it("sends everything to a client that has sent its end, by one write and by a stream", () => {
    const large = "y".repeat(8 << 20);
    const handler = (request: Request): Response => {
      if (new URL(request.url).pathname === "/text") return new Response(large);
      let left = 64;
      return new Response(
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          pull(controller) {
            if (left-- > 0) controller.enqueue(new Uint8Array(65536).fill(0x7a));
            else controller.close();
          },
        }),
      );
    };
    return serving(handler, {}, async (server) => {
      for (const path of ["/text", "/stream"]) {
        using stream = await sent(server, LAST_GET.replace("/", path));
        await stream.shutdown();
        // Late, so that the server has met the end before all was sent.
        await sleep(50);
        const text = await readAll(stream);
        assertEquals(statusOf(text), 200);
        const body = text.slice(text.indexOf("\r\n\r\n") + 4);
        // A host that streams a long text sends it in chunks.
        if (path === "/text") assertEquals(body.replaceAll(/[^y]/g, "").length, large.length);
        else assertEquals(body.replaceAll(/[^z]/g, "").length, 64 * 65536);
      }
    });
  });

  it("serves others while a hundred dribble their heads and bodies, and tells those 408", () =>
    serving(answer, { timeouts: { head: 300, body: 300 } }, async (server) => {
      const dribbling = await Promise.all(
        Array.from({ length: 100 }, (_, i) => sent(server, i % 2 === 0 ? "GET / HTTP/1.1\r\n" : HEAD)),
      );
      for (let i = 0; i < 5; i++) {
        await Promise.all(
          dribbling.filter((_, i) => i % 2 === 0).map((stream) => stream.writeAll(encoder.encode("X"))),
        );
        assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
        await sleep(20);
      }
      const answers = await Promise.all(dribbling.map(readAll));
      assertEquals(answers.map(statusOf).filter((status) => status !== 408), []);
      for (const stream of dribbling) stream.close();
    }));

  it("serves others while handlers hang, and cuts those at its shutdown's deadline", () => {
    let hung = 0;
    const handler = (request: Request): Response | Promise<Response> => {
      if (new URL(request.url).pathname !== "/hang") return hello();
      hung++;
      return new Promise<Response>(() => {});
    };
    return serving(handler, {}, async (server) => {
      const streams = await Promise.all(
        Array.from({ length: 20 }, () => sent(server, LAST_GET.replace("/", "/hang"))),
      );
      assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
      await server.shutdown({ deadline: 50 });
      assertEquals(hung, 20);
      for (const stream of streams) {
        assertEquals(await readAll(stream).catch(() => ""), "");
        stream.close();
      }
    });
  });

  it("takes a handler's first answer, and no later one", () => {
    const handler = (): Response =>
      passedOff({
        then(resolve: (response: Response) => void): void {
          resolve(new Response("first"));
          resolve(new Response("second"));
        },
      });
    return serving(handler, {}, async (server) => {
      const text = await exchange(server, GET + LAST_GET);
      assertEquals([...text.matchAll(/first|second/g)].map(([word]) => word), ["first", "first"]);
    });
  });

  it("answers 500 for what is no response, and goes on with the connection", () => {
    const used = new Response("used");
    const locked = new Response("locked");
    const bad: Record<string, () => unknown> = {
      "/undefined": () => undefined,
      "/string": () => "hello",
      "/null": async () => await null,
      "/object": () => ({ status: 200, headers: new Headers(), body: null }),
      "/used": async () => (await used.text().catch(() => ""), used),
      "/locked": () => (locked.body?.locked ? null : locked.body?.getReader(), locked),
      "/error": () => Response.error(),
      "/throw": () => {
        throw new Error("thrown");
      },
      "/throw-nothing": () => {
        throw undefined;
      },
      "/reject": () => Promise.reject(new Error("rejected")),
    };
    let errors = 0;
    const handler = (request: Request): Response => {
      const { pathname } = new URL(request.url);
      return pathname in bad ? passedOff(bad[pathname]()) : hello();
    };
    return serving(
      handler,
      { onError: () => (errors++, new Response("oops", { status: 500 })) },
      async (server) => {
        for (const path of Object.keys(bad)) {
          const text = await exchange(server, GET.replace("/", path) + LAST_GET);
          assertMatch(text, /^HTTP\/1\.1 500 [^]*oopsHTTP\/1\.1 200 [^]*hello$/);
        }
        assertEquals(errors, Object.keys(bad).length);
      },
    );
  });

  it("takes a client that is gone when it is answered for no error of the handler's", async () => {
    const errors: unknown[] = [];
    let client: TcpStream | undefined;
    const handler = (): Response => {
      if (client?.isClosed === false) reset(client);
      return hello();
    };
    const onError = (error: unknown): Response => {
      errors.push(error);
      return hello();
    };
    await serving(handler, { onError }, async (server) => {
      for (const request of [GET, LAST_GET, GET + LAST_GET]) {
        client = await sent(server, request);
        while (!client.isClosed) await sleep(1);
      }
      client = undefined;
      assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
    });
    assertEquals(errors, []);
  });

  it("answers a request once whose body is malformed where nobody reads it, and ends the connection", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): Response => {
      errors.push(error);
      return hello();
    };
    await serving(hello, { onError }, async (server) => {
      for (const body of ["zz\r\n", `1;${"a".repeat(20_000)}\r\n`, "0\r\nno trailer\r\n\r\n"]) {
        const answer = await exchange(
          server,
          `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
        );
        assertEquals([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ["200"]);
      }
    });
    assertEquals(errors, []);
  });
});
