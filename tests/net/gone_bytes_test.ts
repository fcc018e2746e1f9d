import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { type AsyncRead, BufReader, duplex, fromReadable } from "../../lib/net/async_io.ts";
import { fromNodeDuplex, TcpListener, toNodeDuplex, UnixStream } from "../../lib/net/mod.ts";
import { pipe } from "../../lib/net/process.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { local, pair } from "./ends.ts";

const message = Uint8Array.of(1, 2, 3);

/** A read that waits while the bytes that it is for are transferred away fails, and the next one has what came. */
async function assertNoEnd(reader: AsyncRead, send: () => Promise<void>): Promise<void> {
  const into = new Uint8Array(8);
  const reading = spawn(() => reader.read(into));
  await sleep(1);
  into.buffer.transfer();
  await send();
  await assertRejects(() => reading, TypeError, "into was transferred away");
  const next = new Uint8Array(8);
  assertEquals(await reader.read(next), 3);
  assertEquals([...next.subarray(0, 3)], [1, 2, 3]);
}

describe("a read into bytes that are transferred away meanwhile", () => {
  it("fails instead of telling an end, of a connection", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      using _client = client;
      using _server = server;
      await assertNoEnd(server, () => client.writeAll(message).toPromise());
      await client.writeAll(message);
      for (const method of ["peek", "readExact"] as const) {
        const into = new Uint8Array(3);
        const future = server[method](into);
        into.buffer.transfer();
        await assertRejects(() => future, TypeError, "into was transferred away");
      }
      const [one, other] = UnixStream.pair();
      using _one = one;
      using _other = other;
      await assertNoEnd(one, () => other.writeAll(message).toPromise());
      const into = new Uint8Array(3);
      const receiving = one.receiveFds(into, 0);
      into.buffer.transfer();
      await other.writeAll(message);
      await assertRejects(() => receiving, TypeError, "into was transferred away");
    });
  });

  it("fails instead of telling an end, of pipes and of what stands on another stream", async () => {
    await run(async () => {
      const [reader, writer] = pipe();
      await assertNoEnd(reader, () => writer.writeAll(message).toPromise());
      reader.close();
      writer.close();
      const [here, there] = duplex(64);
      await assertNoEnd(here, () => there.writeAll(message).toPromise());
      await assertNoEnd(new BufReader(here), () => there.writeAll(message).toPromise());
      const chunks = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      const chunksIn = chunks.writable.getWriter();
      using chunksOut = fromReadable(chunks.readable);
      await assertNoEnd(chunksOut, () => chunksIn.write(Uint8Array.from(message)));
      using stream = fromNodeDuplex(toNodeDuplex(here));
      await assertNoEnd(stream, () => there.writeAll(message).toPromise());
    });
  });

  it("fails where a buffered reader was to fill them", async () => {
    await run(async () => {
      const [here, there] = duplex(64);
      const into = new Uint8Array(6);
      const reader = new BufReader(here);
      const filling = spawn(() => reader.readExact(into));
      await there.writeAll(message);
      await sleep(1);
      into.buffer.transfer();
      await there.writeAll(message);
      await assertRejects(() => filling, TypeError, "into was transferred away");
      await there.writeAll(message);
      assertEquals((await reader.fillBuf()).byteLength, 6);
    });
  });
});

describe("writeAll", () => {
  it("fails where the bytes are transferred away before all have left", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      using _client = client;
      using _server = server;
      const bytes = new Uint8Array(1 << 24);
      const writing = spawn(() => client.writeAll(bytes));
      await sleep(1);
      bytes.buffer.transfer();
      const draining = spawn(() => server.readToEnd());
      await assertRejects(() => writing, TypeError, "bytes were transferred away");
      client.close();
      await draining;
    });
  });

  it("to a pipe fails where the bytes become fewer", async () => {
    await run(async () => {
      const [reader, writer] = pipe();
      const buffer = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 20 });
      const writing = spawn(() => writer.writeAll(new Uint8Array(buffer)));
      await sleep(1);
      buffer.resize(0);
      await reader.read(new Uint8Array(65536));
      await assertRejects(() => writing, TypeError, "bytes were transferred away or resized");
      reader.close();
      writer.close();
    });
  });
});
