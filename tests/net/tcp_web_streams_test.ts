import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { TcpListener } from "../../lib/net/mod.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { echo, local, pair, pattern, readAll, sendAll } from "./ends.ts";

describe("a stream's web streams", () => {
  it("are read to the end and written, with pipeTo", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const echoing = spawn(echo, server, 4_096);
      const bytes = pattern(500_000, 4);
      const writing = new Blob([bytes]).stream().pipeTo(client.writable);
      const answer = new Uint8Array(await new Response(client.readable).arrayBuffer());
      await writing;
      await echoing;
      assertEquals(Buffer.compare(answer, bytes), 0);
      client.close();
    });
  });

  it("are the same ones each time, and read nothing before they are asked", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      assertEquals([client.readable === client.readable, client.writable === client.writable], [true, true]);
      await server.writeAll(Uint8Array.of(1));
      await sleep(2);
      assertEquals(await client.read(new Uint8Array(5)), 1);
      client.close();
      server.close();
    });
  });

  it("read into the reader's own bytes", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      await server.writeAll(Uint8Array.of(1, 2, 3));
      await server.shutdown();
      const reader = client.readable.getReader({ mode: "byob" });
      const first = await reader.read(new Uint8Array(2));
      assertEquals([first.done, [...first.value ?? []]], [false, [1, 2]]);
      const second = await reader.read(new Uint8Array(2));
      assertEquals([...second.value ?? []], [3]);
      assertEquals((await reader.read(new Uint8Array(2))).done, true);
      client.close();
      server.close();
    });
  });

  it("hold back who writes more than the peer takes", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const writer = client.writable.getWriter();
      let written = 0;
      const chunk = new Uint8Array(1 << 20);
      const writing = (async () => {
        for (let i = 0; i < 32; i++) {
          await writer.ready;
          writer.write(chunk).then(() => written++, () => {});
        }
        await writer.close();
      })();
      await sleep(50);
      const before = written;
      assert(before < 16, `${before} MiB were taken`);
      assertEquals((await server.readToEnd()).length, 32 << 20);
      await writing;
      client.close();
      server.close();
    });
  });

  it("end what waits where they are cancelled, and the connection where they are aborted", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reader = client.readable.getReader();
      const reading = reader.read();
      await sleep(1);
      await reader.cancel();
      assertEquals((await reading).done, true);
      const writer = client.writable.getWriter();
      const writing = writer.write(new Uint8Array(1 << 25));
      await server.read(new Uint8Array(1));
      await writer.abort(new Error("enough")).catch(() => {});
      await assertRejects(() => writing, Error);
      assertEquals(client.isClosed, true);
      server.close();
    });
  });

  it("refuse a chunk that is no bytes", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const writer = client.writable.getWriter();
      writer.closed.catch(() => {});
      await assertRejects(
        () => Reflect.apply(writer.write, writer, ["text"]),
        TypeError,
        "chunk is no Uint8Array",
      );
      client.close();
      server.close();
    });
  });

  it("go on beside the stream's own methods: what one has sent, the others read", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const sending = spawn(sendAll, server, [pattern(10_000, 5)]);
      const first = await client.readable.getReader().read();
      const rest = await spawn(readAll, client);
      await sending;
      assertEquals(
        Buffer.compare(Buffer.concat([first.value ?? new Uint8Array(0), rest]), pattern(10_000, 5)),
        0,
      );
      client.close();
      server.close();
    });
  });
});

describe("await using", () => {
  it("sends the end and closes the connection, also one that is broken", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      {
        await using stream = client;
        await stream.writeAll(Uint8Array.of(1));
      }
      assertEquals(client.isClosed, true);
      assertEquals([...await server.readToEnd()], [1]);
      await server[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      assertEquals(server.isClosed, true);
      const [reset, other] = await pair(listener);
      other.socket.setLinger(0);
      other.close();
      await sleep(1);
      await reset[Symbol.asyncDispose]();
      assertEquals(reset.isClosed, true);
    });
  });
});
