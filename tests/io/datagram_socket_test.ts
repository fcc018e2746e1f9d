import { describe, it } from "node:test";
import { networkInterfaces } from "node:os";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { DatagramBatch, DatagramSocket, type NetAddress, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const v4 = { hostname: "127.0.0.1", port: 0 };
const v6 = { hostname: "::1", port: 0 };
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1")
);
const withoutIpv6 = hasIpv6 ? false : "this machine has no ::1";

/** The number of an interface with an address of its link, or 0. */
const outward = Object.values(networkInterfaces()).flat().reduce(
  (found, at) => found || (at?.family === "IPv6" && !at.internal ? at.scopeid ?? 0 : 0),
  0,
);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What is received until nothing is. */
function drained(socket: DatagramSocket, size = 70_000): Uint8Array[] {
  const into = new Uint8Array(size);
  const all: Uint8Array[] = [];
  for (let count = socket.recv(into); count !== WouldBlock; count = socket.recv(into)) {
    all.push(into.slice(0, count));
  }
  return all;
}

for (const [family, local, skip] of [["IPv4", v4, false], ["IPv6", v6, withoutIpv6]] as const) {
  describe(`a socket of ${family}`, { skip: skipping(skip) }, () => {
    it("has the address that it was bound to, and a port of the kernel's choice", () => {
      using socket = DatagramSocket.bind(local);
      assertEquals(socket.localAddress.hostname, local.hostname);
      assert(socket.localAddress.port > 0);
      assertEquals(socket.isIpv6, family === "IPv6");
    });

    it("receives whole datagrams, in their order, with their sender, down to none of bytes", () => {
      using server = DatagramSocket.bind(local);
      using client = DatagramSocket.bind(local);
      const to = server.localAddress;
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (datagrams) => {
          for (const datagram of datagrams) assertEquals(client.sendTo(datagram, to), datagram.length);
          const into = new Uint8Array(300);
          for (const datagram of datagrams) {
            assertEquals(server.recv(into), datagram.length);
            assertEquals(into.slice(0, datagram.length), datagram);
            assertEquals(server.sender, client.localAddress);
          }
          assertEquals(server.recv(into), WouldBlock);
        }),
        { numRuns: 50 },
      );
    });

    it("tells how long a datagram was of which a part was lost, received or looked at", () => {
      using server = DatagramSocket.bind(local);
      using client = DatagramSocket.bind(local);
      client.sendTo(bytesOf("abcdef"), server.localAddress);
      client.sendTo(bytesOf("gh"), server.localAddress);
      const into = new Uint8Array(4);
      assertEquals(server.peek(into), 6);
      assertEquals(textOf(into), "abcd");
      assertEquals(server.recv(into.fill(0)), 6);
      assertEquals(textOf(into), "abcd");
      assertEquals(server.recv(new Uint8Array(0)), 2);
      assertEquals(server.recv(into), WouldBlock);
    });

    it("sends the largest datagram, and no larger one", () => {
      using server = DatagramSocket.bind(local);
      using client = DatagramSocket.bind(local);
      const largest = family === "IPv4" ? 65_507 : 65_527;
      const bytes = Uint8Array.from({ length: largest }, (_, i) => i * 7);
      assertEquals(client.sendTo(bytes, server.localAddress), largest);
      assertEquals(drained(server), [bytes]);
      for (const length of [largest + 1, 65_536, 65_537, 1_000_000]) {
        const { localAddress: to } = server;
        const error = assertThrows(
          () => client.sendTo(new Uint8Array(length), to),
          SystemError,
          `:${to.port}`,
        );
        assertEquals(error.code, "EMSGSIZE");
      }
      assertEquals(drained(server), []);
    });

    it("hears of its peer alone once it is connected, until it is disconnected", () => {
      using server = DatagramSocket.bind(local);
      using friend = DatagramSocket.bind(local);
      using stranger = DatagramSocket.bind(local);
      server.connect(friend.localAddress);
      assertEquals(server.remoteAddress, friend.localAddress);
      stranger.sendTo(bytesOf("no"), server.localAddress);
      friend.sendTo(bytesOf("yes"), server.localAddress);
      assertEquals(drained(server).map(textOf), ["yes"]);
      assertEquals(server.send(bytesOf("back")), 4);
      assertEquals(drained(friend).map(textOf), ["back"]);
      server.connect(stranger.localAddress);
      server.send(bytesOf("other"));
      assertEquals(drained(stranger).map(textOf), ["other"]);
      server.disconnect();
      assertEquals(assertThrows(() => server.remoteAddress, SystemError).code, "ENOTCONN");
      assertEquals(server.sendTo(bytesOf("anew"), friend.localAddress), 4);
      friend.sendTo(bytesOf("again"), server.localAddress);
      assertEquals(drained(server).map(textOf), ["again"]);
      const error = assertThrows(() => server.send(bytesOf("whom")), SystemError, "sendto");
      assertEquals(error.code, "EDESTADDRREQ");
    });

    it("is told by a later call that nobody has its peer's port, where it is connected, and goes on", () => {
      let port: NetAddress;
      {
        using gone = DatagramSocket.bind(local);
        port = gone.localAddress;
      }
      using socket = DatagramSocket.bind(local);
      socket.sendTo(bytesOf("unconnected"), port);
      assertEquals(socket.recv(new Uint8Array(9)), WouldBlock);
      socket.connect(port);
      const into = new Uint8Array(9);
      const calls: (() => unknown)[] = [
        () => socket.recv(into),
        () => socket.peek(into),
        () => socket.send(into),
        () => socket.recvMany(new DatagramBatch(2, 9)),
      ];
      for (const call of calls) {
        socket.send(bytesOf("nobody"));
        assertEquals(assertThrows(call, SystemError).code, "ECONNREFUSED");
      }
      assertEquals(socket.takeError(), undefined);
      assertEquals(socket.recv(into), WouldBlock);
      socket.send(bytesOf("nobody"));
      assertEquals(socket.takeError()?.code, "ECONNREFUSED");
    });

    it("says which port is taken, unless both say that they share it", () => {
      using first = DatagramSocket.bind(local);
      const taken = first.localAddress;
      const error = assertThrows(() => DatagramSocket.bind(taken), SystemError, `:${taken.port}`);
      assertEquals(error.code, "EADDRINUSE");
      for (const name of ["reusePort", "reuseAddress"] as const) {
        using one = DatagramSocket.bind(local, { [name]: true });
        using other = DatagramSocket.bind(one.localAddress, { [name]: true });
        assertEquals(other.localAddress, one.localAddress);
        assertThrows(() => DatagramSocket.bind(one.localAddress), SystemError, "EADDRINUSE");
      }
    });

    it("has its options, which can be changed", () => {
      using socket = DatagramSocket.bind(local, { broadcast: true });
      assertEquals(socket.isBroadcast, true);
      socket.setBroadcast(false);
      assertEquals(socket.isBroadcast, false);
      assertEquals(socket.ttl, 64);
      socket.setTtl(9);
      assertEquals(socket.ttl, 9);
      socket.setTos(0x28);
      assertEquals(socket.tos, 0x28);
      assertEquals(socket.multicastTtl, 1);
      socket.setMulticastTtl(7);
      assertEquals(socket.multicastTtl, 7);
      assertEquals(socket.isMulticastLoop, true);
      socket.setMulticastLoop(false);
      assertEquals(socket.isMulticastLoop, false);
      socket.setReceiveBufferSize(50_000);
      assertEquals(socket.receiveBufferSize, 100_000);
      socket.setSendBufferSize(60_000);
      assertEquals(socket.sendBufferSize, 120_000);
    });

    it("moves batches, whose answers go back to where they came from", () => {
      using server = DatagramSocket.bind(local);
      const clients = Array.from({ length: 3 }, () => DatagramSocket.bind(local));
      const datagrams = fc.array(fc.tuple(fc.nat(2), fc.uint8Array({ maxLength: 100 })), {
        minLength: 1,
        maxLength: 30,
      });
      const sent = new DatagramBatch(40, 100);
      const received = new DatagramBatch(7, 100);
      fc.assert(
        fc.property(datagrams, (datagrams) => {
          const expected: string[] = [];
          for (const [who, bytes] of datagrams) {
            sent.clear();
            sent.push(bytes, server.localAddress);
            assertEquals(clients[who].sendMany(sent), 1);
            expected.push(`${clients[who].localAddress.port} ${bytes}`);
          }
          const found: string[] = [];
          while (server.recvMany(received) !== WouldBlock) {
            for (let i = 0; i < received.length; i++) {
              found.push(`${received.address(i)?.port} ${received.bytes(i)}`);
              assertEquals(received.isTruncated(i), false);
            }
            assertEquals(server.sendMany(received), received.length);
          }
          assertEquals(received.length, 0);
          assertEquals(found, expected);
          for (const [who, client] of clients.entries()) {
            const own = datagrams.filter(([sender]) => sender === who).map(([, bytes]) => bytes);
            assertEquals(drained(client), own);
          }
        }),
        { numRuns: 50 },
      );
      for (const client of clients) client[Symbol.dispose]();
    });
  });
}

describe("a batch", () => {
  it("tells which of its datagrams were cut", () => {
    using server = DatagramSocket.bind(v4);
    using client = DatagramSocket.bind(v4);
    for (const text of ["abcdef", "abcd", ""]) client.sendTo(bytesOf(text), server.localAddress);
    const batch = new DatagramBatch(4, 4);
    assertEquals(server.recvMany(batch), 3);
    assertEquals([0, 1, 2].map((i) => batch.isTruncated(i)), [true, false, false]);
    assertEquals([0, 1, 2].map((i) => textOf(batch.bytes(i))), ["abcd", "abcd", ""]);
    batch.setByteLength(0, 2);
    assertEquals([batch.isTruncated(0), textOf(batch.bytes(0))], [false, "ab"]);
  });

  it("sends those before the one that cannot be, and then says why", () => {
    using server = DatagramSocket.bind(v4);
    using client = DatagramSocket.bind(v4);
    const batch = new DatagramBatch(4, 10);
    batch.push(bytesOf("a"), server.localAddress);
    batch.push(bytesOf("b"), { hostname: "255.255.255.255", port: 9 });
    batch.push(bytesOf("c"), server.localAddress);
    assertEquals(client.sendMany(batch), 1);
    assertEquals(assertThrows(() => client.sendMany(batch, 1), SystemError, "sendmmsg").code, "EACCES");
    assertEquals(client.sendMany(batch, 2), 1);
    assertEquals(drained(server).map(textOf), ["a", "c"]);
  });

  it("goes without addresses where the socket is connected", () => {
    using server = DatagramSocket.bind(v4);
    using client = DatagramSocket.bind(v4);
    const batch = new DatagramBatch(2, 10);
    batch.push(bytesOf("a"));
    assertEquals(batch.address(0), undefined);
    assertEquals(assertThrows(() => client.sendMany(batch), SystemError).code, "EDESTADDRREQ");
    client.connect(server.localAddress);
    batch.push(bytesOf("b"));
    batch.setAddress(1, undefined);
    assertEquals(client.sendMany(batch), 2);
    assertEquals(drained(server).map(textOf), ["a", "b"]);
  });

  it("gives the same address object as long as it is the same address, and another one after", () => {
    using server = DatagramSocket.bind(v4);
    using one = DatagramSocket.bind(v4);
    using other = DatagramSocket.bind(v4);
    const batch = new DatagramBatch(1, 10);
    const seen: (NetAddress | undefined)[] = [];
    for (const client of [one, one, other, one]) {
      client.sendTo(bytesOf("a"), server.localAddress);
      server.recvMany(batch);
      seen.push(batch.address(0));
    }
    assertStrictEquals(seen[0], seen[1]);
    assertEquals(seen, [one, one, other, one].map(({ localAddress }) => localAddress));
    // As it was given need not be as it is told.
    using back = DatagramSocket.bind(v4);
    back.sendTo(bytesOf("b"), { hostname: "127.0.0.1", port: one.localAddress.port });
    assertEquals(drained(one).map(textOf), ["b"]);
  });

  it("tells an address as the kernel does, however it was given", () => {
    const batch = new DatagramBatch(3, 1);
    const given: NetAddress = { hostname: "0:0:0:0:0:0:0:1", port: 5 };
    batch.push(Uint8Array.of(1), given);
    assertEquals(batch.address(0), { hostname: "::1", port: 5 });
    batch.setAddress(0, given);
    assertEquals(batch.address(0), { hostname: "::1", port: 5 });
    batch.setAddress(0, { hostname: "fe80::1%3", port: 6 });
    assertEquals(batch.address(0), { hostname: "fe80::1%3", port: 6 });
    batch.setAddress(0, { hostname: "fe80::1%4", port: 6 });
    assertEquals(batch.address(0), { hostname: "fe80::1%4", port: 6 });
    batch.setAddress(0, { hostname: "1.2.3.4", port: 6 });
    assertEquals(batch.address(0), { hostname: "1.2.3.4", port: 6 });
  });

  it("refuses what does not fit, and says what does", () => {
    for (const [capacity, size] of [[0, 1], [1025, 1], [1.5, 1], [1, 0], [1, 65_537], [NaN, 1]]) {
      assertThrows(() => new DatagramBatch(capacity, size), RangeError, "cannot make a batch");
    }
    const batch = new DatagramBatch(1, 4);
    assertThrows(() => batch.push(new Uint8Array(5)), RangeError, "5 bytes are more than the 4");
    assertThrows(() => Reflect.apply(batch.push, batch, ["text"]), TypeError, "bytes is no Uint8Array");
    for (const hostname of ["localhost", "1.2.3", "", "::g", "fe80::1%"]) {
      assertThrows(() => batch.push(new Uint8Array(1), { hostname, port: 1 }), TypeError, "not a numeric");
    }
    for (const port of [-1, 65_536, 1.5, NaN]) {
      assertThrows(
        () => batch.push(new Uint8Array(1), { hostname: "1.2.3.4", port }),
        RangeError,
        "its port",
      );
    }
    assertEquals(batch.length, 0);
    batch.push(new Uint8Array(4));
    assertThrows(() => batch.push(new Uint8Array(1)), RangeError, "it has all its 1");
    for (const i of [-1, 1, 0.5]) assertThrows(() => batch.bytes(i), RangeError, "cannot find datagram");
    assertThrows(() => batch.setByteLength(0, 5), RangeError, "from 0 to 4");
    assertThrows(
      () => {
        batch.length = 2;
      },
      RangeError,
      "from 0 to 1",
    );
    using socket = DatagramSocket.bind(v4);
    assertThrows(() => socket.sendMany(batch, 1), RangeError, "from 1: there is no such datagram");
    for (const other of [null, {}, Object.create(DatagramBatch.prototype)]) {
      assertThrows(() => Reflect.apply(socket.recvMany, socket, [other]), TypeError, "no DatagramBatch");
    }
  });

  it("cannot be used once its memory was transferred away", () => {
    using socket = DatagramSocket.bind(v4);
    const batch = new DatagramBatch(2, 8);
    batch.push(new Uint8Array(1), socket.localAddress);
    structuredClone(batch.slot(0).buffer, { transfer: [batch.slot(0).buffer] });
    assertThrows(() => socket.sendMany(batch), TypeError, "transferred away");
    assertThrows(() => socket.recvMany(batch), TypeError, "transferred away");
  });
});

describe("multicast on one machine", () => {
  it("of IPv4 reaches members alone", () => {
    const group = "239.255.77.77";
    using member = DatagramSocket.bind({ hostname: "0.0.0.0", port: 0 });
    using sender = DatagramSocket.bind(v4);
    const to = { hostname: group, port: member.localAddress.port };
    sender.setMulticastInterface("127.0.0.1");
    sender.sendTo(bytesOf("before"), to);
    member.joinMulticast(group, "127.0.0.1");
    assertEquals(
      assertThrows(() => member.joinMulticast(group, "127.0.0.1"), SystemError, group).code,
      "EADDRINUSE",
    );
    sender.sendTo(bytesOf("joined"), to);
    member.leaveMulticast(group, "127.0.0.1");
    sender.sendTo(bytesOf("left"), to);
    assertEquals(drained(member).map(textOf), ["joined"]);
    assertEquals(
      assertThrows(() => member.leaveMulticast(group, "127.0.0.1"), SystemError).code,
      "EADDRNOTAVAIL",
    );
  });

  it("of IPv6 reaches members at the interface, and nobody where it does not loop", {
    skip: skipping(outward === 0 ? "this machine has no interface with an IPv6 address of its link" : false),
  }, () => {
    // It never leaves the machine: the scope of its address is the interface.
    const group = "ff01::7777";
    using member = DatagramSocket.bind({ hostname: "::", port: 0 }, { ipv6Only: true });
    assertEquals(member.isIpv6Only, true);
    member.joinMulticast(group, outward);
    using sender = DatagramSocket.bind({ hostname: "::", port: 0 });
    assertEquals(sender.isIpv6Only, false);
    sender.setMulticastInterface(outward);
    const to = { hostname: group, port: member.localAddress.port };
    sender.sendTo(bytesOf("joined"), to);
    sender.setMulticastLoop(false);
    sender.sendTo(bytesOf("silent"), to);
    sender.setMulticastLoop(true);
    const into = new Uint8Array(10);
    assertEquals(member.recv(into), 6);
    // An address of the link says of which.
    assertMatch(member.sender.hostname, new RegExp(`^fe80:.*%${outward}$`));
    assertEquals(sender.sendTo(bytesOf("back"), member.sender), 4);
    assertEquals(drained(sender).map(textOf), ["back"]);
    member.leaveMulticast(group, outward);
    sender.sendTo(bytesOf("left"), to);
    assertEquals(drained(member), []);
    assertThrows(() => member.leaveMulticast(group, outward), SystemError, "EADDRNOTAVAIL");
  });

  it("refuses what is no group of the socket's family, and no interface", () => {
    using socket = DatagramSocket.bind(v4);
    for (const group of ["ff02::1", "localhost", 1, null]) {
      assertThrows(() => Reflect.apply(socket.joinMulticast, socket, [group]), TypeError, "no numeric IPv4");
    }
    assertEquals(assertThrows(() => socket.joinMulticast("127.0.0.1"), SystemError).code, "EINVAL");
    for (const at of ["lo", -1, 1.5, null]) {
      assertThrows(() => Reflect.apply(socket.setMulticastInterface, socket, [at]), TypeError, "interface");
    }
  });
});

describe("a socket of datagrams", () => {
  it("may not broadcast before it says so", () => {
    using socket = DatagramSocket.bind(v4);
    const to = { hostname: "255.255.255.255", port: 9 };
    assertEquals(assertThrows(() => socket.sendTo(bytesOf("a"), to), SystemError).code, "EACCES");
  });

  it("refuses arguments that are none, and says which", () => {
    for (const address of [null, undefined, 1, "127.0.0.1:5"]) {
      assertThrows(
        () => Reflect.apply(DatagramSocket.bind, DatagramSocket, [address]),
        TypeError,
        "no object",
      );
    }
    assertThrows(() => DatagramSocket.bind({ hostname: "localhost", port: 0 }), TypeError, "not a numeric");
    assertThrows(() => DatagramSocket.bind({ hostname: "127.0.0.1", port: 70_000 }), RangeError, "65535");
    assertThrows(() => DatagramSocket.bind(v4, { ipv6Only: true }), TypeError, "goes with an IPv6 address");
    const bind = (options: unknown) => Reflect.apply(DatagramSocket.bind, DatagramSocket, [v4, options]);
    assertThrows(() => bind({ reusePorts: true }), TypeError, "there is no option");
    assertThrows(() => bind({ reusePort: 1 }), TypeError, "reusePort is 1, and no boolean");
    using socket = DatagramSocket.bind(v4);
    assertThrows(() => Reflect.apply(socket.send, socket, ["text"]), TypeError, "bytes is no Uint8Array");
    assertThrows(() => Reflect.apply(socket.recv, socket, [[]]), TypeError, "into is no Uint8Array");
    for (const hops of [0, 256, 1.5]) assertThrows(() => socket.setTtl(hops), RangeError, "hops");
    for (const tos of [-1, 256]) assertThrows(() => socket.setTos(tos), RangeError, "tos");
    for (const bytes of [0, 2 ** 30]) {
      assertThrows(() => socket.setReceiveBufferSize(bytes), RangeError, "bytes");
    }
    assertThrows(() => Reflect.apply(socket.setBroadcast, socket, [1]), TypeError, "no boolean");
  });

  it("is an error after it was closed, and never another file's", () => {
    const socket = DatagramSocket.bind(v4);
    const to = socket.localAddress;
    socket[Symbol.dispose]();
    for (
      const use of [
        () => socket.recv(new Uint8Array(1)),
        () => socket.sendTo(new Uint8Array(1), to),
        () => socket.localAddress,
        () => socket.ttl,
        () => socket.recvMany(new DatagramBatch(1, 1)),
      ]
    ) assertThrows(use, Error, "cannot use a file descriptor that was closed");
  });

  it("keeps no descriptor where it fails", () => {
    using taken = DatagramSocket.bind(v4);
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      assertThrows(() => DatagramSocket.bind(taken.localAddress), SystemError);
      assertThrows(
        () => DatagramSocket.bind({ hostname: "192.0.2.77", port: 0 }),
        SystemError,
        "EADDRNOTAVAIL",
      );
    }
    assertEquals(openedSince(before), []);
  });

  it("asks Deno for the addresses that it binds, connects and sends to", {
    skip: skipping(Reflect.has(globalThis, "Deno") ? false : "only Deno has permissions"),
  }, () => {
    const source = `
      import { DatagramBatch, DatagramSocket } from "${moduleUrl("lib/io/mod.ts")}";
      const permitted = { hostname: "127.0.0.1", port: 0 };
      function outcome(use) { try { use(); return "went"; } catch (error) { return error.name; } }
      const socket = DatagramSocket.bind({ hostname: "127.0.0.1", port: 0 });
      const to = { hostname: "127.0.0.2", port: 9 };
      const batch = new DatagramBatch(1, 1);
      batch.push(Uint8Array.of(1), to);
      console.log([
        outcome(() => DatagramSocket.bind(to)),
        outcome(() => socket.connect(to)),
        outcome(() => socket.sendTo(Uint8Array.of(1), to)),
        outcome(() => socket.sendMany(batch)),
        outcome(() => socket.sendTo(Uint8Array.of(1), socket.localAddress)),
      ].join());`;
    const permissions = ["--allow-ffi", "--allow-net=127.0.0.1", "--allow-read", "--allow-env"];
    assertEquals(
      outputOf(source, { permissions }),
      "NotCapable,NotCapable,NotCapable,NotCapable,went",
    );
  });
});
