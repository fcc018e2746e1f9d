import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { LeanError, serve, serveLean } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./client.ts";

const NEVER = new Promise<never>(() => undefined);
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

describe("timeouts.handler", () => {
  it("answers 503 for a handler that hangs, aborts the request's signal and tells onError", async () => {
    const errors: unknown[] = [];
    const reasons: unknown[] = [];
    await serving(
      ({ signal }) => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        return NEVER;
      },
      {
        timeouts: { handler: 20 },
        onError: (error) => {
          errors.push(error);
          return hello();
        },
      },
      async (server) => {
        const answer = await exchange(server, GET);
        assertEquals(statusOf(answer), 503);
        assertStringIncludes(answer, "\r\nconnection: close\r\n");
        assert(answer.endsWith("\r\n\r\nthe handler did not answer in time\n"));
      },
    );
    assertEquals(errors.map(String), ["HttpError: the handler did not answer in time"]);
    assertEquals(reasons.map(String), ["TimeoutError: the handler did not answer in time"]);
  });

  it("answers those before it, and HEAD without a body", () =>
    serving((request) => request.method === "HEAD" ? NEVER : hello(), {
      timeouts: { handler: 20 },
      onError: hello,
    }, async (server) => {
      const answer = await exchange(server, GET + GET.replace("GET", "HEAD"));
      assertEquals(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 503"]);
      assert(answer.endsWith("\r\n\r\n"));
    }));

  it("throws away what comes too late, and closes its stream", async () => {
    const late = Promise.withResolvers<Response>();
    const cancelled = Promise.withResolvers<void>();
    await serving(() => late.promise, { timeouts: { handler: 20 }, onError: hello }, async (server) => {
      assertEquals(statusOf(await exchange(server, GET)), 503);
      late.resolve(new Response(new ReadableStream({ cancel: () => cancelled.resolve() })));
      await cancelled.promise;
    });
  });

  it("counts anew with what comes of a body, and not while the client is waited for", () => {
    let text = "";
    return serving(
      async (request) => {
        text = await request.text();
        return hello();
      },
      { timeouts: { handler: 40 }, onError: hello },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(POST));
        for (const letter of "abc") {
          await sleep(100);
          await stream.writeAll(encoder.encode(letter));
        }
        const bytes = new Uint8Array(1000);
        const count = await stream.read(bytes);
        assertEquals(statusOf(new TextDecoder().decode(bytes.subarray(0, count))), 200);
        assertEquals(text, "abc");
      },
    );
  });

  it("ends the wait for onError, too", () =>
    serving(
      () => {
        throw new Error("no");
      },
      { timeouts: { handler: 20 }, onError: () => NEVER },
      async (server) => {
        assertEquals(statusOf(await exchange(server, LAST_GET)), 503);
      },
    ));

  it("leaves a response's stream its time", () =>
    serving(
      () => {
        const texts = ["one ", "two"];
        const stream = new ReadableStream({
          async pull(controller) {
            const text = texts.shift();
            if (text === undefined) return controller.close();
            if (text === "two") await sleep(150);
            controller.enqueue(encoder.encode(text));
          },
        });
        return new Response(stream);
      },
      { timeouts: { handler: 20 } },
      async (server) => {
        const answer = await exchange(server, LAST_GET);
        assert(answer.endsWith("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"), answer);
      },
    ));

  it("leaves a handler alone where nothing is said", () =>
    serving(
      async () => {
        await sleep(100);
        return hello();
      },
      { timeouts: { idle: 10, head: 10, body: 10, write: 10 } },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        assertEquals(statusOf(await readAll(stream)), 200);
      },
    ));

  it("is one of serveLean, whose response is ended for nobody after that", async () => {
    const errors: unknown[] = [];
    const reasons: unknown[] = [];
    const late: unknown[] = [];
    await run(async () => {
      await using server = serveLean(async (request, response) => {
        const { signal } = request;
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        await sleep(80);
        try {
          response.end("late");
        } catch (error) {
          late.push(error);
        }
      }, { port: 0, timeouts: { handler: 20 }, onError: (error) => errors.push(error) });
      assertEquals(statusOf(await exchange(server, GET)), 503);
      while (late.length === 0) await sleep(5);
    });
    assert(late[0] instanceof LeanError && late[0].after === "disconnect");
    assertEquals(errors.map(String), ["HttpError: the handler did not answer in time"]);
    assertEquals(reasons.map(String), ["TimeoutError: the handler did not answer in time"]);
  });

  it("is a number above 0", () => {
    for (const handler of [0, -1, NaN]) {
      assertThrows(() => serve(hello, { port: 0, timeouts: { handler } }), RangeError, "timeouts.handler");
    }
  });
});
