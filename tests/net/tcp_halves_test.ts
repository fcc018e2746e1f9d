import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TcpListener } from "../../lib/net/mod.ts";
import { NativeBuffer, WouldBlock } from "../../lib/io/mod.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { local, pair, pattern, readAll, sendAll } from "./ends.ts";

describe("the halves of a stream", () => {
  it("read and write at the same time, each in a task of its own", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const [reader, writer] = server.split();
      const bytes = pattern(3_000_000, 1);
      const reading = spawn(readAll, reader);
      const writing = spawn(sendAll, writer, [bytes]);
      const [there, back] = client.intoSplit();
      const sent = spawn(sendAll, back, [bytes]);
      assertEquals(Buffer.compare(await spawn(readAll, there), bytes), 0);
      await sent;
      await writing;
      assertEquals(Buffer.compare(await reading, bytes), 0);
      server.close();
      there.close();
      back.close();
      assertEquals([client.isClosed, server.isClosed], [true, true]);
    });
  });

  it("that own it send the end with the writer, and close it with the second", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      using _ = server;
      const [reader, writer] = client.intoSplit();
      assertThrows(() => client.read(new Uint8Array(1)), Error, "a stream that was split");
      assertThrows(() => client.intoSplit(), Error, "a stream that was split");
      client.close();
      assertEquals(client.isClosed, false);
      writer.close();
      writer.close();
      assertEquals(await server.read(new Uint8Array(1)), 0);
      assertEquals(client.isClosed, false);
      await server.writeAll(Uint8Array.of(4));
      const into = new Uint8Array(1);
      assertEquals([await reader.read(into), into[0]], [1, 4]);
      reader[Symbol.dispose]();
      assertEquals(client.isClosed, true);
      await assertRejects(() => reader.read(into), Error, "the stream was closed");
    });
  });

  it("are used no more once they are closed, though the other one is open", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const [reader, writer] = client.intoSplit();
      const [lent, kept] = server.split();
      reader.close();
      kept.close();
      for (const use of [() => reader.read(new Uint8Array(1)), () => reader.whenReadable()]) {
        assertThrows(use, Error, "cannot read: this half of the stream was closed");
      }
      for (const use of [() => kept.writeAll(Uint8Array.of(1)), () => kept.shutdown()]) {
        assertThrows(use, Error, "cannot write: this half of the stream was closed");
      }
      await writer.writeAll(Uint8Array.of(1));
      assertEquals(await lent.read(new Uint8Array(2)), 1);
      writer.close();
      server.close();
    });
  });

  it("that it was lent leave it open", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      {
        const [reader, writer] = client.split();
        using _reader = reader;
        using _writer = writer;
      }
      await client.writeAll(Uint8Array.of(1));
      assertEquals(await server.read(new Uint8Array(2)), 1);
      client.close();
      server.close();
    });
  });

  it("make it whole again, and those of another stream do not", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const [reader, writer] = client.intoSplit();
      const [otherReader, otherWriter] = server.intoSplit();
      assertThrows(() => client.reunite(reader, otherWriter), Error, "not both the open halves");
      assertThrows(() => client.reunite(otherReader, otherWriter), Error, "not both the open halves");
      assertThrows(
        () => client.reunite(...client.reunite(reader, writer).split()),
        Error,
        "not both the open",
      );
      writer.close();
      reader.close();
      assertEquals(client.isClosed, false);
      await client.writeAll(Uint8Array.of(9));
      assertEquals(await otherReader.read(new Uint8Array(2)), 1);
      otherReader.close();
      assertThrows(() => server.reunite(otherReader, otherWriter), Error, "not both the open halves");
      otherWriter.close();
      assertEquals(server.isClosed, true);
      client.close();
    });
  });

  it("have the methods of their side", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const [reader] = server.split();
      const [, writer] = client.split();
      const native = new NativeBuffer(8);
      assertEquals(reader.tryRead(native), WouldBlock);
      const waiting = spawn(() => reader.whenReadable());
      await sleep(1);
      await writer.whenWritable();
      native.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
      assertEquals(writer.tryWrite(native, 0, 2), 2);
      await waiting;
      assertEquals(await writer.write(Uint8Array.of(3)), 1);
      assertEquals(await writer.writeVectored([Uint8Array.of(4), Uint8Array.of(5, 6)]), 3);
      const one = new Uint8Array(1);
      assertEquals([await reader.peek(one), one[0]], [1, 1]);
      const two = new Uint8Array(2);
      await reader.readExact(two);
      assertEquals([...two], [1, 2]);
      assertEquals([await reader.readVectored([one]), one[0]], [1, 3]);
      await sleep(1);
      const buffer = await reader.readBuffer();
      assertEquals(buffer === null ? [] : [...buffer.bytes], [4, 5, 6]);
      if (buffer !== null) await server.split()[1].writeBuffer(buffer);
      buffer?.release();
      await client.readExact(new Uint8Array(3));
      await writer.shutdown();
      assertEquals((await reader.readToEnd()).length, 0);
      client.close();
      server.close();
    });
  });
});
