import { createSocket } from "node:dgram";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { WouldBlock } from "../../lib/io/mod.ts";
import { type Datagram, DatagramBatch, LookupError, UdpSocket } from "../../lib/net/mod.ts";
import { coop } from "../../lib/task/runtime/coop.ts";
import { type Coroutine, run, select, sleep, spawn, timeout } from "../../lib/task/mod.ts";
import { Probe } from "../task/probe.ts";
import { tiered } from "../tier.ts";
import { bytesOf } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const local = { hostname: "127.0.0.1", port: 0 };

/** For what goes on for long in the greater tiers. */
const LONG_MS = tiered({ quick: 60_000, full: 600_000, soak: 7_200_000 });

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Gives back so many datagrams to whom they come from. */
function* echo(socket: UdpSocket, count: number): Coroutine<void> {
  const into = new Uint8Array(2000);
  for (let i = 0; i < count; i++) {
    const { length, address } = yield* socket.recvFrom(into);
    yield* socket.sendTo(into.subarray(0, length), address);
  }
}

describe("a socket of UDP", () => {
  it("takes localhost, which nobody is asked for, and leaves other names to bindName", async () => {
    await run(async () => {
      using socket = UdpSocket.bind({ hostname: "localhost", port: 0 });
      assertEquals(socket.localAddress.hostname, "127.0.0.1");
      using named = await UdpSocket.bindName({ hostname: "LOCALHOST", port: 0 });
      assertEquals(named.localAddress.hostname, "127.0.0.1");
      const { port } = named.localAddress;
      await assertRejects(() => UdpSocket.bindName({ hostname: "127.0.0.1", port }), SystemError, "in use");
      await assertRejects(
        () => UdpSocket.bindName({ hostname: "no.such.name.invalid", port: 0 }),
        LookupError,
      );
      assertThrows(() => UdpSocket.bindName({ hostname: "", port: 0 }), TypeError, "hostname is empty");
      assertThrows(() => UdpSocket.bind({ hostname: "localhost", port: NaN }), RangeError, "port");
    });
  });

  it("gives back what any number of clients send, each its own, in its order", async () => {
    await run(async () => {
      const datagrams = fc.array(fc.uint8Array({ maxLength: 1500 }), { maxLength: 10 });
      await fc.assert(
        fc.asyncProperty(fc.array(datagrams, { minLength: 1, maxLength: 5 }), async (clients) => {
          using server = UdpSocket.bind(local);
          const echoed = spawn(echo, server, clients.flat().length);
          const ends = clients.map((datagrams) =>
            spawn(function* (): Coroutine<void> {
              using client = UdpSocket.bind(local);
              const into = new Uint8Array(2000);
              for (const datagram of datagrams) yield* client.sendTo(datagram, server.localAddress);
              for (const datagram of datagrams) {
                const { length, address, truncated } = yield* client.recvFrom(into);
                assertEquals(into.slice(0, length), datagram);
                assertEquals(address, server.localAddress);
                assertEquals(truncated, false);
              }
            })
          );
          for (const end of ends) await end;
          await echoed;
        }),
        { numRuns: tiered({ quick: 20, full: 200, soak: 2000 }) },
      );
    });
  });

  it("sends and receives to and from its peer where it is connected", async () => {
    await run(async () => {
      using one = UdpSocket.bind(local);
      using other = UdpSocket.bind(local);
      one.connect(other.localAddress);
      other.connect(one.localAddress);
      const received = spawn(() => other.recv(new Uint8Array(10)));
      assertEquals(await one.send(bytesOf("hello")), 5);
      assertEquals(await received, 5);
      const into = new Uint8Array(3);
      await other.send(bytesOf("longer"));
      assertEquals(await one.recv(into), 6);
      assertEquals(textOf(into), "lon");
    });
  });

  it("tells of a datagram that is cut, looked at or received", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const into = new Uint8Array(4);
      const peeked = spawn(() => server.peekFrom(into));
      await client.sendTo(bytesOf("abcdef"), server.localAddress);
      const expected: Datagram = { length: 4, address: client.localAddress, truncated: true };
      assertEquals(await peeked, expected);
      assertEquals(server.tryPeekFrom(into), expected);
      assertEquals(await server.recvFrom(into), expected);
      assertEquals(server.tryRecvFrom(into), WouldBlock);
      await client.sendTo(new Uint8Array(0), server.localAddress);
      assertEquals(await server.recvFrom(into), {
        length: 0,
        address: client.localAddress,
        truncated: false,
      });
    });
  });

  it("fails where its peer is not there, and receives from it when it is", async () => {
    await run(async () => {
      const gone = UdpSocket.bind(local);
      const address = gone.localAddress;
      gone.close();
      using socket = UdpSocket.bind(local);
      socket.connect(address);
      const receiving = spawn(() => socket.recv(new Uint8Array(10)));
      await sleep(1);
      await socket.send(bytesOf("nobody"));
      const error = await assertRejects(async () => await receiving, SystemError, "recvfrom");
      assertEquals(error.code, "ECONNREFUSED");
      using there = UdpSocket.bind(address);
      await socket.send(bytesOf("somebody"));
      const { address: from } = await there.recvFrom(new Uint8Array(10));
      await there.sendTo(bytesOf("yes"), from);
      assertEquals(await socket.recv(new Uint8Array(10)), 3);
    });
  });

  it("gives each datagram to one of the tasks that wait", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const waiting = Array.from({ length: 20 }, () =>
        spawn(function* (): Coroutine<number> {
          const into = new Uint8Array(1);
          yield* server.recvFrom(into);
          return into[0];
        }));
      await sleep(1);
      for (let i = 0; i < 20; i++) await client.sendTo(Uint8Array.of(i), server.localAddress);
      const received: number[] = [];
      for (const task of waiting) received.push(await task);
      assertEquals(received.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
    });
  });

  it("loses nothing where a wait is dropped", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const into = new Uint8Array(10);
      await assertRejects(async () => await timeout(5, server.recvFrom(into)), Error);
      const first = await select({ datagram: server.recvFrom(into), time: sleep(5) });
      assertEquals(first.key, "time");
      await client.sendTo(bytesOf("kept"), server.localAddress);
      assertEquals((await server.recvFrom(into)).length, 4);
      const task = spawn(() => server.recvFrom(into));
      await sleep(1);
      task.abort();
      await client.sendTo(bytesOf("next"), server.localAddress);
      assertEquals((await server.recvFrom(into)).length, 4);
    });
  });

  it("does nothing before the first poll, and refuses a second one after its end", async () => {
    await run(() => {
      coop.left = 128;
      const probe = new Probe();
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const sending = client.sendTo(bytesOf("a"), server.localAddress);
      const receiving = server.recvFrom(new Uint8Array(1));
      assert(probe.isPending(receiving));
      assertEquals(probe.wakes, 0);
      assertEquals(probe.poll(sending), 1);
      assertThrows(() => probe.poll(sending), Error, "sendTo()");
      assert(server.socket.peek(new Uint8Array(1)) === 1);
      receiving.drop();
      receiving.drop();
      assertThrows(() => probe.poll(receiving), Error, "recvFrom()");
      const dropped = client.sendTo(bytesOf("b"), server.localAddress);
      dropped.drop();
      assertThrows(() => probe.poll(dropped), Error, "sendTo()");
      return Promise.resolve();
    });
  });

  it("never waits where it only tries", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const into = new Uint8Array(10);
      assertEquals(server.tryRecvFrom(into), WouldBlock);
      assertEquals(server.tryRecv(into), WouldBlock);
      assertEquals(server.tryPeekFrom(into), WouldBlock);
      assertEquals(client.trySendTo(bytesOf("a"), server.localAddress), 1);
      await server.whenReadable();
      assertEquals(server.tryRecv(into), 1);
      client.connect(server.localAddress);
      await client.whenWritable();
      assertEquals(client.trySend(bytesOf("bc")), 2);
      await server.whenReadable();
      const batch = new DatagramBatch(4, 10);
      assertEquals(server.tryRecvMany(batch), 1);
      assertEquals(textOf(batch.bytes(0)), "bc");
      assertEquals(server.trySendMany(batch), 1);
      assertEquals(await client.recv(into), 2);
    });
  });

  it("tells who waits that it was closed, and closes once", async () => {
    await run(async () => {
      const before = descriptors();
      const socket = UdpSocket.bind(local);
      const waiting = [
        spawn(() => socket.recv(new Uint8Array(1))),
        spawn(() => socket.recvFrom(new Uint8Array(1))),
        spawn(() => socket.recvMany(new DatagramBatch(1, 1))),
      ];
      await sleep(1);
      socket.close();
      socket.close();
      assertEquals(socket.isClosed, true);
      for (const task of waiting) await assertRejects(async () => await task, Error, "it was closed");
      await assertRejects(async () => await socket.send(new Uint8Array(1)), Error, "it was closed");
      assertThrows(() => socket.tryRecv(new Uint8Array(1)), Error, "it was closed");
      assertEquals(openedSince(before), []);
    });
  });

  it("keeps no descriptor where its port is taken, and says which", async () => {
    await run(() => {
      using socket = UdpSocket.bind(local);
      const { localAddress } = socket;
      const before = descriptors();
      assertEquals(
        assertThrows(() => UdpSocket.bind(localAddress), SystemError, `:${localAddress.port}`).code,
        "EADDRINUSE",
      );
      assertEquals(openedSince(before), []);
      return Promise.resolve();
    });
  });

  it("refuses arguments that are none before it is awaited", async () => {
    await run(() => {
      using socket = UdpSocket.bind(local);
      const bytes = new Uint8Array(1);
      for (const method of [socket.send, socket.recv, socket.recvFrom, socket.peekFrom]) {
        assertThrows(() => Reflect.apply(method, socket, ["text"]), TypeError, "no Uint8Array");
      }
      assertThrows(
        () => socket.sendTo(bytes, { hostname: "localhost", port: 1 }),
        TypeError,
        "not a numeric",
      );
      assertThrows(() => socket.sendTo(bytes, { hostname: "1.2.3.4", port: -1 }), RangeError, "its port");
      assertThrows(() => Reflect.apply(socket.recvMany, socket, [[]]), TypeError, "no DatagramBatch");
      assertThrows(() => Reflect.apply(socket.sendMany, socket, [null]), TypeError, "no DatagramBatch");
      return Promise.resolve();
    });
  });

  it("speaks with the host's own sockets", async () => {
    const peer = createSocket("udp4");
    const received: string[] = [];
    peer.on("message", (message, from) => {
      received.push(message.toString());
      peer.send("pong", from.port, from.address);
    });
    await new Promise<void>((resolve) => peer.bind(0, "127.0.0.1", () => resolve()));
    try {
      await run(async () => {
        using socket = UdpSocket.bind(local);
        const { port } = peer.address();
        await socket.sendTo(bytesOf("ping"), { hostname: "127.0.0.1", port });
        const into = new Uint8Array(10);
        const { length, address } = await socket.recvFrom(into);
        assertEquals([textOf(into.subarray(0, length)), address.port, received], ["pong", port, ["ping"]]);
      });
    } finally {
      peer.close();
    }
  });

  it("joins a group and leaves it", async () => {
    await run(async () => {
      using member = UdpSocket.bind({ hostname: "0.0.0.0", port: 0 });
      using sender = UdpSocket.bind(local);
      sender.socket.setMulticastInterface("127.0.0.1");
      const to = { hostname: "239.255.77.78", port: member.localAddress.port };
      member.joinMulticast(to.hostname, "127.0.0.1");
      await sender.sendTo(bytesOf("a"), to);
      assertEquals(await member.recv(new Uint8Array(4)), 1);
      member.leaveMulticast(to.hostname, "127.0.0.1");
      await sender.sendTo(bytesOf("b"), to);
      assertEquals(member.tryRecv(new Uint8Array(4)), WouldBlock);
    });
  });
});

describe("batches of datagrams", () => {
  it("come in their order with their addresses, as many at once as there are", async () => {
    await run(async () => {
      const rounds = fc.array(fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 40 }), {
        maxLength: 5,
      });
      await fc.assert(
        fc.asyncProperty(rounds, fc.integer({ min: 1, max: 50 }), async (rounds, capacity) => {
          using server = UdpSocket.bind(local);
          using client = UdpSocket.bind(local);
          const sent = new DatagramBatch(40, 64);
          const received = new DatagramBatch(capacity, 64);
          for (const datagrams of rounds) {
            sent.clear();
            for (const datagram of datagrams) sent.push(datagram, server.localAddress);
            await client.sendMany(sent);
            assertEquals(sent.sent, datagrams.length);
            const found: Uint8Array[] = [];
            while (found.length < datagrams.length) {
              const count = await server.recvMany(received);
              assertEquals(count, Math.min(capacity, datagrams.length - found.length));
              for (let i = 0; i < count; i++) {
                found.push(received.bytes(i).slice());
                assertEquals(received.address(i), client.localAddress);
              }
            }
            assertEquals(found, datagrams);
          }
        }),
        { numRuns: tiered({ quick: 20, full: 200, soak: 2000 }) },
      );
    });
  });

  it("are sent up to the one that fails, and tell how many are gone", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const batch = new DatagramBatch(4, 8);
      for (const hostname of ["127.0.0.1", "127.0.0.1", "255.255.255.255", "127.0.0.1"]) {
        batch.push(bytesOf("a"), { hostname, port: server.localAddress.port });
      }
      const error = await assertRejects(async () => await client.sendMany(batch), SystemError, "sendmmsg");
      assertEquals([error.code, batch.sent], ["EACCES", 2]);
      batch.clear();
      await client.sendMany(batch);
      assertEquals(batch.sent, 0);
      const received = new DatagramBatch(4, 8);
      assertEquals(await server.recvMany(received), 2);
    });
  });

  it("are the same memory each time, and make no object", async () => {
    await run(async () => {
      using server = UdpSocket.bind(local);
      using client = UdpSocket.bind(local);
      const batch = new DatagramBatch(2, 8);
      const views: Uint8Array[] = [];
      for (let i = 0; i < 2; i++) {
        await client.sendTo(Uint8Array.of(i), server.localAddress);
        await server.recvMany(batch);
        views.push(batch.slot(0));
        assertEquals([batch.byteLength(0), batch.slot(0)[0]], [1, i]);
      }
      assertStrictEquals(views[0], views[1]);
    });
  });

  it("go to and fro for long, with no descriptor left", { timeout: LONG_MS }, async () => {
    const rounds = tiered({ quick: 300, full: 100_000, soak: 1_000_000 });
    await run(async () => {
      const before = descriptors();
      {
        using server = UdpSocket.bind(local);
        using client = UdpSocket.bind(local);
        const answering = spawn(async () => {
          const batch = new DatagramBatch(8, 16);
          for (let answered = 0; answered < 4 * rounds; answered += batch.length) {
            await server.recvMany(batch);
            await server.sendMany(batch);
          }
        });
        const batch = new DatagramBatch(8, 16);
        for (let round = 0; round < rounds; round++) {
          batch.clear();
          for (let i = 0; i < 4; i++) batch.push(Uint8Array.of(round, i), server.localAddress);
          await client.sendMany(batch);
          for (let got = 0; got < 4; got += batch.length) {
            await client.recvMany(batch);
            for (let i = 0; i < batch.length; i++) {
              assertEquals([...batch.bytes(i)], [round & 255, got + i]);
            }
          }
        }
        await answering;
      }
      assertEquals(openedSince(before), []);
    });
  });

  it("give way once their budget is spent, where they are always ready", async () => {
    await run(async () => {
      using socket = UdpSocket.bind(local);
      const to = socket.localAddress;
      const before = coop.yields;
      const into = new Uint8Array(4);
      const batch = new DatagramBatch(1, 4);
      await spawn(function* (): Coroutine<void> {
        for (let i = 0; i < 640; i++) {
          yield* socket.sendTo(Uint8Array.of(1), to);
          yield* socket.recvFrom(into);
        }
      });
      assert(coop.yields - before >= 9, `${coop.yields - before} yields`);
      const between = coop.yields;
      await spawn(function* (): Coroutine<void> {
        for (let i = 0; i < 640; i++) {
          socket.trySendTo(Uint8Array.of(1), to);
          yield* socket.recvMany(batch);
        }
      });
      assert(coop.yields - between >= 4, `${coop.yields - between} yields`);
    });
  });
});
