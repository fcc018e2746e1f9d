import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer, WouldBlock } from "../../lib/io/mod.ts";
import { TcpListener } from "../../lib/net/mod.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { local, pair, pattern, readAll, sendAll } from "./ends.ts";

describe("a TcpStream", () => {
  it("knows both ends' addresses", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      assertEquals(client.socket.remoteAddress, listener.address);
      assertEquals(server.socket.remoteAddress, client.socket.localAddress);
      client.close();
      server.close();
    });
  });

  it("reads what comes after its own end was sent, and 0 at the other's", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      client.socket.shutdown("write");
      const into = new Uint8Array(10);
      assertEquals(await server.read(into), 0);
      assertEquals(await server.read(into), 0);
      await server.writeAll(Uint8Array.of(1, 2, 3));
      server.close();
      assertEquals([await client.read(into), ...into.subarray(0, 3)], [3, 1, 2, 3]);
      assertEquals([await client.read(into), await client.read(into)], [0, 0]);
      client.close();
    });
  });

  it("fails where the peer resets the connection, and does not wait for ever", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      await client.writeAll(new Uint8Array(10));
      await server.whenReadable();
      const reading = spawn(async () => await client.read(new Uint8Array(10)));
      await sleep(1);
      server.close();
      const error = await assertRejects(() => reading, SystemError, "recv failed");
      assertEquals(error.code, "ECONNRESET");
      const broken = await assertRejects(
        () => client.writeAll(new Uint8Array(10)),
        SystemError,
        "send failed",
      );
      assertEquals(broken.code, "EPIPE");
      client.close();
    });
  });

  it("fails where the peer goes away in the midst of a writeAll", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const writing = spawn(async () => await client.writeAll(new Uint8Array(1 << 25)));
      await server.read(new Uint8Array(10));
      assertEquals(writing.isFinished, false);
      server.close();
      const error = await assertRejects(() => writing, SystemError, "send failed");
      assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
      client.close();
    });
  });

  it("waits for a slow reader, and holds no more than the kernel does", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const bytes = pattern(1 << 24, 3);
      const writing = spawn(async () => await client.writeAll(bytes));
      await sleep(30);
      assertEquals(writing.isFinished, false);
      const received = Buffer.alloc(bytes.length);
      const into = new Uint8Array(1 << 16);
      for (let got = 0; got < bytes.length;) {
        if (got < 1 << 18) await sleep(1);
        const count = await server.read(into);
        assert(count > 0);
        received.set(into.subarray(0, count), got);
        got += count;
      }
      await writing;
      assertEquals(received.equals(bytes), true);
      client.close();
      server.close();
    });
  });

  it("writes no bytes at once, and refuses to read into none", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      await client.writeAll(new Uint8Array(0));
      assertThrows(() => client.read(new Uint8Array(0)), RangeError, "cannot read into 0 bytes");
      await client.writeAll(Uint8Array.of(1));
      assertEquals(await server.read(new Uint8Array(5)), 1);
      client.close();
      server.close();
    });
  });

  it("tries at once, into a buffer of the caller's", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const buffer = new NativeBuffer(8);
      assertEquals(server.tryRead(buffer), WouldBlock);
      buffer.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
      assertEquals(client.tryWrite(buffer, 2, 3), 3);
      await server.whenReadable();
      const into = new NativeBuffer(8);
      assertEquals([server.tryRead(into, 1), ...into.bytes], [3, 0, 3, 4, 5, 0, 0, 0, 0]);
      assertEquals(server.tryRead(into), WouldBlock);
      let sent = 0;
      for (let count = 0; count !== WouldBlock; sent += Math.max(count, 0)) count = client.tryWrite(buffer);
      const writable = spawn(async () => await client.whenWritable());
      await sleep(1);
      assertEquals(writable.isFinished, false);
      const drain = new Uint8Array(1 << 16);
      for (let got = 0; got < sent;) got += await server.read(drain);
      await writable;
      assertEquals(client.tryWrite(buffer, 0, 1), 1);
      client.close();
      server.close();
    });
  });

  it("is read by one task at a time, and says so to the second", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const first = spawn(async () => await server.read(new Uint8Array(5)));
      const second = spawn(async () => await server.read(new Uint8Array(5)));
      await assertRejects(() => second, Error, "cannot read: another read of the same stream is not over");
      await client.writeAll(new Uint8Array(5));
      assertEquals(await first, 5);
      client.close();
      server.close();
    });
  });

  it("reads and writes at the same time", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(readAll, client);
      const writing = spawn(sendAll, client, [new Uint8Array(1 << 25)]);
      await sleep(1);
      assertEquals([reading.isFinished, writing.isFinished], [false, false]);
      await server.writeAll(Uint8Array.of(7));
      const into = new Uint8Array(1 << 16);
      while (await server.read(into) > 0);
      await writing;
      server.close();
      assertEquals(await reading, Uint8Array.of(7));
      client.close();
    });
  });
});
