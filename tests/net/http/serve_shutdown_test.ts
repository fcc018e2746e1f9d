import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { type HttpServer, serve } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, readAll, statusOf } from "./client.ts";

describe("shutdown()", () => {
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
});
