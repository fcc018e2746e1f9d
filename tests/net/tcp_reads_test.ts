import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { libc, pointerTo, word } from "../../ffi/mod.ts";
import { NativeBuffer, WouldBlock } from "../../lib/io/mod.ts";
import { LimitExceededError, TcpListener, type TcpStream, UnexpectedEndError } from "../../lib/net/mod.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { tiered } from "../tier.ts";
import { local, pair, pattern } from "./ends.ts";

const MSG_OOB = 1;

/** Runs `body` with both ends of a connection, which it need not close. */
function withPair(body: (client: TcpStream, server: TcpStream) => Promise<void>): Promise<void> {
  return run(async () => {
    using listener = TcpListener.bind(local);
    const [client, server] = await pair(listener);
    using _client = client;
    using _server = server;
    await body(client, server);
  });
}

type Step = readonly [kind: number, size: number];

/** Reads `length` bytes, by whichever way each step says. */
function* readBySteps(stream: TcpStream, steps: readonly Step[], length: number): Coroutine<Uint8Array> {
  const parts: Uint8Array[] = [];
  let got = 0;
  for (let i = 0; got < length; i++) {
    const [kind, size] = steps[i % steps.length];
    const bytes = new Uint8Array(Math.min(size, length - got));
    let count = bytes.length;
    switch (kind) {
      case 0:
        count = yield* stream.read(bytes);
        break;
      case 1:
        yield* stream.readExact(bytes);
        break;
      case 2: {
        const middle = bytes.length >> 1;
        count = yield* stream.readVectored([bytes.subarray(0, middle), bytes.subarray(middle)]);
        break;
      }
      case 3: {
        const peeked = new Uint8Array(bytes.length);
        const seen = yield* stream.peek(peeked);
        yield* stream.readExact(bytes.subarray(0, seen));
        assertEquals(Buffer.compare(peeked.subarray(0, seen), bytes.subarray(0, seen)), 0);
        count = seen;
        break;
      }
      default: {
        using buffer = yield* stream.readBuffer();
        if (buffer === null) throw new Error("the end came early");
        parts.push(buffer.bytes.slice());
        got += buffer.length;
        continue;
      }
    }
    assert(count > 0, "the end came early");
    parts.push(bytes.subarray(0, count));
    got += count;
  }
  return Buffer.concat(parts);
}

/** Writes them, by whichever way each step says. */
function* writeBySteps(stream: TcpStream, steps: readonly Step[], bytes: Uint8Array): Coroutine<void> {
  let sent = 0;
  for (let i = 0; sent < bytes.length; i++) {
    const [kind, size] = steps[i % steps.length];
    const part = bytes.subarray(sent, sent + size);
    switch (kind) {
      case 0:
        sent += yield* stream.write(part);
        break;
      case 1:
        sent += yield* stream.writeVectored([part.subarray(0, 1), part.subarray(1)]);
        break;
      default:
        yield* stream.writeAll(part);
        sent += part.length;
    }
  }
}

describe("what is read", () => {
  const kinds = (count: number) =>
    fc.array(
      fc.tuple(
        fc.nat(count),
        fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100_000 })),
      ),
      {
        minLength: 1,
        maxLength: 12,
      },
    );

  it("gives what comes behind an urgent byte, at which the kernel ends a read", async () => {
    await withPair(async (client, server) => {
      await client.writeAll(Uint8Array.of(1, 2, 3));
      assertEquals(libc().send(client.fd.number, pointerTo(Uint8Array.of(0)), word(1), MSG_OOB), 1);
      await client.writeAll(Uint8Array.of(4, 5));
      // The reactor has told all of it before the first read.
      await sleep(1);
      const into = new Uint8Array(10);
      assertEquals(await server.read(into), 3);
      assertEquals(await server.read(into).timeout(10_000), 2);
      assertEquals([...into.subarray(0, 2)], [4, 5]);
    });
  });

  it("is what was written, in its order, by whatever methods and sizes", async () => {
    await fc.assert(
      fc.asyncProperty(
        kinds(4),
        kinds(2),
        fc.integer({ min: 1, max: 400_000 }),
        async (reads, writes, wanted) => {
          const smallest = Math.min(...reads.map(([, size]) => size), ...writes.map(([, size]) => size));
          const length = Math.min(wanted, 300 * smallest);
          const bytes = pattern(length, reads.length);
          await withPair(async (client, server) => {
            const writing = spawn(writeBySteps, client, writes, bytes);
            const read = await spawn(readBySteps, server, reads, length);
            await writing;
            assertEquals(Buffer.compare(read, bytes), 0);
          });
        },
      ),
      { numRuns: tiered({ quick: 25, full: 1_000, soak: 50_000 }) },
    );
  });

  it("exactly fills what it is given, though it comes in parts, and tells of an end before that", () =>
    withPair(async (client, server) => {
      const into = new Uint8Array(6);
      const reading = spawn(() => server.readExact(into));
      await client.writeAll(Uint8Array.of(1, 2));
      await sleep(2);
      assertEquals(reading.isFinished, false);
      await client.writeAll(Uint8Array.of(3, 4, 5, 6, 7));
      await reading;
      assertEquals([...into], [1, 2, 3, 4, 5, 6]);
      await server.readExact(new Uint8Array(0));
      await client.shutdown();
      const error = await assertRejects(
        () => server.readExact(into),
        UnexpectedEndError,
        "the end came after 1",
      );
      assertEquals([error.expected, error.received, into[0]], [6, 1, 7]);
    }));

  it("to its end is all there is, and too much where that is over the limit", () =>
    withPair(async (client, server) => {
      const bytes = pattern(300_000, 2);
      const writing = spawn(function* (): Coroutine<void> {
        yield* client.writeAll(bytes);
        yield* client.shutdown();
      });
      assertEquals(Buffer.compare(await server.readToEnd({ limit: 300_000 }), bytes), 0);
      await writing;
      assertEquals((await server.readToEnd()).length, 0);
      await server.writeAll(bytes.subarray(0, 11));
      await assertRejects(() => client.readToEnd({ limit: 10 }), LimitExceededError, "longer than 10 bytes");
      for (const limit of [-1, 1.5, NaN]) {
        assertThrows(() => client.readToEnd({ limit }), RangeError, "limit is");
      }
    }));

  it("was peeked at, as often as one likes", () =>
    withPair(async (client, server) => {
      const peeking = spawn(() => server.peek(new Uint8Array(3)));
      await sleep(1);
      await client.writeAll(Uint8Array.of(1, 2));
      assertEquals(await peeking, 2);
      const into = new Uint8Array(1);
      assertEquals([await server.peek(into), into[0]], [1, 1]);
      assertEquals([await server.read(into), into[0]], [1, 1]);
      assertEquals([await server.peek(into), into[0]], [1, 2]);
      await server.readExact(into);
      await client.shutdown();
      assertEquals(await server.peek(into), 0);
    }));

  it("lies in memory of the pool until it is released, and comes back from there", () =>
    withPair(async (client, server) => {
      const reading = spawn(() => server.readBuffer());
      await client.writeAll(Uint8Array.of(5, 6, 7));
      const buffer = await reading;
      assert(buffer !== null);
      assertEquals([buffer.length, ...buffer.bytes], [3, 5, 6, 7]);
      await server.writeBuffer(buffer);
      const back = new Uint8Array(3);
      await client.readExact(back);
      assertEquals([...back], [5, 6, 7]);
      buffer.release();
      buffer.release();
      assertThrows(() => buffer.bytes, Error, "a buffer that was released");
      await assertRejects(() => server.writeBuffer(buffer), Error, "a buffer that was released");
      await client.shutdown();
      assertStrictEquals(await server.readBuffer(), null);
    }));

  it("is sent back by parts where the peer is slow to take them", () =>
    withPair(async (client, server) => {
      client.socket.setReceiveBufferSize(4_096);
      server.socket.setSendBufferSize(4_096);
      const bytes = pattern(60_000, 3);
      let sent = 0;
      const echo = spawn(function* (): Coroutine<void> {
        while (sent < bytes.length) {
          using buffer = yield* server.readBuffer();
          if (buffer === null) return;
          yield* server.writeBuffer(buffer);
          sent += buffer.length;
        }
      });
      const writing = spawn(() => client.writeAll(bytes));
      const back = new Uint8Array(bytes.length);
      for (let got = 0; got < back.length;) got += await client.read(back.subarray(got, got + 1_000));
      await writing;
      await echo;
      assertEquals(Buffer.compare(back, bytes), 0);
    }));

  it("is one reader's at a time, in every form, and the first one's goes on", () =>
    withPair(async (client, server) => {
      const into = new Uint8Array(2);
      const first = spawn(() => server.readExact(into));
      await sleep(1);
      const sentence = "another read of the same stream is not over";
      await assertRejects(() => server.read(new Uint8Array(1)), Error, sentence);
      await assertRejects(() => server.peek(new Uint8Array(1)), Error, sentence);
      await assertRejects(() => server.readBuffer(), Error, sentence);
      await assertRejects(() => server.readToEnd(), Error, sentence);
      await assertRejects(() => server.readVectored([new Uint8Array(1)]), Error, sentence);
      await client.writeAll(Uint8Array.of(8, 9));
      await first;
      assertEquals([...into], [8, 9]);
    }));

  it("is another one's once the first was dropped, and nothing of it is lost", () =>
    withPair(async (client, server) => {
      await assertRejects(() => server.read(new Uint8Array(1)).timeout(1), DOMException, "within 1 ms");
      await assertRejects(() => server.readBuffer().timeout(1), DOMException, "within 1 ms");
      await client.writeAll(Uint8Array.of(3));
      const into = new Uint8Array(1);
      assertEquals([await server.read(into), into[0]], [1, 3]);
    }));

  it("may be waited for by many at once, each of whom is told", () =>
    withPair(async (client, server) => {
      const buffer = new NativeBuffer(8);
      assertEquals(server.tryRead(buffer), WouldBlock);
      const waiting = Array.from({ length: 5 }, () => spawn(() => server.whenReadable()));
      await sleep(1);
      await client.writeAll(Uint8Array.of(1));
      for (const waiter of waiting) await waiter;
      assertEquals(server.tryRead(buffer), 1);
    }));

  it("may be read by a call of one's own, which waits where that would block", () =>
    withPair(async (client, server) => {
      const bytes = new Uint8Array(4);
      assertEquals(server.tryIo("read", () => server.fd.read(bytes)), WouldBlock);
      const reading = spawn(() => server.asyncIo("read", () => server.fd.read(bytes)));
      await sleep(1);
      assertEquals(reading.isFinished, false);
      assertEquals(await client.asyncIo("write", () => client.fd.write(Uint8Array.of(1, 2))), 2);
      assertEquals([await reading, bytes[1]], [2, 2]);
    }));

  it("gives its value once, and each of its futures says what it waits for", () =>
    withPair(async (client, server) => {
      await client.writeAll(new Uint8Array(40));
      const taken = await spawn(function* (): Coroutine<string[]> {
        const messages: string[] = [];
        const parts = [new Uint8Array(1)];
        const futures = [
          server.read(parts[0]),
          server.readExact(parts[0]),
          server.peek(parts[0]),
          server.readVectored(parts),
          client.write(parts[0]),
          client.writeVectored(parts),
          server.readBuffer(),
          client.shutdown(),
        ];
        for (const future of futures) {
          assert(future.describe().includes("()"));
          const value = yield* future;
          if (typeof value === "object" && value !== null) value[Symbol.dispose]();
          try {
            yield* future;
          } catch (error) {
            messages.push(error instanceof Error ? error.message : "");
          }
        }
        return messages;
      });
      assertEquals(taken.length, 8);
      for (const message of taken) assert(message.includes("its value was taken"), message);
    }));

  it("refuses parts and lists that are none", () =>
    withPair(async (client, server) => {
      await sleep(0);
      assertThrows(() => server.readVectored([]), RangeError, "into 0 bytes");
      assertThrows(() => server.readVectored([new Uint8Array(0)]), RangeError, "into 0 bytes");
      assertThrows(() => Reflect.apply(server.readVectored, server, ["x"]), TypeError, "parts is");
      assertThrows(
        () => Reflect.apply(client.writeVectored, client, [["x"]]),
        TypeError,
        "part 0 is no Uint8Array",
      );
      const many = Array.from({ length: 1_025 }, () => new Uint8Array(1));
      assertThrows(() => client.writeVectored(many), RangeError, "there are 1025");
      assertThrows(() => Reflect.apply(server.tryIo, server, ["read", 5]), TypeError, "call is no function");
      assertThrows(
        () => Reflect.apply(server.asyncIo, server, ["read", 5]),
        TypeError,
        "call is no function",
      );
    }));
});
