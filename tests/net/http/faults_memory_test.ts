import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { moduleUrl } from "../../child.ts";
import { tiered } from "../../tier.ts";
import { connected, eventually, received, serverProcess, told } from "./server_process.ts";

const MIB = 1 << 20;
/** MiB that are uploaded. */
const PARTS = tiered({ quick: 100, full: 400, soak: 4_000 });
const LAST = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** A stream without end, whose parts are counted. `/count` answers how many were taken. */
const ENDLESS = `(() => {
  let taken = 0;
  return (request) => {
    if (new URL(request.url).pathname === "/count") return new Response(String(taken));
    const part = new Uint8Array(65536);
    return new Response(new ReadableStream({ pull(controller) { taken++; controller.enqueue(part); } }));
  };
})()`;

describe("the memory of an HTTP server", () => {
  it("is bounded where clients never read, however much there is to send", async () => {
    using server = await serverProcess(ENDLESS);
    const sockets = await Promise.all(Array.from({ length: 4 }, () => connected(server.port)));
    try {
      for (const socket of sockets) {
        socket.pause();
        socket.write("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
      }
      const count = async (): Promise<number> => {
        const answer = await told(server.port, LAST.replace("/", "/count"));
        return Number(answer.slice(answer.indexOf("\r\n\r\n") + 4));
      };
      let before = -1;
      let now = await count();
      // The kernel's buffers and ours fill up, and then nothing more is asked of the stream.
      for (let i = 0; i < 50 && (now !== before || now === 0); i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        before = now;
        now = await count();
      }
      assertEquals(now, before);
      assert(now > 0 && now * 65536 < 4 * 16 * MIB, `${now} parts of 64 KiB were taken for four clients`);
      const settled = server.memory();
      for (let i = 0; i < 200; i++) await count();
      assertEquals(await count(), now);
      assert(server.memory() - settled < 24 * MIB, `it grew by ${server.memory() - settled}`);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it("is bounded while pipelined requests pile up whose answers nobody reads", async () => {
    using server = await serverProcess(`() => new Response("x".repeat(4096))`);
    await told(server.port, LAST);
    const before = server.memory();
    const socket = await connected(server.port);
    try {
      socket.pause();
      const requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2000);
      let isStuck = false;
      for (let i = 0; i < 400 && !isStuck; i++) {
        if (!socket.write(requests)) {
          const drained = new Promise<boolean>((resolve) => socket.once("drain", () => resolve(false)));
          const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 1000));
          isStuck = await Promise.race([drained, late]);
        }
      }
      assert(isStuck, "the server went on reading requests whose answers it could not send");
      assert(server.memory() - before < 48 * MIB, `it grew by ${server.memory() - before}`);
      assertMatch(await told(server.port, LAST), /^HTTP\/1\.1 200 /);
    } finally {
      socket.destroy();
    }
  });

  it("is a fraction of a body that a handler streams, by its length and in chunks", async () => {
    const handler = `await (async () => {
      const { gc } = await import("${moduleUrl("tests/collector.ts")}");
      return async (request) => {
        let length = 0;
        if (request.body !== null) {
          for await (const part of request.body) {
            length += part.length;
            if (length % ${8 * MIB} < part.length) gc();
          }
        }
        return new Response(String(length));
      };
    })()`;
    using server = await serverProcess(handler, `limits: { body: ${PARTS * MIB} }`);
    await told(server.port, LAST);
    const part = "x".repeat(MIB);
    for (const isChunked of [false, true]) {
      const before = server.memory();
      let most = before;
      const socket = await connected(server.port);
      const answer = received(socket, 60_000);
      const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${PARTS * MIB}`;
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}\r\n\r\n`);
      for (let i = 0; i < PARTS; i++) {
        const bytes = isChunked ? `100000\r\n${part}\r\n` : part;
        if (!socket.write(bytes)) await new Promise((resolve) => socket.once("drain", resolve));
        most = Math.max(most, server.memory());
      }
      if (isChunked) socket.write("0\r\n\r\n");
      const text = await answer;
      assert(text.endsWith(`\r\n\r\n${PARTS * MIB}`), text.slice(-200));
      assert(most - before < PARTS * MIB / 2, `it grew by ${most - before}`);
    }
  });

  it("takes no more of a body than its handler reads", async () => {
    const handler = `async (request) => {
      if (request.body === null) return new Response("hello");
      await request.body.getReader().read();
      return await new Promise(() => {});
    }`;
    using server = await serverProcess(handler);
    await told(server.port, LAST);
    const before = server.memory();
    const socket = await connected(server.port);
    try {
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * MIB}\r\n\r\n`);
      socket.write(new Uint8Array(100 * MIB));
      // What is under way lies in the kernel's buffers.
      let sent = -1;
      for (let i = 0; i < 50 && socket.bytesWritten - socket.writableLength !== sent; i++) {
        sent = socket.bytesWritten - socket.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert(server.memory() - before < 16 * MIB, `it grew by ${server.memory() - before}`);
      assertMatch(await told(server.port, LAST), /^HTTP\/1\.1 200 /);
    } finally {
      socket.destroy();
    }
  });

  it("is given back with the connections of clients that vanish in the middle of a body", async () => {
    using server = await serverProcess(`async (request) => new Response(await request.text())`);
    await told(server.port, LAST);
    const sockets = await Promise.all(Array.from({ length: 40 }, () => connected(server.port)));
    for (const socket of sockets) {
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${MIB}\r\n\r\n${"x".repeat(1000)}`);
    }
    assert(await eventually(() => server.connections() === 40));
    for (const socket of sockets) socket.destroy();
    assert(await eventually(() => server.connections() === 0));
  });
});
