import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { NativeBuffer, Socket } from "../../lib/io/mod.ts";
import { LookupError, type NetAddress, TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, pollFn, run, sleep, spawn, type Spawnable } from "../../lib/task/mod.ts";
import { Ended } from "../../lib/task/stream.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { local } from "./ends.ts";
import { hasIpv6, unlessIpv6 } from "./ipv6.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** Why ports below 1024 are free to this process, or `false`. */
function mayBindLow(): string | false {
  if (process.getuid?.() === 0) return "the process is root's, which may listen on any port";
  const first = readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8");
  return Number(first) <= 80 ? `the kernel leaves ports from ${first.trim()} on to anybody` : false;
}

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

  it("takes localhost, which nobody is asked for, and leaves other names to bindName", async () => {
    await run(async () => {
      using listener = TcpListener.bind({ hostname: "localhost", port: 0 });
      assertEquals(listener.address.hostname, "127.0.0.1");
      using named = await TcpListener.bindName({ hostname: "localhost", port: 0 });
      assertEquals(named.address.hostname, "127.0.0.1");
      const { port } = named.address;
      const again = TcpListener.bindName({ hostname: "127.0.0.1", port });
      await assertRejects(() => again, SystemError, `127.0.0.1:${port} failed: Address already in use`);
      await assertRejects(() => again, Error, "its value was taken");
      await assertRejects(
        () => TcpListener.bindName({ hostname: "no.such.name.invalid", port: 0 }),
        LookupError,
      );
      assertThrows(() => TcpListener.bindName({ hostname: "", port: 0 }), TypeError, "hostname is empty");
      TcpListener.bindName({ hostname: "localhost", port: 0 }).drop();
      assertEquals(currentRuntime().reactor.registrations, 2);
    });
  });

  it("says that it may not listen below 1024", { skip: skipping(mayBindLow()) }, async () => {
    await run(async () => {
      const error = assertThrows(() => TcpListener.bind({ hostname: "127.0.0.1", port: 80 }), SystemError);
      assertEquals(error.code, "EACCES");
      await sleep(0);
    });
  });

  it("says that an address is not this machine's, or of no family that it has", async () => {
    await run(async () => {
      const error = assertThrows(() => TcpListener.bind({ hostname: "192.0.2.1", port: 0 }), SystemError);
      assertEquals(error.code, "EADDRNOTAVAIL");
      if (!hasIpv6()) assertThrows(() => TcpListener.bind({ hostname: "::1", port: 0 }), SystemError);
      await sleep(0);
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("listens on IPv6, for IPv4 as well or not", { skip: unlessIpv6() }, async () => {
    await run(async () => {
      for (const ipv6Only of [false, true]) {
        using listener = TcpListener.bind({ hostname: "::", port: 0 }, { ipv6Only });
        const { port } = listener.address;
        using six = await TcpStream.connect({ hostname: "::1", port });
        const { stream, address } = await listener.accept();
        assertEquals(address, six.localAddress);
        stream.close();
        const four = await spawn(() => TcpStream.connect({ hostname: "127.0.0.1", port })).settled();
        assertEquals(four.status, ipv6Only ? "rejected" : "fulfilled");
        if (four.status === "fulfilled") {
          const { stream, address } = await listener.accept();
          assertEquals(address.hostname, "::ffff:127.0.0.1");
          stream.close();
          four.value.close();
        }
      }
    });
  });

  it("shares a port where both ask for it", async () => {
    await run(async () => {
      using first = TcpListener.bind(local, { reusePort: true });
      using second = TcpListener.bind(first.address, { reusePort: true });
      assertEquals(second.address, first.address);
      assertThrows(() => TcpListener.bind(first.address), SystemError, "Address already in use");
      await sleep(0);
    });
  });

  it("refuses a port that fades away where reuseAddress is false", async () => {
    await run(async () => {
      const listener = TcpListener.bind(local);
      const client = await TcpStream.connect(listener.address);
      const { stream } = await listener.accept();
      // The side that ends first is the one whose port fades away.
      stream.close();
      assertEquals(await client.read(new Uint8Array(1)), 0);
      client.close();
      listener.close();
      const { address } = listener;
      assertThrows(
        () => TcpListener.bind(address, { reuseAddress: false }),
        SystemError,
        "Address already in use",
      );
      TcpListener.bind(address).close();
    });
  });
});

describe("incoming()", () => {
  it("gives connections as they come, with who they are from, and ends with the listener", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const clients: TcpStream[] = [];
      const serving = spawn(async () => {
        const found: NetAddress[] = [];
        for await (const { stream, address } of listener.incoming()) {
          using _ = stream;
          found.push(address);
          if (found.length === 3) listener.close();
        }
        return found;
      });
      for (let i = 0; i < 3; i++) clients.push(await TcpStream.connect(listener.address));
      assertEquals(await serving, clients.map((client) => client.localAddress));
      for (const client of clients) client.close();
    });
  });

  it("ends also where it waits while the listener is closed, and for ever after", async () => {
    await run(async () => {
      const listener = TcpListener.bind(local);
      const incoming = listener.incoming();
      const next = spawn(() => incoming.next());
      await sleep(1);
      listener.close();
      assertStrictEquals(await next, Ended);
      assertStrictEquals(await incoming.next(), Ended);
    });
  });

  it("leaves the connections to others where it is dropped", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const incoming = listener.incoming();
      await assertRejects(() => incoming.next().timeout(1), DOMException);
      incoming.drop();
      using _client = await TcpStream.connect(listener.address);
      using _server = (await listener.accept()).stream;
      assertStrictEquals(await incoming.next(), Ended);
    });
  });
});

describe("accepting", () => {
  it("may be waited for by many, each of whom has a connection of its own", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const waiting = Array.from({ length: 4 }, () => spawn(() => listener.accept()));
      await sleep(1);
      const clients: TcpStream[] = [];
      for (let i = 0; i < 4; i++) clients.push(await TcpStream.connect(listener.address));
      const ports = new Set<number>();
      for (const accepting of waiting) {
        const { stream, address } = await accepting;
        ports.add(address.port);
        stream.close();
      }
      assertEquals(ports, new Set(clients.map((client) => client.localAddress.port)));
      for (const client of clients) client.close();
    });
  });

  it("polls who waits for a connection once for each, and no more", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const accepting = listener.accept();
      let polls = 0;
      const waiting = spawn(() =>
        pollFn((context) => {
          polls++;
          return accepting.poll(context);
        })
      );
      await sleep(5);
      assertEquals(polls, 1);
      using _client = await TcpStream.connect(listener.address);
      (await waiting).stream.close();
      assertEquals(polls, 2);
    });
  });

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
    assertEquals(outputOf(listenFirst + source, { before: "ulimit -n 256" }), "EMFILE 1 2 9");
  });

  it("and closing leave nothing open, and no memory, over thousands of connections", async () => {
    const connections = tiered({ quick: 2_000, full: 100_000, soak: 1_000_000 });
    function* serve(listener: TcpListener): Coroutine<void> {
      for (;;) {
        using stream = (yield* listener.accept()).stream;
        yield* stream.writeAll(Uint8Array.of(1));
      }
    }
    function* connect(listener: TcpListener, connections: number): Coroutine<number> {
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
      assertEquals(await spawn(connect, listener, connections), connections);
      const resident = process.memoryUsage().rss;
      assertEquals(await spawn(connect, listener, connections), connections);
      const grown = process.memoryUsage().rss - resident;
      assert(grown < 64 << 20, `${grown} bytes more for as many connections again`);
      server.abort();
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
    assert(openedSince(before).length <= 10);
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
