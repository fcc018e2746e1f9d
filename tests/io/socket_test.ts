import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { dlopen, SystemError } from "../../ffi/mod.ts";
import { EPOLLIN, EPOLLOUT, NativeBuffer, Socket, WouldBlock } from "../../lib/io/mod.ts";
import { accepted, pair, readAll, ready } from "./pair.ts";
import { skipping } from "../skip.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const local = { hostname: "127.0.0.1", port: 0 };

const { symbols: libc } = dlopen(["libc.so.6"], {
  getsockopt: {
    parameters: [
      /* int sockfd */ "i32",
      /* int level */ "i32",
      /* int optname */ "i32",
      /* void *optval */ "buffer",
      /* socklen_t *optlen */ "buffer",
    ],
    result: "i32",
  },
});

function option(socket: Socket, level: number, name: number): number {
  const value = new Int32Array(1);
  assertEquals(libc.getsockopt(socket.fd.number, level, name, value, Uint32Array.of(4)), 0);
  return value[0];
}

function noDelay(socket: Socket): boolean {
  return option(socket, 6, 1) !== 0;
}

function withoutIpv6(): string | false {
  try {
    Socket.listen({ hostname: "::1", port: 0 }).fd.close();
    return false;
  } catch (error) {
    if (error instanceof SystemError) return `this machine has no IPv6: ${error.message}`;
    throw error;
  }
}

/** A port that nothing listens on. */
function freePort(): number {
  using listener = Socket.listen(local);
  return listener.localAddress.port;
}

describe("an address", () => {
  const hint = "it is not a numeric IPv4 or IPv6 one";
  for (const [verb, open] of [["listen on", Socket.listen], ["connect to", Socket.connect]] as const) {
    it(`to ${verb} has a port from 0 to 65535`, () => {
      for (const port of [-1, 65_536, 0.5, NaN, Infinity]) {
        assertThrows(
          () => open({ hostname: "127.0.0.1", port }),
          RangeError,
          `cannot ${verb} 127.0.0.1: port is ${port}, not an integer from 0 to 65535`,
        );
      }
      for (const [port, shown] of [["80", '"80"'], [null, "null"], [undefined, "undefined"], [80n, "80n"]]) {
        const call = () => Reflect.apply(open, Socket, [{ hostname: "127.0.0.1", port }]);
        assertThrows(call, RangeError, `port is ${shown},`);
      }
    });

    it(`to ${verb} is numeric`, () => {
      for (
        const hostname of [
          "localhost",
          "",
          "127.0.0.1 ",
          "1.2.3",
          "[::1]",
          "::1%",
          "127.0.0.1%lo",
          "256.1.1.1",
        ]
      ) {
        const call = () => open({ hostname, port: 80 });
        assertThrows(call, TypeError, `cannot use ${JSON.stringify(hostname)} as an address: ${hint}`);
      }
    });
  }
});

describe("Socket.listen", () => {
  it("has the kernel choose a port where it is 0", () => {
    using first = Socket.listen(local);
    using second = Socket.listen(local);
    assertEquals(first.localAddress.hostname, "127.0.0.1");
    assert(first.localAddress.port > 0);
    assert(first.localAddress.port !== second.localAddress.port);
  });

  it("says which address is in use", () => {
    using first = Socket.listen(local);
    const { port } = first.localAddress;
    const call = () => Socket.listen({ hostname: "127.0.0.1", port });
    const error = assertThrows(call, SystemError, `127.0.0.1:${port} failed: Address already in use`);
    assertEquals([error.code, error.path], ["EADDRINUSE", `127.0.0.1:${port}`]);
  });

  it("shares a port where both ask for it", () => {
    using first = Socket.listen(local, { reusePort: true });
    using second = Socket.listen(first.localAddress, { reusePort: true });
    assertEquals(second.localAddress, first.localAddress);
    assertThrows(() => Socket.listen(first.localAddress), SystemError, "EADDRINUSE");
  });

  it("may listen again at once on the port of a connection that it closed", () => {
    const listener = Socket.listen(local);
    const address = listener.localAddress;
    using client = Socket.connect(address);
    accepted(listener).fd.close();
    listener.fd.close();
    using again = Socket.listen(address);
    assertEquals([again.localAddress, client.fd.isClosed], [address, false]);
  });

  it("refuses an address that is not this machine's", () => {
    const call = () => Socket.listen({ hostname: "192.0.2.1", port: 0 });
    assertEquals(assertThrows(call, SystemError, "bind 192.0.2.1:0 failed").code, "EADDRNOTAVAIL");
  });

  it("refuses a backlog that is no integer", () => {
    for (const backlog of [0.5, NaN, -1, 2 ** 31]) {
      assertThrows(() => Socket.listen(local, { backlog }), RangeError, `backlog is ${backlog}`);
    }
  });

  it("gives its connections the option that small writes leave at once", () => {
    for (const on of [true, false]) {
      using listener = Socket.listen(local, { noDelay: on });
      using client = Socket.connect(listener.localAddress);
      using server = accepted(listener);
      assertEquals([noDelay(server), noDelay(client)], [on, false]);
    }
  });

  it("leaves no descriptor behind where it fails", () => {
    using first = Socket.listen(local);
    const before = descriptors();
    for (let i = 0; i < 100; i++) {
      assertThrows(() => Socket.listen(first.localAddress), SystemError);
    }
    assert(openedSince(before).length < 50);
  });

  it("listens on IPv6", { skip: skipping(withoutIpv6()) }, () => {
    using listener = Socket.listen({ hostname: "::1", port: 0 });
    const { port } = listener.localAddress;
    assertEquals(listener.localAddress.hostname, "::1");
    assertThrows(() => Socket.listen({ hostname: "::1", port }), SystemError, `[::1]:${port}`);
    using client = Socket.connect({ hostname: "::1", port });
    using server = accepted(listener);
    assertEquals(server.remoteAddress, client.localAddress);
  });
});

describe("Socket.connect", () => {
  it("connects, and both ends know both addresses", () => {
    using listener = Socket.listen(local);
    using client = Socket.connect(listener.localAddress);
    using server = accepted(listener);
    ready(client, EPOLLOUT);
    assertStrictEquals(client.takeError("connect"), undefined);
    assertEquals(client.remoteAddress, listener.localAddress);
    assertEquals(server.remoteAddress, client.localAddress);
    assertEquals(server.localAddress, listener.localAddress);
  });

  it("tells by takeError that nobody listens, once", () => {
    const port = freePort();
    using client = Socket.connect({ hostname: "127.0.0.1", port });
    ready(client, EPOLLOUT);
    const error = client.takeError("connect", `127.0.0.1:${port}`);
    assertInstanceOf(error, SystemError);
    assertEquals(error.message, `connect 127.0.0.1:${port} failed: Connection refused (ECONNREFUSED)`);
    assertEquals([error.code, error.syscall, error.path], ["ECONNREFUSED", "connect", `127.0.0.1:${port}`]);
    assertStrictEquals(client.takeError("connect"), undefined);
  });

  it("throws at once what connect(2) says at once", () => {
    const call = () => Socket.connect({ hostname: "255.255.255.255", port: 80 });
    const before = descriptors();
    for (let i = 0; i < 50; i++) assertThrows(call, SystemError, "connect 255.255.255.255:80 failed");
    assert(openedSince(before).length < 25);
  });

  it("has no peer's address before there is a peer", () => {
    using listener = Socket.listen(local);
    const error = assertThrows(() => listener.remoteAddress, SystemError, "getpeername");
    assertEquals(error.code, "ENOTCONN");
  });
});

describe("a listener", () => {
  it("says that it would block where nobody waits", () => {
    using listener = Socket.listen(local);
    assertStrictEquals(listener.accept(), WouldBlock);
  });

  it("gives the connections in the order in which they came", () => {
    using listener = Socket.listen(local);
    const clients: Socket[] = [];
    for (let i = 0; i < 20; i++) {
      const client = Socket.connect(listener.localAddress);
      ready(client, EPOLLOUT);
      clients.push(client);
    }
    for (const client of clients) {
      using server = accepted(listener);
      assertEquals(server.remoteAddress, client.localAddress);
    }
    for (const client of clients) client.fd.close();
  });

  it("gives sockets that do not wait, and that children do not inherit", () => {
    using ends = pair();
    assertStrictEquals(ends.server.read(new NativeBuffer(1)), WouldBlock);
    assertEquals(ends.server.fd.status().type, "socket");
  });

  it("cannot accept on what does not listen", () => {
    using ends = pair();
    const error = assertThrows(() => ends.client.accept(), SystemError, "accept4 failed");
    assertEquals(error.code, "EINVAL");
  });
});

describe("reading and writing", () => {
  it("carries any bytes, in both directions", () => {
    using ends = pair();
    const out = new NativeBuffer(5_000);
    const into = new NativeBuffer(5_000);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), fc.boolean(), (bytes, upwards) => {
        const [from, to] = upwards ? [ends.client, ends.server] : [ends.server, ends.client];
        out.bytes.set(bytes);
        assertEquals(from.write(out, 0, bytes.length), bytes.length);
        assertEquals(readAll(to, into, bytes.length), Uint8Array.from(bytes));
      }),
    );
  });

  it("uses the part of the buffer that it is told", () => {
    using ends = pair();
    const out = new NativeBuffer(10);
    out.bytes.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assertEquals([ends.client.write(out, 3, 4), ends.client.write(out, 8)], [4, 2]);
    const into = new NativeBuffer(10);
    ready(ends.server, EPOLLIN);
    assertEquals(ends.server.read(into, 2, 5), 5);
    assertEquals([...into.bytes], [0, 0, 3, 4, 5, 6, 8, 0, 0, 0]);
    assertEquals(ends.server.read(into, 9), 1);
    assertEquals(into.bytes[9], 9);
    assertStrictEquals(ends.server.read(into), WouldBlock);
  });

  it("refuses a part that does not lie in the buffer, and sends nothing of it", () => {
    using ends = pair();
    const buffer = new NativeBuffer(10);
    for (const [from, length] of [[0, 11], [10, 1], [-1, 1], [0, -1], [NaN, 1], [0, NaN], [0, 2.5]]) {
      assertThrows(() => ends.client.write(buffer, from, length), RangeError, "of a buffer of 10");
      assertThrows(() => ends.client.read(buffer, from, length), RangeError, "of a buffer of 10");
    }
    assertStrictEquals(ends.server.read(buffer), WouldBlock);
  });

  it("refuses a buffer that was transferred away", () => {
    using ends = pair();
    const buffer = new NativeBuffer(10);
    structuredClone(buffer.bytes, { transfer: [buffer.bytes.buffer] });
    assertThrows(() => ends.client.write(buffer, 0, 10), TypeError, "transferred away");
    assertThrows(() => ends.client.read(buffer, 0, 10), TypeError, "transferred away");
  });

  it("says that it would block where the kernel has no more room, and goes on when it has", () => {
    using ends = pair();
    const buffer = new NativeBuffer(1 << 16);
    let sent = 0;
    for (let count = 0; count !== WouldBlock; sent += Math.max(count, 0)) count = ends.client.write(buffer);
    assert(sent > 0);
    for (let got = 0; got < sent;) {
      ready(ends.server, EPOLLIN);
      got += ends.server.read(buffer);
    }
    ready(ends.client, EPOLLOUT);
    assertEquals(ends.client.write(buffer, 0, 1), 1);
  });

  it("ends with 0 where the peer sends no more, whatever it still reads", () => {
    using ends = pair();
    const buffer = new NativeBuffer(4);
    ends.client.shutdown("write");
    ready(ends.server, EPOLLIN);
    assertEquals([ends.server.read(buffer), ends.server.read(buffer)], [0, 0]);
    assertEquals(ends.server.write(buffer), 4);
    assertEquals(readAll(ends.client, buffer, 4).length, 4);
  });

  it("fails with EPIPE, and no signal, after our own end", () => {
    using ends = pair();
    ends.client.shutdown("both");
    for (let i = 0; i < 3; i++) {
      const error = assertThrows(() => ends.client.write(new NativeBuffer(1)), SystemError, "send failed");
      assertEquals(error.code, "EPIPE");
    }
  });

  it("fails with ECONNRESET and then EPIPE where the peer has gone with bytes unread", () => {
    using ends = pair();
    const buffer = new NativeBuffer(4);
    ends.client.write(buffer);
    ready(ends.server, EPOLLIN);
    ends.server.fd.close();
    ready(ends.client, EPOLLIN);
    assertEquals(assertThrows(() => ends.client.read(buffer), SystemError, "recv failed").code, "ECONNRESET");
    assertEquals(assertThrows(() => ends.client.write(buffer), SystemError, "send failed").code, "EPIPE");
  });
});

describe("a socket", () => {
  it("sends small writes at once where it is told to", () => {
    using ends = pair();
    for (const on of [true, false]) {
      ends.client.setNoDelay(on);
      assertEquals(noDelay(ends.client), on);
    }
  });

  it("cannot shut down what is not connected", () => {
    using listener = Socket.listen(local);
    listener.shutdown("both");
    const error = assertThrows(() => listener.shutdown("write"), SystemError, "shutdown failed");
    assertEquals(error.code, "ENOTCONN");
  });

  it("is not used once it was closed", () => {
    const ends = pair();
    ends[Symbol.dispose]();
    const buffer = new NativeBuffer(1);
    const { client } = ends;
    const uses = [
      () => client.read(buffer),
      () => client.write(buffer),
      () => client.accept(),
      () => client.shutdown("both"),
      () => client.setNoDelay(true),
      () => client.takeError("connect"),
      () => client.localAddress,
      () => client.remoteAddress,
    ];
    for (const use of uses) assertThrows(use, Error, "cannot use a file descriptor that was closed");
    client[Symbol.dispose]();
  });
});
