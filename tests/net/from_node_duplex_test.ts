import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectByHost } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { fromNodeDuplex, TcpListener, TcpStream, toNodeDuplex } from "../../lib/net/mod.ts";
import { fromPromise, run, sleep, spawn } from "../../lib/task/mod.ts";
import { inBoth, local, pattern, served, turns } from "./node_duplex.ts";

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
