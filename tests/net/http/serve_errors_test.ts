import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Handler, HttpError } from "../../../lib/net/http.ts";
import { encoder, exchange, GET, hello, LAST_GET, serving, statusOf } from "./client.ts";

/** A handler of any kind: what it gives is none of the compiler's. */
function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

describe("errors in serve()", () => {
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

  it("sends no header field of an HttpError's that would be more than that, and no status that is no error's", () => {
    const given: Record<string, () => HttpError> = {
      "/split": () => new HttpError(400, "no", { headers: { "x-a": "b\r\nset-cookie: evil=1" } }),
      "/wide": () => new HttpError(400, "no", { headers: { "x-a": "b\u010d\u010aset-cookie: evil=1" } }),
      "/name": () => new HttpError(400, "no", { headers: { "set-cookie: evil=1\r\nx-a": "b" } }),
      "/length": () => new HttpError(400, "no", { headers: { "Content-Length": "0" } }),
      "/101": () => new HttpError(101, "no"),
      "/204": () => new HttpError(204, "no"),
      "/600": () => new HttpError(600, "no"),
      "/NaN": () => new HttpError(NaN, "no"),
    };
    const errors: unknown[] = [];
    return serving(
      (request) => {
        throw given[new URL(request.url).pathname]();
      },
      {
        onError: (error) => {
          errors.push(error);
          return new Response("sorry", { status: 500 });
        },
      },
      async (server) => {
        for (const path of Object.keys(given)) {
          const answer = await exchange(server, LAST_GET.replace("/", path));
          assertEquals([path, statusOf(answer)], [path, 500]);
          assert(answer.endsWith("\r\n\r\nsorry"));
        }
        for (const error of errors) assertMatch(String(error), /^(?:Type|Range)Error: cannot/);
      },
    );
  });

  it("sends an HttpError in the type that its header fields name", () =>
    serving(
      () => {
        throw new HttpError(422, "{}", { headers: { "Content-Type": "application/problem+json" } });
      },
      {},
      async (server) => {
        const answer = await exchange(server, GET);
        assertEquals(answer.match(/content-type: [^\r]*/gi), ["content-type: application/problem+json"]);
      },
    ));

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

  it("answers HEAD that is refused, or whose handler throws, without a body", () =>
    serving(
      (request) => {
        if (request.url.endsWith("/thrown")) throw new HttpError(413, "too much");
        return hello();
      },
      {},
      async (server) => {
        const thrown = await exchange(server, GET.replace("GET /", "HEAD /thrown"));
        assertEquals(statusOf(thrown), 413);
        assertStringIncludes(thrown, "\r\ncontent-length: 9\r\n");
        assert(thrown.endsWith("\r\n\r\n"));
      },
    ));

  it("answers 500, once, for what is no response and for what cannot be sent", () => {
    const given: Record<string, () => unknown> = {
      "/undefined": () => undefined,
      "/text": () => "hello",
      "/promised": () => Promise.resolve(42),
      "/error": () => Response.error(),
      "/length": () => new Response(new ReadableStream({}), { headers: { "content-length": "1e+23" } }),
      "/long": () => new Response(new ReadableStream({}), { headers: { "content-length": "9".repeat(23) } }),
      "/thenable": () => ({
        then: () => {
          throw new Error("then");
        },
      }),
    };
    const seen: unknown[] = [];
    const handler: unknown = (request: Request) => given[new URL(request.url).pathname]();
    assert(isHandler(handler));
    const onError = (error: unknown) => {
      seen.push(error);
      return new Response("sorry", { status: 500 });
    };
    return serving(handler, { onError }, async (server) => {
      for (const path of Object.keys(given)) {
        const answer = await exchange(server, LAST_GET.replace("/", path));
        assertEquals([path, statusOf(answer)], [path, 500]);
        assert(answer.endsWith("\r\n\r\nsorry"));
      }
      assertEquals(seen.length, Object.keys(given).length);
    });
  });

  it("answers 500 by itself where what onError gives cannot be sent", () => {
    const { error } = console;
    console.error = () => {};
    return serving(
      () => {
        throw new Error("first");
      },
      { onError: () => Response.error() },
      async (server) => {
        const answer = await exchange(server, LAST_GET);
        assertEquals(statusOf(answer), 500);
        assert(answer.endsWith("\r\n\r\nInternal Server Error\n"));
      },
    ).finally(() => console.error = error);
  });

  it("says what is wrong where a response with a stream is answered with twice, and sends nothing twice", async () => {
    const errors: unknown[] = [];
    const shared = new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          controller.enqueue(encoder.encode("once"));
          controller.close();
        },
      }),
    );
    await serving(
      () => shared,
      {
        onError: (error) => {
          errors.push(error);
          return new Response(null, { status: 500 });
        },
      },
      async (server) => {
        const answer = await exchange(server, GET + LAST_GET);
        assertEquals([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ["200", "500"]);
        assertEquals(answer.match(/once/g)?.length, 1);
      },
    );
    assertMatch(String(errors), /body was sent or read before/);
  });
});
