import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { interleaved } from "../../lib/net/connect.ts";
import { ConnectError, type HostAddress, TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, type JoinHandle, run, sleep, spawn } from "../../lib/task/mod.ts";
import { unlessIpv6 } from "./ipv6.ts";
import { fullListener, local, slept } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

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
      assert(openedSince(before).length < 25);
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
      assertThrows(() => TcpStream.connect({ hostname: "", port: 80 }), TypeError, "hostname is empty");
      assertThrows(
        () => TcpStream.connect({ hostname: "127.0.0.1", port: 65_536 }),
        RangeError,
        "port is 65536",
      );
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("does nothing before it is polled", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const before = descriptors();
      const connecting = TcpStream.connect(listener.address);
      const named = TcpStream.connect({ hostname: "localhost", port: listener.address.port });
      assertEquals([openedSince(before).length, currentRuntime().reactor.registrations], [0, 1]);
      connecting.drop();
      connecting.drop();
      named.drop();
      await assertRejects(() => connecting, Error, "its value was taken");
      assertEquals([openedSince(before).length, currentRuntime().reactor.registrations], [0, 1]);
    });
  });

  it("sets what it is told to", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      using client = await TcpStream.connect(listener.address, {
        noDelay: true,
        timeout: 5_000,
        signal: new AbortController().signal,
        localAddress: { hostname: "127.0.0.1", port: 0 },
      });
      const { stream, address } = await listener.accept();
      assertEquals([client.socket.isNoDelay, stream.socket.isNoDelay], [true, false]);
      assertEquals([client.localAddress, client.remoteAddress], [address, stream.localAddress]);
      assertEquals(stream.remoteAddress, address);
      client.setNoDelay(false);
      assertEquals(client.socket.isNoDelay, false);
      stream.close();
    });
  });

  it("refuses a local address that is another family's, or not this machine's", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const from = (hostname: string) =>
        TcpStream.connect(listener.address, { localAddress: { hostname, port: 0 } });
      const before = descriptors();
      await assertRejects(() => from("192.0.2.1"), SystemError, "bind 192.0.2.1:0 failed");
      await assertRejects(() => from("::1"), SystemError, "bind [::1]:0 failed");
      assertEquals([openedSince(before).length, currentRuntime().reactor.registrations], [0, 1]);
      assertThrows(() => from("localhost"), TypeError, "not a numeric");
    });
  });

  it("gives up in time, names what it has tried, and closes that", async () => {
    await run(async () => {
      using full = await fullListener();
      const { port } = full.address;
      await slept();
      const open = descriptors();
      const error = await assertRejects(
        () => TcpStream.connect(full.address, { timeout: 20 }),
        DOMException,
        `cannot connect to 127.0.0.1:${port} within 20 ms: tried 127.0.0.1:${port}`,
      );
      assertEquals(error.name, "TimeoutError");
      const { signal } = new AbortController();
      const aborted = AbortSignal.any([signal, AbortSignal.timeout(20)]);
      const abortion = await assertRejects(
        () => TcpStream.connect(full.address, { signal: aborted }),
        DOMException,
      );
      assertEquals([abortion.name, openedSince(open).length], ["TimeoutError", 0]);
      const never = AbortSignal.abort(new RangeError("no more"));
      await assertRejects(() => TcpStream.connect(full.address, { signal: never }), RangeError, "no more");
    });
  });

  it("refuses options that are none, before anything is begun", async () => {
    await run(async () => {
      await sleep(0);
      const connect = (...given: unknown[]): unknown => Reflect.apply(TcpStream.connect, TcpStream, given);
      const address = { hostname: "127.0.0.1", port: 1 };
      assertThrows(() => connect(address, { timeOut: 5 }), TypeError, 'no option "timeOut"');
      assertThrows(() => connect(address, { timeout: -1 }), RangeError, "timeout is -1");
      assertThrows(() => connect(address, { noDelay: 1 }), TypeError, "noDelay is 1");
      assertThrows(() => connect(address, { signal: 5 }), TypeError, "signal is no AbortSignal");
      assertThrows(() => connect(null), TypeError, "address is no object");
      assertThrows(() => connect({ hostname: 5, port: 1 }), TypeError, "hostname is no string");
      assertThrows(() => connect({ hostname: "a", port: 1.5 }), RangeError, "port is 1.5");
    });
  });
});

describe("connecting to a name", { skip: unlessIpv6() }, () => {
  it("takes the address that answers, where the first one refuses", async () => {
    await run(async () => {
      using listener = TcpListener.bind({ hostname: "::1", port: 0 });
      const { port } = listener.address;
      using client = await TcpStream.connect({ hostname: "localhost", port });
      assertEquals(client.remoteAddress, { hostname: "::1", port });
      assertEquals(currentRuntime().reactor.registrations, 2);
    });
  });

  it("tries the next address beside one that does not answer, and closes the loser", async () => {
    await run(async () => {
      using full = await fullListener();
      const { port } = full.address;
      using listener = TcpListener.bind({ hostname: "::1", port });
      await slept();
      const open = descriptors();
      const began = performance.now();
      using client = await TcpStream.connect({ hostname: "localhost", port });
      assert(performance.now() - began >= 249, "the first address was not waited for");
      assertEquals([client.remoteAddress.hostname, openedSince(open).length], ["::1", 1]);
      const { stream } = await listener.accept();
      stream.close();
    });
  });

  it("closes all of them where it is dropped, or too late", async () => {
    await run(async () => {
      using full = await fullListener();
      const { port } = full.address;
      using six = await fullListener({ hostname: "::1", port });
      await slept();
      const open = descriptors();
      const error = await assertRejects(
        () => TcpStream.connect({ hostname: "localhost", port }, { timeout: 600 }),
        DOMException,
        `tried 127.0.0.1:${port}, [::1]:${port}`,
      );
      assertEquals([error.name, openedSince(open).length, six.isClosed], ["TimeoutError", 0, false]);
    });
  });

  it("tells of every address that was tried in vain", async () => {
    await run(async () => {
      const listener = TcpListener.bind({ hostname: "::", port: 0 });
      const { port } = listener.address;
      listener.close();
      const error = await assertRejects(
        () => TcpStream.connect({ hostname: "localhost", port }),
        ConnectError,
      );
      assertEquals([error.hostname, error.port, error.code], ["localhost", port, "ECONNREFUSED"]);
      assertEquals(error.errors.length, 2);
      assert(
        error.message.includes(`127.0.0.1:${port}`) && error.message.includes(`[::1]:${port}`),
        error.message,
      );
    });
  });

  it("takes the addresses of the local one's family alone", async () => {
    await run(async () => {
      using listener = TcpListener.bind({ hostname: "::", port: 0 });
      const { port } = listener.address;
      const localAddress = { hostname: "::1", port: 0 };
      using client = await TcpStream.connect({ hostname: "localhost", port }, { localAddress });
      assertEquals([client.localAddress.hostname, client.remoteAddress.hostname], ["::1", "::1"]);
    });
  });
});

describe("the order in which a name's addresses are tried", () => {
  it("takes the families by turns, that of the first first", () => {
    const addresses = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "::1", "::2"];
    const all = addresses.map((hostname): HostAddress => ({
      hostname,
      family: hostname.includes(":") ? 6 : 4,
    }));
    const order = (list: HostAddress[]) => interleaved(list).map(({ hostname }) => hostname);
    assertEquals(order(all), ["1.1.1.1", "::1", "2.2.2.2", "::2", "3.3.3.3"]);
    assertEquals(order(all.toReversed()), ["::2", "3.3.3.3", "::1", "2.2.2.2", "1.1.1.1"]);
    assertEquals(order(all.slice(0, 2)), ["1.1.1.1", "2.2.2.2"]);
  });
});
