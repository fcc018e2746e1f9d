import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  HttpError,
  type HttpServer,
  LeanError,
  type LeanHandler,
  type LeanOptions,
  type LeanRequest,
  type LeanResponse,
  Precomputed,
  serveLean,
} from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, LAST_GET, readAll, statusOf } from "./client.ts";

/** A lean server on a port of its own, for as long as `body` runs, and the errors that it was told of. */
async function serving(
  handler: LeanHandler,
  body: (server: HttpServer) => Promise<void>,
  options: LeanOptions = {},
): Promise<unknown[]> {
  const errors: unknown[] = [];
  await run(async () => {
    await using server = serveLean(handler, { port: 0, onError: (error) => errors.push(error), ...options });
    await body(server);
    await server.shutdown({ deadline: 100 });
  });
  return errors;
}

/** What a handler gives that was written with no types. */
function passedOff(value: unknown, key: string = "value"): void {
  return Reflect.get({ value }, key);
}

function leanError(use: () => unknown): "end" | "disconnect" {
  try {
    use();
  } catch (error) {
    assert(error instanceof LeanError && error.name === "LeanError");
    return error.after;
  }
  throw new Error("no LeanError was thrown");
}

describe("serveLean()", () => {
  it("gives of a request what is asked of it", async () => {
    const seen: unknown[] = [];
    const errors = await serving((request, response) => {
      const { method, target, path, query } = request;
      seen.push(method, target, path, query, request.header("X-A"), request.header("none"));
      seen.push(request.headers().get("x-a"));
      response.end();
    }, async (server) => {
      const answer = await exchange(
        server,
        "PATCH /a%20b?c=d?e HTTP/1.1\r\nHost: a\r\nx-a: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
      );
      assertStringIncludes(answer, "\r\ncontent-length: 0\r\n");
    });
    assertEquals(seen, ["PATCH", "/a%20b?c=d?e", "/a%20b", "c=d?e", "1, 2", null, "1, 2"]);
    assertEquals(errors, []);
  });

  it("answers with a status, fields and any body, to every kind of request", async () => {
    const bodies = ["", "hello", "grüße", "a".repeat(500), "ü".repeat(70_000), new Uint8Array(5).fill(98)];
    await serving((request, response) => {
      const [status, index] = request.path.slice(1).split("/").map(Number);
      response.status = status;
      response.header("X-Thing", "caf\xe9").header("x-thing", "2").end(bodies[index]);
    }, async (server) => {
      for (let index = 0; index < bodies.length; index++) {
        const body = bodies[index];
        const text = typeof body === "string" ? body : new TextDecoder().decode(body);
        for (const status of [200, 404]) {
          for (const line of ["GET HTTP/1.1", "HEAD HTTP/1.1", "GET HTTP/1.0"]) {
            const [method, version] = line.split(" ");
            const request = `${method} /${status}/${index} ${version}\r\nHost: a\r\n`;
            // The second of two takes the head that the first has left.
            const answer = await exchange(
              server,
              `${request}Connection: keep-alive\r\n\r\n`.repeat(2) + `${request}Connection: close\r\n\r\n`,
            );
            assertEquals(answer.match(new RegExp(`HTTP/1\\.1 ${status} `, "g"))?.length, 3);
            const length = `content-length: ${encoder.encode(text).length}`;
            assertEquals(answer.match(/content-length: \d+/g), [length, length, length]);
            assertEquals(answer.match(/x-thing: [^\r]+/g)?.length, 6);
            assertEquals(answer.match(/date: [^\r]{29}\r\n/g)?.length, 3);
            assertEquals(
              answer.match(/content-type: [^\r]+/g)?.length,
              typeof body === "string" ? 3 : undefined,
            );
            const sent = answer.split("\r\n\r\n").slice(1).map((part) =>
              part.replace(/HTTP\/1\.1 [^]*$/, "")
            );
            assertEquals(sent.join("|"), (method === "HEAD" ? ["", "", ""] : [text, text, text]).join("|"));
          }
        }
      }
    });
  });

  it("sends what was precomputed, with a date of its own, to every kind of request", async () => {
    const hello = new Precomputed("hellö", { status: 201, headers: { "X-A": "b" } });
    const data = Precomputed.json({ a: 1 });
    const large = new Precomputed(new Uint8Array(100_000).fill(97));
    await serving((request, response) => {
      response.send(request.path === "/json" ? data : request.path === "/large" ? large : hello);
    }, async (server) => {
      for (const line of ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET / HTTP/1.0"]) {
        const request = `${line}\r\nHost: a\r\n`;
        const answer = await exchange(
          server,
          `${request}Connection: keep-alive\r\n\r\n${request}Connection: close\r\n\r\n`,
        );
        assertEquals(answer.match(/HTTP\/1\.1 201 Created\r\n/g)?.length, 2);
        assertEquals(answer.match(/\r\ncontent-length: 6\r\n/g)?.length, 2);
        assertEquals(answer.match(/\r\nx-a: b\r\n/g)?.length, 2);
        assertEquals(answer.match(/\r\ndate: [^\r]{29}\r\n/g)?.length, 2);
        assertEquals(answer.match(/hellö/g)?.length, line.startsWith("HEAD") ? undefined : 2);
      }
      const json = await exchange(server, LAST_GET.replace("/", "/json"));
      assertStringIncludes(json, "\r\ncontent-type: application/json\r\n");
      assert(json.endsWith('\r\n\r\n{"a":1}'));
      const many = await exchange(server, GET.replace("/", "/large") + LAST_GET.replace("/", "/large"));
      assertEquals(many.match(/a{100000}/g)?.length, 2);
    });
  });

  it("lets a handler end its response later, by a promise or by itself, in the order of the requests", async () => {
    const errors = await serving((request, response) => {
      if (request.path === "/now") return response.end("now");
      if (request.path === "/later") {
        setTimeout(() => response.end("later"), 5);
        return;
      }
      return (async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        response.json({ path: request.path });
      })();
    }, async (server) => {
      const requests = ["/async", "/later", "/now"].map((path) => GET.replace("/", path)).join("");
      const answer = await exchange(server, requests + LAST_GET.replace("/", "/now"));
      assertEquals(answer.match(/later|now|{"path":"\/async"}/g), [
        '{"path":"/async"}',
        "later",
        "now",
        "now",
      ]);
    });
    assertEquals(errors, []);
  });

  it("reads a body, in parts or whole, and goes on where it was left unread", async () => {
    await serving(async (request, response) => {
      if (request.path === "/left") return response.end("left");
      if (request.path === "/json") return response.json(await request.json());
      let text = "";
      for (let part = await request.read(); part !== null; part = await request.read()) {
        text += new TextDecoder().decode(part);
      }
      response.end(`${text} ${(await request.bytes()).length}`);
    }, async (server) => {
      const post = (path: string, body: string) =>
        `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const answer = await exchange(
        server,
        `${post("/parts", "abc")}${post("/left", "x".repeat(5000))}${post("/json", "[1]")}${LAST_GET}`,
      );
      assertEquals(answer.match(/abc 0|left|\[1\]|HTTP\/1\.1 200/g), [
        "HTTP/1.1 200",
        "abc 0",
        "HTTP/1.1 200",
        "left",
        "HTTP/1.1 200",
        "[1]",
        "HTTP/1.1 200",
      ]);
    });
  });

  it("tells misuse by a LeanError: after the end, of a kept request, after the client has gone", async () => {
    const kept: { request: LeanRequest; response: LeanResponse }[] = [];
    const told: string[] = [];
    const called = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await serving((request, response) => {
      if (request.path === "/hang") {
        called.resolve();
        request.signal.addEventListener("abort", () => {
          setTimeout(() => {
            told.push(leanError(() => response.end()), leanError(() => request.path));
            gone.resolve();
          }, 20);
        });
        return;
      }
      for (const { request, response } of kept) {
        told.push(leanError(() => request.header("host")), leanError(() => response.header("a", "b")));
      }
      kept.push({ request, response });
      response.end("once");
      told.push(leanError(() => response.end("twice")), leanError(() => response.send(new Precomputed("x"))));
      assert(response.isEnded);
      assertEquals(request.path, "/");
    }, async (server) => {
      const answer = await exchange(server, GET + LAST_GET);
      assertEquals(answer.match(/once|twice/g), ["once", "once"]);
      assertEquals(told.splice(0).join(), "end,end,end,end,end,end");
      using stream = await TcpStream.connect(server.address);
      await stream.writeAll(encoder.encode(GET.replace("/", "/hang")));
      await called.promise;
      stream.socket.setLinger(0);
      stream.close();
      await gone.promise;
    });
    assertEquals(told, ["disconnect", "disconnect"]);
  });

  it("answers 500 where a handler throws, rejects, or comes to its end without one, and says so", async () => {
    const errors = await serving((request, response) => {
      switch (request.path) {
        case "/throws":
          throw new Error("thrown");
        case "/refuses":
          throw new HttpError(413, "too much");
        case "/rejects":
          return Promise.reject(new Error("rejected"));
        case "/unended":
          return Promise.resolve();
        default:
          response.end("ended");
          return Promise.reject(new Error("after its end"));
      }
    }, async (server) => {
      const statuses: number[] = [];
      for (const path of ["/throws", "/refuses", "/rejects", "/unended", "/ended"]) {
        statuses.push(statusOf(await exchange(server, LAST_GET.replace("/", path))));
      }
      assertEquals(statuses, [500, 413, 500, 500, 200]);
    });
    assertEquals(errors.map(String), [
      "Error: thrown",
      "Error: rejected",
      "Error: a handler of serveLean has come to its end, and has not ended its response",
      "Error: after its end",
    ]);
  });

  it("sends nothing that would break the answer's framing", async () => {
    const refused: [name: string, use: (response: LeanResponse) => void][] = [
      ["a line end in a value", (response) => response.header("a", "b\r\nc: d")],
      ["a space in a name", (response) => response.header("a b", "c")],
      ["no name", (response) => response.header("", "c")],
      ["a character beyond bytes", (response) => response.header("a", "\u0100")],
      ["a length", (response) => response.header("Content-Length", "1")],
      ["a coding", (response) => response.header("transfer-encoding", "chunked")],
      ["JSON that is none", (response) => response.json(undefined)],
      ["a body with 204", (response) => {
        response.status = 204;
        response.end("x");
      }],
      ["a body with 205", (response) => {
        response.status = 205;
        response.end("x");
      }],
    ];
    let status = 0;
    await serving((request, response) => {
      for (const [, use] of refused) assertThrows(() => use(response), TypeError);
      for (const wrong of [100, 199, 600, 200.5, NaN]) {
        response.status = wrong;
        assertThrows(() => response.end(), RangeError, "status");
      }
      response.status = 204;
      response.end();
      status = request.method.length;
    }, async (server) => {
      const answer = await exchange(server, LAST_GET);
      assertMatch(answer, /^HTTP\/1\.1 204 No Content\r\ndate: [^\r]+\r\nconnection: close\r\n\r\n$/);
    });
    assertEquals(status, 3);
    assertThrows(() => new Precomputed("x", { status: 204 }), TypeError);
    assertThrows(() => new Precomputed("x", { headers: { "a": "\n" } }), TypeError);
  });

  it("names no length in a 304, whose length is that of what it stands for", async () => {
    const precomputed = new Precomputed("", { status: 304 });
    await serving((request, response) => {
      if (request.path === "/precomputed") return response.send(precomputed);
      response.status = 304;
      response.end();
    }, async (server) => {
      for (const path of ["/", "/precomputed"]) {
        const answer = await exchange(server, GET.replace("/", path) + LAST_GET.replace("/", path));
        assertEquals(answer.match(/304 Not Modified\r\n/g)?.length, 2);
        assert(!answer.includes("content-length"));
      }
    });
  });

  it("heeds what a handler gives that is no promise as little as nothing", async () => {
    for (const given of [false, null, 1, "text", {}]) {
      const handler = (_: LeanRequest, response: LeanResponse): void => {
        response.end("answered");
        return passedOff(given);
      };
      const errors = await serving(handler, async (server) => {
        assert((await exchange(server, LAST_GET)).endsWith("\r\n\r\nanswered"));
      });
      assertEquals(errors, []);
    }
  });

  it("refuses what the parser refuses, and shuts down as serve does", async () => {
    const errors = await serving((_, response) => response.end("x"), async (server) => {
      using idle = await TcpStream.connect(server.address);
      // Whoever comes later is accepted later: closed in the queue, it would be reset.
      assertEquals(statusOf(await exchange(server, "GET / HTTP/1.1\r\n\r\n")), 400);
      await server.shutdown();
      assertEquals(await readAll(idle), "");
    });
    assertEquals(errors, []);
  });
});
