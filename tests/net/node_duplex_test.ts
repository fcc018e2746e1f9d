import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectByHost, createServer, type Socket as HostSocket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { consumed, type Context, Future, Pending, type Waker } from "../../lib/task/future.ts";
import { fromPromise, run, sleep, spawn } from "../../lib/task/mod.ts";
import { fromNodeDuplex, TcpListener, TcpStream, toNodeDuplex } from "../../lib/net/mod.ts";
import type { AsyncRead, AsyncWrite } from "../../lib/net/async_io/traits.ts";

const local = { hostname: "127.0.0.1", port: 0 };

function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

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

/** Turns of the host's loop, in which its streams tell what they have to tell. */
async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function collected(duplex: Duplex): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  duplex.on("data", (part: Uint8Array) => parts.push(part));
  await once(duplex, "end");
  return Uint8Array.from(Buffer.concat(parts));
}

/** The same in a runtime's own loop and in the host's. */
function inBoth(name: string, test: () => Promise<void>): void {
  it(`${name}, in run`, () => run(test));
  it(`${name}, in the host's loop`, test);
}

async function served(handle: (socket: HostSocket) => void): Promise<{ port: number } & Disposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
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

/** The two ends of a connection in memory, as the host makes them. */
function hostPair(): [Duplex, Duplex] {
  const released: (() => void)[] = [() => {}, () => {}];
  function end(own: number): Duplex {
    return new Duplex({
      read() {
        released[own]();
      },
      write(chunk: Uint8Array, _encoding, callback) {
        if (ends[1 - own].push(chunk)) callback();
        else released[1 - own] = callback;
      },
      final(callback) {
        ends[1 - own].push(null);
        callback();
      },
    });
  }
  const ends: [Duplex, Duplex] = [end(0), end(1)];
  return ends;
}

describe("fromNodeDuplex", () => {
  inBoth("reads and writes every byte over a host's socket, whatever the sizes", async () => {
    using server = await served((socket) => socket.pipe(socket));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(200_000), { maxLength: 5 }),
        fc.integer({ min: 1, max: 70_000 }),
        async (sizes, size) => {
          const socket = connectByHost({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
          using stream = fromNodeDuplex(socket);
          const parts = sizes.map((length, i) => pattern(Math.min(length, size * 200), i));
          const writing = (async () => {
            for (const part of parts) await stream.writeAll(part);
            await stream.shutdown();
          })();
          const received: Uint8Array[] = [];
          const into = new Uint8Array(size);
          for (;;) {
            const count = await stream.read(into);
            if (count === 0) break;
            received.push(into.slice(0, count));
          }
          await writing;
          assertEquals(Buffer.compare(Buffer.concat(received), Buffer.concat(parts)), 0);
        },
      ),
      { numRuns: 10 },
    );
  });

  it("lets a coroutine wait for the host without a promise of its own", async () => {
    const [ours, theirs] = hostPair();
    using stream = fromNodeDuplex(ours);
    setTimeout(() => theirs.write("late"), 20);
    const text = await run(function* () {
      const into = new Uint8Array(10);
      const count = yield* stream.read(into);
      return Buffer.from(into.subarray(0, count)).toString();
    });
    assertEquals(text, "late");
    theirs.destroy();
  });

  it("holds the other side back where nobody reads", async () => {
    const [ours, theirs] = hostPair();
    using stream = fromNodeDuplex(ours);
    let written = 0;
    while (theirs.write(new Uint8Array(10_000)) && written < 100) {
      written++;
      await turns(1);
    }
    assert(written < 100, "the writer is told to wait");
    let total = 0;
    const into = new Uint8Array(7_000);
    const end = new Promise<void>((resolve) => theirs.end(resolve));
    for (let count = await stream.read(into); count > 0; count = await stream.read(into)) total += count;
    await end;
    assertEquals(total, (written + 1) * 10_000);
  });

  it("takes nothing where a read is dropped", async () => {
    await run(async () => {
      const [ours, theirs] = hostPair();
      using stream = fromNodeDuplex(ours);
      const into = new Uint8Array(10);
      await assertRejects(() => stream.read(into).timeout(5).toPromise(), DOMException);
      theirs.write("kept");
      assertEquals(await stream.read(into), 4);
      theirs.destroy();
    });
  });

  it("waits with a write until the Duplex takes it, and copies it", async () => {
    const taken: string[] = [];
    let release = (): void => {};
    const duplex = new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, callback) {
        taken.push(Buffer.from(chunk).toString());
        release = callback;
      },
    });
    using stream = fromNodeDuplex(duplex);
    const bytes = Uint8Array.from(Buffer.from("first"));
    let isOver = false;
    const writing = stream.writeAll(bytes).toPromise().then(() => isOver = true);
    await turns();
    bytes.fill(120);
    assertEquals([taken, isOver], [["first"], false]);
    release();
    await writing;
    assert(isOver);
  });

  it("writes nothing of no bytes", async () => {
    using stream = fromNodeDuplex(new PassThrough());
    await stream.writeAll(new Uint8Array());
    assertEquals(await stream.write(new Uint8Array()), 0);
  });

  it("fails where the Duplex does, in whatever waits", async () => {
    const duplex = new PassThrough();
    using stream = fromNodeDuplex(duplex);
    const error = new Error("the cable was cut");
    const reading = stream.read(new Uint8Array(1)).toPromise();
    duplex.destroy(error);
    await assertRejects(() => reading, Error, "the cable was cut");
    await assertRejects(() => stream.read(new Uint8Array(1)).toPromise(), Error, "the cable was cut");
    await assertRejects(() => stream.writeAll(new Uint8Array(1)).toPromise(), Error, "the cable was cut");
    await assertRejects(() => stream.shutdown().toPromise(), Error, "the cable was cut");
  });

  it("says that a Duplex was destroyed before its end", async () => {
    const duplex = new PassThrough();
    using stream = fromNodeDuplex(duplex);
    const reading = stream.read(new Uint8Array(1)).toPromise();
    duplex.destroy();
    await assertRejects(() => reading, Error, "destroyed before its end");
    await assertRejects(() => stream.writeAll(new Uint8Array(1)).toPromise(), Error, "was destroyed");
  });

  it("lets one task read at a time", async () => {
    const duplex = new PassThrough();
    using stream = fromNodeDuplex(duplex);
    const first = stream.read(new Uint8Array(1)).toPromise();
    await turns(2);
    await assertRejects(() => stream.read(new Uint8Array(1)).toPromise(), Error, "another task waits");
    duplex.write("x");
    assertEquals(await first, 1);
  });

  it("throws where a future of its own is awaited again", async () => {
    using stream = fromNodeDuplex(new PassThrough());
    const futures = [stream.write(Uint8Array.of(1)), stream.read(new Uint8Array(1)), stream.shutdown()];
    const context = { waker: { wake() {} } };
    for (const future of futures) {
      await future;
      assertThrows(() => future.poll(context), Error, "its value was taken");
    }
  });

  it("refuses objects, text, and what is no Duplex", async () => {
    assertThrows(() => fromNodeDuplex(Object(null)), TypeError, "does not read and write");
    assertThrows(() => fromNodeDuplex(new PassThrough({ objectMode: true })), TypeError, "carries objects");
    assertThrows(() => fromNodeDuplex(new PassThrough({ encoding: "utf8" })), TypeError, "text");
    using stream = fromNodeDuplex(new PassThrough());
    assertThrows(() => stream.read(new Uint8Array()), RangeError, "0 bytes");
    assertThrows(() => stream.read(Object("x")), TypeError, "Uint8Array");
    assertThrows(() => stream.writeAll(Object("x")), TypeError, "Uint8Array");
    await turns(1);
  });

  it("and toNodeDuplex are each other's way back", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const echo = spawn(async () => {
        const duplex = toNodeDuplex((await listener.accept()).stream);
        duplex.pipe(duplex);
        await fromPromise(once(duplex, "close"));
      });
      using stream = fromNodeDuplex(toNodeDuplex(await TcpStream.connect(listener.address)));
      const sent = pattern(400_000);
      const sending = spawn(async () => {
        await stream.writeAll(sent);
        await stream.shutdown();
      });
      const received: Uint8Array[] = [];
      const into = new Uint8Array(30_000);
      for (let count = await stream.read(into); count > 0; count = await stream.read(into)) {
        received.push(into.slice(0, count));
      }
      await sending;
      await echo;
      await sleep(0);
      assertEquals(Buffer.compare(Buffer.concat(received), sent), 0);
    });
  });
});
