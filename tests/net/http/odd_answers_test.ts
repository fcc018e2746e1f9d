import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type LeanHandler, type OnUpgrade, serveLean, UpgradeResponse } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./client.ts";

const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n";

function statusesOf(answer: string): number[] {
  return Array.from(answer.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
}

describe("serve()", () => {
  it("switches to no protocol that the client has not asked for, and says which there is", () => {
    let calls = 0;
    return serving(() => new UpgradeResponse(() => void calls++, { upgrade: "echo" }), {}, async (server) => {
      const unasked = [
        LAST_GET,
        UPGRADE.replace("keep-alive, Upgrade", "close"),
        UPGRADE.replace("Upgrade: echo\r\n", "").replace("keep-alive", "close"),
      ];
      for (const request of unasked) {
        const answer = await exchange(server, request);
        assertEquals([request, statusOf(answer)], [request, 426]);
        assertStringIncludes(answer, "\r\nupgrade: echo\r\n");
      }
      assertEquals(calls, 0);
    });
  });

  it("leaves a connection open whose onUpgrade gives what is no promise", () => {
    const errors: unknown[] = [];
    function isOnUpgrade(value: unknown): value is OnUpgrade {
      return typeof value === "function";
    }
    const streams = new Set<TcpStream>();
    const keep: unknown = (stream: TcpStream) => streams.add(stream);
    assert(isOnUpgrade(keep));
    return serving(() => new UpgradeResponse(keep, { upgrade: "echo" }), {
      onError: (error) => {
        errors.push(error);
        return hello();
      },
    }, async (server) => {
      using client = await TcpStream.connect(server.address);
      await client.writeAll(encoder.encode(UPGRADE));
      while (streams.size === 0) await sleep(1);
      for (const stream of streams) {
        await stream.writeAll(encoder.encode("still here"));
        stream.close();
      }
      assert((await readAll(client)).endsWith("\r\n\r\nstill here"));
      assertEquals(errors, []);
    });
  });

  it("answers nothing behind a request that closes, or an answer that does, whatever the client has sent", () => {
    let calls = 0;
    return serving(
      (request) => {
        calls++;
        return new Response("once", request.url.endsWith("/bye") ? { headers: { connection: "close" } } : {});
      },
      {},
      async (server) => {
        for (const first of [LAST_GET, GET.replace("/", "/bye")]) {
          calls = 0;
          const answer = await exchange(server, first + GET.repeat(5000));
          assertEquals([statusesOf(answer), calls], [[200], 1]);
          assert(answer.endsWith("\r\n\r\nonce"));
        }
      },
    );
  });

  it("keeps the framing behind answers that have no body, whatever they were given", () => {
    const given: Record<string, () => Response> = {
      "/head": () => new Response("body"),
      "/head-stream": () => new Response(new Blob(["body"]).stream()),
      "/204": () => new Response(null, { status: 204, headers: { "content-length": "4" } }),
      "/304": () => new Response(null, { status: 304, headers: { "content-length": "4" } }),
      "/205": () => new Response(null, { status: 205 }),
    };
    return serving(
      (request) => given[new URL(request.url).pathname]?.() ?? new Response("end"),
      {},
      async (server) => {
        for (const path of Object.keys(given)) {
          const method = path.startsWith("/head") ? "HEAD" : "GET";
          const answer = await exchange(server, GET.replace("GET /", `${method} ${path}`) + LAST_GET);
          assertEquals([path, statusesOf(answer).length], [path, 2]);
          assertMatch(answer, /^HTTP[^]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nend$/);
        }
      },
    );
  });

  it("cuts an answer that does not keep to its length, tells onError, and sends no byte beyond it", () => {
    const errors: unknown[] = [];
    function parts(texts: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
      return new ReadableStream({
        async pull(controller) {
          await sleep(1);
          const text = texts.shift();
          if (text === undefined) controller.close();
          else controller.enqueue(encoder.encode(text));
        },
      });
    }
    return serving(
      (request) => {
        const texts = request.url.endsWith("/long") ? ["abc", "defg"] : ["abc"];
        return new Response(parts(texts), { headers: { "content-length": "5" } });
      },
      {
        onError: (error) => {
          errors.push(error);
          return hello();
        },
      },
      async (server) => {
        for (const path of ["/long", "/short"]) {
          const answer = await exchange(server, GET.replace("/", path) + LAST_GET);
          assertEquals(statusesOf(answer), [200]);
          assertStringIncludes(answer, "\r\ncontent-length: 5\r\n");
          assert(answer.endsWith("\r\n\r\nabc"), answer);
        }
        assertEquals(errors.map((error) => /longer than|before its/.exec(String(error))?.[0]), [
          "longer than",
          "before its",
        ]);
      },
    );
  });
});

describe("serveLean()", () => {
  it("sends the status that a response was ended with, whatever becomes of it after that", async () => {
    const handler: LeanHandler = (request, response) => {
      response.status = 201;
      response.end("made");
      if (request.path === "/split") Reflect.set(response, "status", "200 OK\r\nset-cookie: evil=1");
      else response.status = 99;
    };
    await run(async () => {
      await using server = serveLean(handler, { port: 0 });
      for (const path of ["/split", "/none"]) {
        const answer = await exchange(server, LAST_GET.replace("/", path));
        assertMatch(answer, /^HTTP\/1\.1 201 Created\r\n/);
        assert(!answer.includes("set-cookie"));
      }
    });
  });
});
