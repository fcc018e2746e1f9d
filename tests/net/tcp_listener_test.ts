import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer, Socket } from "../../lib/io/mod.ts";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, run, sleep, spawn, type Spawnable } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { tiered } from "../tier.ts";
import { descriptors, local } from "./ends.ts";

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
      // Deno makes a descriptor for its signals when it first wants one, and panics where there is none left.
      process.on("SIGUSR2", () => {});
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
