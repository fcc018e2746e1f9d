import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { type Handler, type HttpServer, serve, serveLean } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, readAll, statusOf } from "./client.ts";

/** What comes from those who have no types. */
function passedOff(value: unknown, key: string = "value"): Handler {
  return Reflect.get({ value }, key);
}

describe("shutdown()", () => {
  it("shuts down: idle connections close, one that is answered finishes, nobody connects", () =>
    run(async () => {
      const { promise: called, resolve: call } = Promise.withResolvers<void>();
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      const server = serve(async () => {
        call();
        await gate;
        return hello();
      }, { port: 0 });
      using idle = await TcpStream.connect(server.address);
      using busy = await TcpStream.connect(server.address);
      await busy.writeAll(encoder.encode(GET));
      await called;
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

  it("finishes the answer of a handler that shuts the server down", () =>
    run(async () => {
      const server: HttpServer = serve(() => {
        server.shutdown();
        return hello();
      }, { port: 0 });
      const answer = await exchange(server, GET);
      assert(answer.endsWith("\r\n\r\nhello"));
      assertStringIncludes(answer, "\r\nconnection: close\r\n");
      await server.finished;
    }));

  it("gives back the globals that it wraps, and wraps none where it is told so", () =>
    run(async () => {
      const before = [globalThis.Request, globalThis.Response, globalThis.fetch];
      const now = () => [globalThis.Request, globalThis.Response, globalThis.fetch];
      const plain = serve(hello, { port: 0, wrapGlobals: false });
      assertEquals(now().map((value, i) => value === before[i]), [true, true, true]);
      const [first, second] = [serve(hello, { port: 0 }), serve(hello, { port: 0 })];
      await first.shutdown();
      const isDeno = "Deno" in globalThis;
      assertEquals(now().map((value, i) => value === before[i]), [isDeno, isDeno, isDeno]);
      await second.shutdown();
      await Promise.resolve();
      assertEquals(now().map((value, i) => value === before[i]), [true, true, true]);
      await plain.shutdown();
    }));

  it("cuts what is left at the deadline of whoever has less patience", () =>
    run(async () => {
      const { promise: called, resolve: call } = Promise.withResolvers<void>();
      const server = serve(() => {
        call();
        return new Promise<Response>(() => {});
      }, { port: 0 });
      using busy = await TcpStream.connect(server.address);
      await busy.writeAll(encoder.encode(GET));
      await called;
      const finished = server.shutdown({ deadline: 1_000_000 });
      await server.shutdown({ deadline: 0 });
      await finished;
      assertEquals(await readAll(busy).catch(() => ""), "");
    }));

  it("is over, and gives back what it wraps, where its runtime ends before it", async () => {
    const before = [globalThis.Request, globalThis.Response, globalThis.fetch];
    const reasons: string[] = [];
    const server = await run(async () => {
      const { promise: called, resolve: call } = Promise.withResolvers<void>();
      const server = serve((request) => {
        call();
        request.signal.addEventListener("abort", () => reasons.push(request.signal.reason.name));
        return new Promise<Response>(() => {});
      }, { port: 0 });
      const busy = await TcpStream.connect(server.address);
      await busy.writeAll(encoder.encode(GET));
      await called;
      return server;
    });
    await server.finished;
    await Promise.resolve();
    assertEquals([globalThis.Request, globalThis.Response, globalThis.fetch], before);
    assertEquals(reasons, ["AbortError"]);
  });

  it("ends a server whose onListen throws, and says so", () =>
    run(async () => {
      const before = globalThis.Response;
      let port = 0;
      const onListen = (address: { port: number }): void => {
        port = address.port;
        throw new Error("not today");
      };
      assertThrows(() => serve(hello, { port: 0, onListen }), Error, "not today");
      assertThrows(
        () => serveLean((_, response) => response.end(), { port: 0, onListen }),
        Error,
        "not today",
      );
      await assertRejects(
        () => TcpStream.connect({ hostname: "127.0.0.1", port }),
        SystemError,
        "ECONNREFUSED",
      );
      assertEquals(globalThis.Response, before);
    }));

  it("refuses to serve with a handler that is no function", () => {
    assertThrows(() => serve(passedOff({ fetch: hello }), { port: 0 }), TypeError, "handler");
  });
});
