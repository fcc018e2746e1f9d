import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { readdirSync } from "node:fs";
import { connect as connectByHost, createServer } from "node:net";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer, Socket, WouldBlock } from "../../lib/io/mod.ts";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, type JoinHandle, run, sleep, spawn, type Spawnable } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";

const local = { hostname: "127.0.0.1", port: 0 };

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

/** The end of a connection that gives back what it is given, as a coroutine. */
function* echo(stream: TcpStream, size = 4096): Coroutine<number> {
  using connection = stream;
  const bytes = new Uint8Array(size);
  let total = 0;
  for (;;) {
    const count = yield* connection.read(bytes);
    if (count === 0) return total;
    yield* connection.writeAll(bytes.subarray(0, count));
    total += count;
  }
}

async function asyncEcho(stream: TcpStream, size = 4096): Promise<number> {
  using connection = stream;
  const bytes = new Uint8Array(size);
  let total = 0;
  for (;;) {
    const count = await connection.read(bytes);
    if (count === 0) return total;
    await connection.writeAll(bytes.subarray(0, count));
    total += count;
  }
}

function* readAll(stream: TcpStream): Coroutine<Uint8Array> {
  const into = new Uint8Array(10_000);
  const parts: Uint8Array[] = [];
  for (;;) {
    const count = yield* stream.read(into);
    if (count === 0) return Uint8Array.from(Buffer.concat(parts));
    parts.push(into.slice(0, count));
  }
}

function* sendAll(stream: TcpStream, parts: readonly Uint8Array[]): Coroutine<void> {
  for (const part of parts) yield* stream.writeAll(part);
  stream.socket.shutdown("write");
}

async function pair(listener: TcpListener): Promise<[client: TcpStream, server: TcpStream]> {
  const client = await TcpStream.connect(listener.address);
  return [client, (await listener.accept()).stream];
}

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
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
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
      await assertRejects(() => second, Error, "cannot wait to read: another task waits to read");
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
      const writing = spawn(sendAll, client, [pattern(1 << 22, 1)]);
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

describe("closing", () => {
  it("ends what waits on the connection, with an error that says why", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(async () => await client.read(new Uint8Array(1)));
      const writing = spawn(async () => await client.writeAll(new Uint8Array(1 << 25)));
      await sleep(1);
      assertEquals([reading.isFinished, writing.isFinished], [false, false]);
      client.close();
      await assertRejects(() => reading, Error, "a file descriptor that was closed");
      await assertRejects(() => writing, Error, "a file descriptor that was closed");
      server.close();
    });
  });

  it("ends a waiting accept, with an error that says why", async () => {
    await run(async () => {
      const listener = TcpListener.bind(local);
      const accepting = spawn(async () => await listener.accept());
      await sleep(1);
      assertEquals(accepting.isFinished, false);
      listener.close();
      listener.close();
      assertEquals(listener.isClosed, true);
      await assertRejects(() => accepting, Error, "a file descriptor that was closed");
      await assertRejects(() => listener.accept(), Error, "a file descriptor that was closed");
    });
  });

  it("leaves later uses with an error, and none that waits", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const reading = spawn(async () => await client.read(new Uint8Array(1)));
      await sleep(1);
      reading.abort();
      client.close();
      client.close();
      assertEquals([client.isClosed, server.isClosed], [true, false]);
      await assertRejects(() => client.read(new Uint8Array(1)), Error, "closed");
      await assertRejects(() => client.writeAll(new Uint8Array(1)), Error, "closed");
      assertEquals(await server.read(new Uint8Array(1)), 0);
      server.close();
    });
  });

  it("forgets the descriptor, though the socket was closed behind its back", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      assertEquals(currentRuntime().reactor.registrations, 3);
      client.socket.fd.close();
      client.close();
      server.close();
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
  });

  it("comes with using, also of a coroutine that is aborted where it reads", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      const handle = spawn(echo, server);
      await sleep(1);
      handle.abort();
      assertEquals([server.isClosed, currentRuntime().reactor.registrations], [true, 2]);
      assertEquals(await client.read(new Uint8Array(1)), 0);
      client.close();
    });
  });

  it("may come after the runtime's end, which ends every wait", async () => {
    const before = descriptors();
    const left = await run(async () => {
      const listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      return { listener, client, server };
    });
    await run(async () => {
      const sentence = "the runtime that watched the descriptor has ended";
      await assertRejects(() => left.client.read(new Uint8Array(1)), Error, sentence);
      await assertRejects(() => left.listener.accept(), Error, sentence);
    });
    for (const end of [left.client, left.server, left.listener]) {
      end.close();
      assertEquals(end.isClosed, true);
    }
    assert(descriptors() <= before + 10);
  });

  it("is done for whatever a coroutine holds at the runtime's end", async () => {
    function* holder(listener: TcpListener): Coroutine<void> {
      using accepted = (yield* listener.accept()).stream;
      yield* accepted.read(new Uint8Array(1));
    }
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      await run(async () => {
        using listener = TcpListener.bind(local);
        spawn(holder, listener);
        using client = await TcpStream.connect(listener.address);
        await client.whenWritable();
        await sleep(1);
      });
    }
    assert(descriptors() < before + 25);
  });
});

describe("TcpStream.connect", () => {
  it("fails where nobody listens, and closes its socket", async () => {
    let port = 0;
    await run(async () => {
      const listener = TcpListener.bind(local);
      port = listener.address.port;
      listener.close();
      await sleep(0);
      const before = descriptors();
      for (let i = 0; i < 50; i++) {
        const error = await assertRejects(
          () => TcpStream.connect({ hostname: "127.0.0.1", port }),
          SystemError,
          `connect 127.0.0.1:${port} failed: Connection refused`,
        );
        assertEquals(error.code, "ECONNREFUSED");
      }
      assert(descriptors() < before + 25);
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("closes its socket where it is aborted", async () => {
    function* connect(listener: TcpListener): Coroutine<void> {
      using _stream = yield* TcpStream.connect(listener.address);
    }
    // Polled right after it, before the reactor is asked.
    function* abortOnce(handle: JoinHandle<void>): Coroutine<void> {
      assertEquals([handle.isFinished, currentRuntime().reactor.registrations], [false, 2]);
      handle.abort();
      yield* sleep(0);
    }
    await run(async () => {
      using listener = TcpListener.bind(local);
      const handle = spawn(connect, listener);
      const aborter = spawn(abortOnce, handle);
      await aborter;
      await sleep(1);
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
  });

  it("refuses a wrong address", async () => {
    await run(async () => {
      await sleep(0);
      assertThrows(() => TcpStream.connect({ hostname: "localhost", port: 80 }), TypeError, '"localhost"');
      assertThrows(
        () => TcpStream.connect({ hostname: "127.0.0.1", port: 65_536 }),
        RangeError,
        "port is 65536",
      );
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });
});

describe("TcpListener.bind", () => {
  it("says which address is in use, and holds nothing then", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const { port } = listener.address;
      const error = assertThrows(
        () => TcpListener.bind({ hostname: "127.0.0.1", port }),
        SystemError,
        `127.0.0.1:${port} failed: Address already in use`,
      );
      assertEquals([error.code, currentRuntime().reactor.registrations], ["EADDRINUSE", 1]);
      assertThrows(() => TcpListener.bind({ hostname: "nowhere", port: 1 }), TypeError, '"nowhere"');
      assertThrows(() => TcpListener.bind({ hostname: "::1", port: -1 }), RangeError, "port is -1");
      await sleep(0);
    });
  });

  it("works in the host's loop, where no runtime runs", async () => {
    using listener = TcpListener.bind(local);
    const connecting = TcpStream.connect(listener.address).toPromise();
    using server = (await listener.accept()).stream;
    using client = await connecting;
    await client.writeAll(Uint8Array.of(1, 2, 3));
    const bytes = new Uint8Array(8);
    assertEquals([await server.read(bytes), ...bytes.subarray(0, 3)], [3, 1, 2, 3]);
  });
});

describe("accepting", () => {
  it("goes on after a connection that was reset in the queue", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const gone = Socket.connect(listener.address);
      gone.write(new NativeBuffer(1));
      gone.fd.close();
      using client = await TcpStream.connect(listener.address);
      const { stream: first } = await listener.accept();
      const { stream: second } = await listener.accept();
      assertEquals(second.socket.remoteAddress, client.socket.localAddress);
      first.close();
      second.close();
    });
  });

  it("waits where descriptors have run out, and goes on once some are free", () => {
    const source = `
      import { openSync, closeSync } from "node:fs";
      import { run, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      import { TcpListener, TcpStream } from "${moduleUrl("lib/net/mod.ts")}";
      import { Fd } from "${moduleUrl("lib/io/mod.ts")}";
      await run(async () => {
        using listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
        const accepted = [];
        spawn(async () => { for (;;) accepted.push((await listener.accept()).stream); });
        await sleep(5);
        const first = await TcpStream.connect(listener.address);
        while (accepted.length < 1) await sleep(1);
        // The client's descriptor is there already, the server's cannot be.
        const second = TcpStream.connect(listener.address).toPromise();
        const hoard = [];
        let code = "none";
        try {
          for (;;) hoard.push(Fd.open("/dev/null"));
        } catch (error) {
          code = error.code;
        }
        const client = await second;
        await sleep(120);
        const meanwhile = accepted.length;
        for (const fd of hoard) fd.close();
        while (accepted.length < 2) await sleep(1);
        await accepted[1].writeAll(Uint8Array.of(9));
        const into = new Uint8Array(1);
        await client.read(into);
        console.log(code, meanwhile, accepted.length, into[0]);
      });
      process.exit(0);
    `;
    assertEquals(outputOf(source, { before: "ulimit -n 256" }), "EMFILE 1 2 9");
  });

  it("and closing leave nothing open over two thousand connections", async () => {
    const connections = tiered({ quick: 2_000, full: 50_000, soak: 1_000_000 });
    function* serve(listener: TcpListener): Coroutine<void> {
      for (;;) {
        using stream = (yield* listener.accept()).stream;
        yield* stream.writeAll(Uint8Array.of(1));
      }
    }
    function* connect(listener: TcpListener): Coroutine<number> {
      const into = new Uint8Array(4);
      let sum = 0;
      for (let i = 0; i < connections; i++) {
        using stream = yield* TcpStream.connect(listener.address);
        sum += yield* stream.read(into);
      }
      return sum;
    }
    const before = descriptors();
    await run(async () => {
      using listener = TcpListener.bind(local);
      const server = spawn(serve, listener);
      assertEquals(await spawn(connect, listener), connections);
      server.abort();
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
    assert(descriptors() <= before + 10);
  });

  it("gives way, though there is always something to read and room to write", async () => {
    await run(function* (): Coroutine<void> {
      using listener = TcpListener.bind(local);
      const accepting = spawn(() => listener.accept());
      using client = yield* TcpStream.connect(listener.address);
      using server = (yield* accepting).stream;
      let others = 0;
      // deno-lint-ignore require-yield
      function* other(): Coroutine<void> {
        others++;
      }
      spawn(other);
      const bytes = new Uint8Array(8);
      for (let i = 0; i < 2000 && others === 0; i++) {
        yield* client.writeAll(bytes);
        yield* server.read(bytes);
      }
      assertEquals(others, 1);
    });
  });

  it("goes on waiting where another wait that was never polled is dropped", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const accepting = spawn(() => listener.accept());
      await sleep(1);
      listener.accept().drop();
      using client = await TcpStream.connect(listener.address);
      using server = (await accepting.timeout(5_000)).stream;
      const bytes = new Uint8Array(8);
      const reading = spawn(() => server.read(bytes));
      await sleep(1);
      server.read(bytes).drop();
      server.whenReadable().drop();
      await client.writeAll(bytes);
      assertEquals(await reading.timeout(5_000), 8);
    });
  });

  it("is its taker's once it has connected: dropping what was waited for closes it no more", async () => {
    await run(function* (): Coroutine<void> {
      using listener = TcpListener.bind(local);
      const connecting = TcpStream.connect(listener.address);
      using stream = yield* connecting;
      const writing = stream.writeAll(new Uint8Array(1));
      yield* writing;
      for (const [used, name] of [[connecting, "connect()"], [writing, "writeAll()"]] as const) {
        const again = (yield* spawn((): Spawnable<unknown> => used).settled()).status;
        assertEquals([name, again], [name, "rejected"]);
        used.drop();
      }
      assertEquals(stream.isClosed, false);
    });
  });

  it("refuses by name what it cannot read into, send, listen or connect with", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      using stream = await TcpStream.connect(listener.address);
      for (const wrong of ["text", null, new Uint16Array([256]), new ArrayBuffer(4)]) {
        assertThrows(
          () => Reflect.apply(stream.writeAll, stream, [wrong]),
          TypeError,
          "bytes is no Uint8Array",
        );
        assertThrows(() => Reflect.apply(stream.read, stream, [wrong]), TypeError, "into is no Uint8Array");
      }
      assertThrows(() => Reflect.apply(stream.shutdown, stream, ["all"]), TypeError, "how is");
      const bind = (...given: unknown[]): unknown => Reflect.apply(TcpListener.bind, TcpListener, given);
      assertThrows(() => bind(local, { backlock: 5 }), TypeError, 'no option "backlock"');
      assertThrows(() => bind(local, { backlog: "5" }), RangeError, "backlog is");
      assertThrows(() => bind(local, { reusePort: 1 }), TypeError, "reusePort is");
      assertThrows(() => bind(null), TypeError, "address is no object");
      assertThrows(() => bind({ hostname: 5, port: 1 }), TypeError, "hostname is no string");
      assertThrows(() => bind({ hostname: "127.0.0.1", port: "1" }), RangeError, "port is");
    });
  });
});
