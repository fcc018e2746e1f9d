import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import { type Future, run, sleep, spawn } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { local, pair } from "./ends.ts";

/** Resets the connection: what was not sent is thrown away. */
function reset(stream: TcpStream): void {
  stream.socket.setLinger(0);
  stream.close();
}

/** Runs `body` with both ends of a connection. */
function withPair(body: (client: TcpStream, server: TcpStream) => Promise<void>): Promise<void> {
  return run(async () => {
    using listener = TcpListener.bind(local);
    const [client, server] = await pair(listener);
    using _client = client;
    using _server = server;
    await body(client, server);
  });
}

async function code(future: () => Future<unknown>): Promise<string> {
  return (await assertRejects(future, SystemError)).code;
}

describe("a connection that is reset", () => {
  const waits: readonly [name: string, wait: (stream: TcpStream) => Future<unknown>][] = [
    ["read", (stream) => stream.read(new Uint8Array(1))],
    ["readExact", (stream) => stream.readExact(new Uint8Array(1))],
    ["readToEnd", (stream) => stream.readToEnd()],
    ["readVectored", (stream) => stream.readVectored([new Uint8Array(1)])],
    ["readBuffer", (stream) => stream.readBuffer()],
    ["peek", (stream) => stream.peek(new Uint8Array(1))],
  ];
  for (const [name, wait] of waits) {
    it(`fails a ${name} that waits`, () =>
      withPair(async (client, server) => {
        const waiting = spawn(() => wait(client));
        await sleep(1);
        assertEquals(waiting.isFinished, false);
        reset(server);
        assertEquals(await code(() => waiting), "ECONNRESET");
      }));
  }

  it("fails a write that waits, and the next one", () =>
    withPair(async (client, server) => {
      const writing = spawn(() => client.writeAll(new Uint8Array(1 << 25)));
      await server.read(new Uint8Array(10));
      assertEquals(writing.isFinished, false);
      reset(server);
      assertEquals(await code(() => writing), "ECONNRESET");
      assertEquals(await code(() => client.write(new Uint8Array(1))), "EPIPE");
      assertEquals(await code(() => client.writeVectored([new Uint8Array(1)])), "EPIPE");
    }));

  it("is known at the next read, before anything waits, and then is at its end", () =>
    withPair(async (client, server) => {
      reset(server);
      await sleep(1);
      assertEquals(await code(() => client.read(new Uint8Array(1))), "ECONNRESET");
      assertEquals(await client.read(new Uint8Array(1)), 0);
      await client.shutdown();
    }));

  it("fails after what was read before it, where the kernel has kept that", () =>
    withPair(async (client, server) => {
      await server.writeAll(new Uint8Array(10));
      await client.whenReadable();
      reset(server);
      await sleep(1);
      const kept = await spawn(() => client.read(new Uint8Array(20))).settled();
      if (kept.status === "fulfilled") {
        assertEquals(kept.value, 10);
        assertEquals(await code(() => client.read(new Uint8Array(20))), "ECONNRESET");
      } else assert(kept.reason instanceof SystemError && kept.reason.code === "ECONNRESET");
    }));

  it("fails who had sent the end already, and waits for the peer's", () =>
    withPair(async (client, server) => {
      await client.shutdown();
      const reading = spawn(() => client.read(new Uint8Array(1)));
      await sleep(1);
      reset(server);
      assertEquals(await code(() => reading), "ECONNRESET");
    }));

  it("fails who has read the peer's end, and still writes", () =>
    withPair(async (client, server) => {
      await server.shutdown();
      assertEquals(await client.read(new Uint8Array(1)), 0);
      const writing = spawn(() => client.writeAll(new Uint8Array(1 << 25)));
      await sleep(1);
      reset(server);
      assert(["ECONNRESET", "EPIPE"].includes(await code(() => writing)));
    }));

  it("is no signal that ends the process", () => {
    const source = `
      import { run, sleep } from "${moduleUrl("lib/task/mod.ts")}";
      import { TcpListener, TcpStream } from "${moduleUrl("lib/net/mod.ts")}";
      await run(async () => {
        using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
        using client = await TcpStream.connect(listener.address);
        (await listener.accept()).stream.close();
        const codes = [];
        for (let i = 0; i < 3; i++) {
          await sleep(2);
          try {
            await client.writeAll(new Uint8Array(9));
            codes.push("sent");
          } catch (error) {
            codes.push(error.code);
          }
        }
        console.log(codes.join(" "));
      });
    `;
    assertEquals(outputOf(source), "sent EPIPE EPIPE");
  });
});

describe("a half that is shut down", () => {
  it("leaves the other as it is, both ways", () =>
    withPair(async (client, server) => {
      await client.shutdown("write");
      await client.shutdown("write");
      assertEquals(await server.read(new Uint8Array(1)), 0);
      assertEquals(await code(() => client.writeAll(new Uint8Array(1))), "EPIPE");
      const sending = spawn(() => server.writeAll(new Uint8Array(1_000_000)));
      await client.readExact(new Uint8Array(1_000_000));
      await sending;
      await server.shutdown();
      assertEquals((await client.readToEnd()).length, 0);
    }));

  it("reads its end where it was the reading one", () =>
    withPair(async (client, server) => {
      const reading = spawn(() => client.read(new Uint8Array(1)));
      await sleep(1);
      await client.shutdown("read");
      assertEquals(await reading, 0);
      await client.writeAll(Uint8Array.of(1));
      assertEquals(await server.read(new Uint8Array(2)), 1);
    }));

  it("ends both where it is told both, and is no use once the stream was closed", () =>
    withPair(async (client, server) => {
      await client.shutdown("both");
      assertEquals([await client.read(new Uint8Array(1)), await server.read(new Uint8Array(1))], [0, 0]);
      const dropped = client.shutdown();
      dropped.drop();
      await assertRejects(() => dropped, Error, "its value was taken");
      client.close();
      await assertRejects(() => client.shutdown(), Error, "the stream was closed");
    }));
});
