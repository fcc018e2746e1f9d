import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { connect as connectByHost, createServer } from "node:net";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { tiered } from "../tier.ts";
import { asyncEcho, echo, local, pair, pattern, readAll, sendAll } from "./ends.ts";
import { listening } from "../host_port.ts";

describe("an echo", () => {
  const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(200_000)), { maxLength: 6 });

  for (const [style, server] of [["coroutine", echo], ["async function", asyncEcho]] as const) {
    it(`by a ${style} gives back every byte, whatever the sizes`, async () => {
      await run(async () => {
        using listener = TcpListener.bind(local);
        await fc.assert(
          fc.asyncProperty(sizes, fc.integer({ min: 1, max: 70_000 }), async (wanted, size) => {
            const sizes = wanted.map((length) => Math.min(length, 300 * size));
            const parts = sizes.map((length, i) => pattern(length, i));
            const [client, other] = await pair(listener);
            const echoed = spawn(server, other, size);
            const sent = spawn(sendAll, client, parts);
            const answer = await spawn(readAll, client);
            await sent;
            client.close();
            const total = sizes.reduce((sum, length) => sum + length, 0);
            assertEquals(await echoed, total);
            assertEquals(Buffer.from(answer).equals(Buffer.concat(parts)), true);
          }),
          { numRuns: tiered({ quick: 15, full: 500, soak: 20_000 }) },
        );
      });
    });
  }

  it("serves two hundred connections at once", async () => {
    const clients = tiered({ quick: 200, full: 1_000, soak: 5_000 });
    function* client(stream: TcpStream, seed: number): Coroutine<void> {
      using connection = stream;
      const into = new Uint8Array(2_000);
      for (let round = 0; round < 3; round++) {
        const bytes = pattern(1 + (seed * 37) % 1_500, seed + round);
        yield* connection.writeAll(bytes);
        for (let got = 0; got < bytes.length;) {
          const count = yield* connection.read(into.subarray(0, bytes.length - got));
          assert(count > 0, "the end came early");
          assertEquals(into.slice(0, count), bytes.slice(got, got + count));
          got += count;
        }
      }
    }
    function* accept(listener: TcpListener): Coroutine<void> {
      for (;;) spawn(echo, (yield* listener.accept()).stream);
    }
    await run(async () => {
      using listener = TcpListener.bind(local);
      const server = spawn(accept, listener);
      const streams: TcpStream[] = [];
      for (let i = 0; i < clients; i++) streams.push(await TcpStream.connect(listener.address));
      const handles = streams.map((stream, i) => spawn(client, stream, i));
      for (const handle of handles) await handle;
      server.abort();
      while (currentRuntime().reactor.registrations > 1) await sleep(1);
    });
  });

  it("is one to the host's own sockets as well", async () => {
    const text = await run(async () => {
      using listener = TcpListener.bind(local);
      const socket = connectByHost(listener.address.port, "127.0.0.1");
      const chunks: Uint8Array[] = [];
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.on("data", (chunk) => chunks.push(Uint8Array.from(Buffer.from(chunk))));
      const served = spawn(echo, (await listener.accept()).stream);
      socket.end("hello from the host");
      assertEquals(await served, 19);
      await closed;
      return Buffer.concat(chunks).toString();
    });
    assertEquals(text, "hello from the host");
  });

  it("is one from the host's own server as well", async () => {
    const server = createServer((socket) => socket.pipe(socket));
    const port = await listening(server);
    const answer = await run(async () => {
      using client = await TcpStream.connect({ hostname: "127.0.0.1", port });
      const sent = spawn(sendAll, client, [pattern(100_000, 1)]);
      const answer = await spawn(readAll, client);
      await sent;
      return answer;
    });
    await new Promise((resolve) => server.close(resolve));
    assertEquals(Buffer.from(answer).equals(pattern(100_000, 1)), true);
  });
});
