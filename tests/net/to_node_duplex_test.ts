import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectByHost } from "node:net";
import type { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { AsyncRead, AsyncWrite } from "../../lib/net/async_io/traits.ts";
import { TcpListener, TcpStream, toNodeDuplex } from "../../lib/net/mod.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../../lib/task/future.ts";
import { run } from "../../lib/task/mod.ts";
import { inBoth, local, pattern, served, turns } from "./node_duplex.ts";

/** A wait that the test ends by hand. */
class Gate extends Future<void> {
  isOpen = false;
  isDropped = false;
  #waker: Waker | null = null;
  #isOver = false;

  open(): void {
    this.isOpen = true;
    this.#waker?.wake();
  }

  override poll(context: Context): void | Pending {
    if (this.#isOver) throw consumed("a gate");
    this.#waker = context.waker;
    if (!this.isOpen) return Pending;
    this.#isOver = true;
  }

  override drop(): void {
    this.isDropped = !this.#isOver;
  }
}

/** A stream whose reads and writes the test answers. */
class ByHand implements AsyncRead, AsyncWrite, Disposable {
  reads: { into: Uint8Array; gate: Gate }[] = [];
  writes: { bytes: Uint8Array; gate: Gate }[] = [];
  shutdowns = 0;
  isDisposed = false;
  failure: Error | null = null;

  read(into: Uint8Array): Future<number> {
    const gate = new Gate();
    this.reads.push({ into, gate });
    return gate.map(() => {
      if (this.failure !== null) throw this.failure;
      return this.next.byteLength;
    });
  }

  next: Uint8Array = new Uint8Array();

  answer(bytes: Uint8Array): void {
    const { into, gate } = this.reads[this.reads.length - 1];
    this.next = bytes;
    into.set(bytes);
    gate.open();
  }

  write(bytes: Uint8Array): Future<number> {
    return this.writeAll(bytes).map(() => bytes.byteLength);
  }

  writeAll(bytes: Uint8Array): Future<void> {
    const gate = new Gate();
    this.writes.push({ bytes: bytes.slice(), gate });
    return gate.map(() => {
      if (this.failure !== null) throw this.failure;
    });
  }

  shutdown(): Future<void> {
    this.shutdowns++;
    const gate = new Gate();
    gate.open();
    return gate;
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
  }
}

async function collected(duplex: Duplex): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  duplex.on("data", (part: Uint8Array) => parts.push(part));
  await once(duplex, "end");
  return Uint8Array.from(Buffer.concat(parts));
}

describe("toNodeDuplex", () => {
  inBoth("carries what a host's socket sends and echoes, to the last byte", async () => {
    using server = await served((socket) => socket.pipe(socket));
    const duplex = toNodeDuplex(await TcpStream.connect({ ...local, port: server.port }));
    const sent = pattern(3_000_000);
    const received = collected(duplex);
    for (let at = 0; at < sent.byteLength; at += 70_001) {
      if (!duplex.write(sent.subarray(at, at + 70_001))) await once(duplex, "drain");
    }
    duplex.end();
    assertEquals(Buffer.compare(await received, sent), 0);
    assertEquals(duplex.destroyed || duplex.readableEnded, true);
  });

  inBoth("serves a host's client that half-closes", async () => {
    using listener = TcpListener.bind(local);
    const client = connectByHost({
      ...local,
      host: "127.0.0.1",
      port: listener.address.port,
      allowHalfOpen: true,
    });
    const server = toNodeDuplex((await listener.accept()).stream);
    client.end("a question");
    const question = await collected(server);
    assertEquals(Buffer.from(question).toString(), "a question");
    assert(!server.destroyed, "the end of what is read ends nothing that is written");
    const answer = collected(client);
    server.end(pattern(500_000));
    assertEquals(Buffer.compare(await answer, pattern(500_000)), 0);
    await turns();
    assert(server.destroyed, "both directions have ended");
  });

  it("reads what was read before first", async () => {
    using server = await served((socket) => socket.end(" and the rest"));
    const stream = await TcpStream.connect({ ...local, port: server.port });
    const duplex = toNodeDuplex(stream, { head: Buffer.from("the head") });
    assertEquals(Buffer.from(await collected(duplex)).toString(), "the head and the rest");
    duplex.destroy();
  });

  it("asks for no more than was wanted", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    await turns();
    assertEquals(stream.reads.length, 0);
    duplex.on("readable", () => {});
    await turns();
    assertEquals(stream.reads.length, 1);
    let asked = 0;
    while (asked < stream.reads.length) {
      asked = stream.reads.length;
      stream.answer(pattern(16_384));
      await turns();
    }
    assert(duplex.readableLength <= duplex.readableHighWaterMark + 16_384, `${duplex.readableLength}`);
    duplex.destroy();
  });

  it("tells the writer to wait, and gathers what it writes meanwhile", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    assert(!duplex.write(pattern(duplex.writableHighWaterMark)));
    for (let i = 0; i < 100; i++) duplex.write(Uint8Array.of(i));
    const drained = once(duplex, "drain");
    await turns();
    assertEquals(stream.writes.length, 1);
    stream.writes[0].gate.open();
    await turns();
    assertEquals(stream.writes.map(({ bytes }) => bytes.byteLength), [duplex.writableHighWaterMark, 100]);
    stream.writes[1].gate.open();
    await drained;
    assertEquals([...stream.writes[1].bytes], Array.from({ length: 100 }, (_, i) => i));
    duplex.destroy();
  });

  it("writes in pieces of up to 64 KiB what has gathered, whole pieces as they are, in their order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 12 }), async (sizes) => {
        const stream = new ByHand();
        const duplex = toNodeDuplex(stream);
        const parts = sizes.map((size, i) => pattern(size, i));
        for (const part of parts) duplex.write(part);
        duplex.end();
        for (let i = 0; stream.shutdowns === 0; i++) {
          assert(i < 1000, "it ends");
          stream.writes[stream.writes.length - 1]?.gate.open();
          await turns(1);
        }
        const written = stream.writes.map(({ bytes }) => bytes);
        assertEquals(Buffer.compare(Buffer.concat(written), Buffer.concat(parts)), 0);
        for (const { byteLength } of written) assert(byteLength <= 65_536 || sizes.includes(byteLength));
        duplex.destroy();
      }),
      { numRuns: 20 },
    );
  });

  it("shuts the stream down at its end, and disposes of it when both are over", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    duplex.end();
    await once(duplex, "finish");
    assertEquals([stream.shutdowns, stream.isDisposed], [1, false]);
    duplex.resume();
    await turns();
    stream.answer(new Uint8Array());
    await once(duplex, "close");
    assert(stream.isDisposed);
  });

  it("ends what is written by itself where half-open is not wanted", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream, { allowHalfOpen: false });
    duplex.resume();
    await turns();
    stream.answer(new Uint8Array());
    await once(duplex, "close");
    assertEquals([stream.shutdowns, stream.isDisposed], [1, true]);
  });

  it("drops what it waits for where it is destroyed, and disposes of the stream", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    duplex.on("error", () => {});
    duplex.resume();
    duplex.write("x");
    await turns();
    const error = new Error("enough");
    duplex.destroy(error);
    await once(duplex, "close").catch(() => {});
    await turns();
    assert(stream.isDisposed);
    assert(stream.reads[0].gate.isDropped, "the read");
    assert(stream.writes[0].gate.isDropped, "the write");
    assertEquals(duplex.errored, error);
  });

  it("fails with what a read fails with", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    const failed = once(duplex, "error");
    duplex.resume();
    await turns();
    stream.failure = new Error("the cable was cut");
    stream.answer(new Uint8Array());
    assertEquals((await failed)[0], stream.failure);
    assert(stream.isDisposed);
  });

  it("fails with what a write fails with", async () => {
    const stream = new ByHand();
    const duplex = toNodeDuplex(stream);
    const failed = once(duplex, "error");
    let told: unknown;
    duplex.write("x", (error) => told = error);
    await turns();
    stream.failure = new Error("the cable was cut");
    stream.writes[0].gate.open();
    assertEquals((await failed)[0], stream.failure);
    assertEquals(told, stream.failure);
  });

  it("tells a reset by its code", async () => {
    await run(async () => {
      using server = await served((socket) => socket.once("data", () => socket.resetAndDestroy()));
      const duplex = toNodeDuplex(await TcpStream.connect({ ...local, port: server.port }));
      const failed = once(duplex, "error");
      duplex.resume();
      duplex.write("a word");
      const [error] = await failed;
      assertEquals(error.code, "ECONNRESET");
    });
  });

  it("refuses what is no stream, and wrong options", () => {
    const stream = new ByHand();
    assertThrows(() => toNodeDuplex(Object(null)), TypeError, "does not read and write");
    assertThrows(() => toNodeDuplex(Object(5)), TypeError, "does not read and write");
    assertThrows(() => toNodeDuplex(stream, Object({ heads: 1 })), TypeError, "no option");
    assertThrows(() => toNodeDuplex(stream, Object({ head: "x" })), TypeError, "head");
    assertThrows(() => toNodeDuplex(stream, Object({ allowHalfOpen: 1 })), TypeError, "allowHalfOpen");
  });
});
