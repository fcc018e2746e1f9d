import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { TcpStream } from "../../../lib/net/mod.ts";
import { sleep } from "../../../lib/task/mod.ts";
import { encoder, exchange, GET, hello, LAST_GET, readAll, serving, statusOf } from "./client.ts";

describe("clients that go away, or do not read", () => {
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
    const called = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await serving(
      (request) => {
        request.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
        called.resolve();
        return new Promise<Response>(() => {});
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        await called.promise;
        await server.shutdown({ deadline: 0 });
      },
    );
    assert(await aborted.promise instanceof DOMException);
  });

  it("aborts the request's signal where the client resets the connection, and waits for its handler no more", async () => {
    const called = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    await serving(
      (request) => {
        request.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
        called.resolve();
        return new Promise<Response>(() => {});
      },
      {},
      async (server) => {
        const stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        await called.promise;
        stream.socket.setLinger(0);
        stream.close();
        assert(await aborted.promise instanceof DOMException);
        // Nothing is left that a shutdown would have to wait for.
        await server.shutdown({ deadline: 100_000 });
      },
    );
  });

  it("aborts the signal where the client ends what it sends, and answers it all the same", () =>
    serving(
      async (request) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        request.signal.addEventListener("abort", () => resolve());
        await promise;
        return new Response("half-closed");
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(GET));
        await sleep(10);
        await stream.shutdown("write");
        assert((await readAll(stream)).endsWith("\r\n\r\nhalf-closed"));
      },
    ));

  it("drops nothing unsent of a client that has ended what it sends", () => {
    const megabytes = "~".repeat(8 << 20);
    return serving(() => new Response(megabytes), {}, async (server) => {
      using stream = await TcpStream.connect(server.address);
      await stream.writeAll(encoder.encode(GET + GET));
      await stream.shutdown("write");
      await sleep(30);
      const answer = await readAll(stream);
      assertEquals(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
      assertEquals(answer.replace(/[^~]+/g, "").length, 2 * megabytes.length);
    });
  });

  it("cancels the stream of a response whose client has gone, and of one that comes after that", async () => {
    const called: string[] = [];
    const cancelled: string[] = [];
    const all = Promise.withResolvers<void>();
    const endless = (name: string) =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(new Uint8Array(1000));
          },
          cancel() {
            cancelled.push(name);
            if (cancelled.length === 2) all.resolve();
          },
        }),
      );
    await serving(
      async (request) => {
        called.push(request.url);
        if (request.url.endsWith("/late")) await new Promise((resolve) => setTimeout(resolve, 30));
        return endless(new URL(request.url).pathname);
      },
      {},
      async (server) => {
        for (const path of ["/now", "/late"]) {
          using stream = await TcpStream.connect(server.address);
          await stream.writeAll(encoder.encode(GET.replace("/", path)));
          // Reset before that, it would have asked for nothing.
          while (!called.at(-1)?.endsWith(path)) await sleep(1);
          await sleep(10);
          stream.socket.setLinger(0);
        }
        await all.promise;
      },
    );
    assertEquals(cancelled.sort(), ["/late", "/now"]);
  });

  it("stops asking a stream for more where the client does not read", () => {
    let given = 0;
    return serving(
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve));
              given += 1 << 16;
              controller.enqueue(new Uint8Array(1 << 16));
            },
          }),
        ),
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        stream.socket.setReceiveBufferSize(4096);
        await stream.writeAll(encoder.encode(GET));
        let before = -1;
        for (let i = 0; i < 100 && (before !== given || given === 0); i++) {
          before = given;
          await sleep(100);
        }
        // The kernel's own buffers grow to some megabytes, whoever reads.
        assert(given > 0 && given < 32 << 20);
      },
    );
  });

  it("does not read the requests of a client that takes no answers", () => {
    let handled = 0;
    return serving(
      () => {
        handled++;
        return new Response("z".repeat(60_000));
      },
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        stream.socket.setReceiveBufferSize(4096);
        const requests = encoder.encode(GET.repeat(20_000));
        const writing = stream.writeAll(requests).settled();
        const written = await Promise.race([writing.toPromise(), sleep(300).toPromise()]);
        let before = -1;
        for (let i = 0; i < 100 && (before !== handled || handled === 0); i++) {
          before = handled;
          await sleep(50);
        }
        assert(handled > 0 && handled < 2_000);
        stream.close();
        await Promise.resolve(written);
      },
    );
  });
});
