import { after, before, describe, it } from "node:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import { WouldBlock } from "../../lib/io/mod.ts";
import { UnixDatagram } from "../../lib/net/mod.ts";
import { type Coroutine, run, sleep, spawn } from "../../lib/task/mod.ts";
import { tiered } from "../tier.ts";
import { abstractName, bytesOf, closeAll } from "./ends.ts";
import { descriptors, openedSince } from "../descriptors.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "oxbow-datagram-"));
});

after(() => rmSync(folder, { recursive: true }));

describe("a datagram socket of this machine", () => {
  it("gives back what clients send, by their paths, and removes its file", async () => {
    await run(async () => {
      const path = join(folder, "server");
      {
        using server = UnixDatagram.bind({ path });
        using client = UnixDatagram.bind({ path: join(folder, "client") }, { mode: 0o600 });
        const echo = spawn(function* (): Coroutine<void> {
          const into = new Uint8Array(100);
          const { length, address } = yield* server.recvFrom(into);
          if (address.path === undefined) throw new Error("the client has no path");
          yield* server.sendTo(into.subarray(0, length), { path: address.path });
        });
        assertEquals(await client.sendTo(bytesOf("hello"), { path }), 5);
        const { length, address } = await client.recvFrom(new Uint8Array(10));
        assertEquals([length, address], [5, { path }]);
        await echo;
      }
      assertEquals(readdirSync(folder), []);
    });
  });

  it("loses nothing and keeps the order, however full its receiver is", async () => {
    await run(async () => {
      const sizes = fc.array(fc.nat(5_000), { maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(sizes, fc.boolean(), async (sizes, isConnected) => {
          const address = { abstract: abstractName() };
          using server = UnixDatagram.bind(address);
          using client = UnixDatagram.unbound();
          if (isConnected) client.connect(address);
          const sending = spawn(function* (): Coroutine<void> {
            for (const [i, size] of sizes.entries()) {
              const bytes = new Uint8Array(size).fill(i);
              yield* isConnected ? client.send(bytes) : client.sendTo(bytes, address);
            }
          });
          // More than its queue takes are on their way by now.
          await sleep(2);
          const into = new Uint8Array(5_000);
          for (const [i, size] of sizes.entries()) {
            const { length } = await server.recvFrom(into);
            assertEquals(length, size);
            assert(into.subarray(0, length).every((byte) => byte === i));
          }
          await sending;
          assertEquals(server.tryRecvFrom(into), WouldBlock);
        }),
        { numRuns: tiered({ quick: 15, full: 100, soak: 1000 }) },
      );
    });
  });

  it("wakes who waits to send when its peer has read", async () => {
    await run(async () => {
      const [left, right] = UnixDatagram.pair();
      let sent = 0;
      while (left.trySend(Uint8Array.of(sent & 255)) !== WouldBlock) sent++;
      assert(sent > 0);
      const waiting = [spawn(() => left.send(bytesOf("a"))), spawn(() => left.send(bytesOf("b")))];
      await sleep(1);
      const into = new Uint8Array(1);
      for (let i = 0; i < sent + 2; i++) assertEquals((await right.recvFrom(into)).length, 1);
      for (const task of waiting) assertEquals(await task, 1);
      closeAll([left, right]);
    });
  });

  it("tells of a datagram that is cut, looked at or received", async () => {
    await run(async () => {
      const [left, right] = UnixDatagram.pair();
      await left.send(bytesOf("abcdef"));
      const into = new Uint8Array(4);
      const peeked = await right.peekFrom(into);
      assertEquals([peeked.length, peeked.truncated], [4, true]);
      const seen = right.tryPeekFrom(into);
      assert(seen !== WouldBlock && seen.truncated);
      const received = await right.recvFrom(into);
      assertEquals([received.length, received.truncated, received.address], [4, true, {}]);
      assertEquals(right.tryPeekFrom(into), WouldBlock);
      closeAll([left, right]);
    });
  });

  it("passes descriptors, and leaves none where nobody takes them", async () => {
    await run(async () => {
      const before = descriptors();
      const [left, right] = UnixDatagram.pair();
      const receiving = spawn(() => right.receiveFds(new Uint8Array(4), 2));
      await sleep(1);
      await left.sendFds([left.socket.fd, right.socket.fd], bytesOf("ab"));
      const both = await receiving;
      assertEquals([both.length, both.fds.length, both.fdsTruncated], [2, 2, false]);
      closeAll(both.fds);
      await left.sendFds([left.socket.fd], new Uint8Array(0));
      const none = await right.recvFrom(new Uint8Array(4));
      assertEquals([none.length, none.fds.length, none.fdsTruncated], [0, 0, true]);
      await left.sendFds([left.socket.fd], bytesOf("c"));
      closeAll([left, right]);
      assertEquals(openedSince(before), []);
    });
  });

  it("tells who sends, where that is asked for", async () => {
    await run(async () => {
      const address = { abstract: abstractName() };
      using server = UnixDatagram.bind(address);
      using client = UnixDatagram.autobound();
      server.socket.setPassCredentials(true);
      await client.sendTo(bytesOf("a"), address);
      const { credentials, address: from } = await server.recvFrom(new Uint8Array(4));
      assertEquals([credentials?.pid, credentials?.uid], [process.pid, process.getuid?.()]);
      assertEquals(from, client.localAddress);
    });
  });

  it("says where nobody is, and what is too large", async () => {
    await run(async () => {
      using client = UnixDatagram.unbound();
      const codeOf = async (sent: () => PromiseLike<unknown>) =>
        (await assertRejects(async () => await sent(), SystemError)).code;
      const path = join(folder, "nobody");
      assertEquals(await codeOf(() => client.sendTo(bytesOf("a"), { path })), "ENOENT");
      assertEquals(
        await codeOf(() => client.sendTo(bytesOf("a"), { abstract: abstractName() })),
        "ECONNREFUSED",
      );
      assertEquals(await codeOf(() => client.send(bytesOf("a"))), "ENOTCONN");
      assertThrows(() => client.connect({ path }), SystemError, "ENOENT");
      const address = { abstract: abstractName() };
      using server = UnixDatagram.bind(address);
      assertEquals(await codeOf(() => client.sendTo(new Uint8Array(10_000_000), address)), "EMSGSIZE");
      assertEquals(server.tryRecvFrom(new Uint8Array(1)), WouldBlock);
      assertThrows(() => UnixDatagram.bind(address), SystemError, "EADDRINUSE");
    });
  });

  it("tells who waits that it was closed, and closes once", async () => {
    await run(async () => {
      const before = descriptors();
      const path = join(folder, "closed");
      const socket = UnixDatagram.bind({ path });
      const waiting = [
        spawn(() => socket.recvFrom(new Uint8Array(1))),
        spawn(() => socket.peekFrom(new Uint8Array(1))),
      ];
      await sleep(1);
      socket.close();
      socket.close();
      for (const task of waiting) await assertRejects(async () => await task, Error, "it was closed");
      assertEquals([socket.isClosed, existsSync(path), openedSince(before)], [true, false, []]);
    });
  });

  it("is ready when it is, for any number of tasks", async () => {
    await run(async () => {
      const [left, right] = UnixDatagram.pair();
      await left.whenWritable();
      assertEquals(right.tryRecvFrom(new Uint8Array(1)), WouldBlock);
      const waiting = [spawn(() => right.whenReadable()), spawn(() => right.whenReadable())];
      await sleep(1);
      assertEquals(left.trySend(bytesOf("a")), 1);
      for (const task of waiting) await task;
      const received = right.tryRecvFrom(new Uint8Array(1));
      assert(received !== WouldBlock && received.length === 1);
      right.socket.shutdown("read");
      const error = await assertRejects(async () => await left.send(bytesOf("b")), SystemError);
      assertEquals(error.code, "EPIPE");
      closeAll([left, right]);
    });
  });

  it("refuses arguments that are none before it is awaited", async () => {
    await run(() => {
      using socket = UnixDatagram.unbound();
      for (const method of [socket.send, socket.recvFrom, socket.peekFrom]) {
        assertThrows(() => Reflect.apply(method, socket, ["text"]), TypeError, "no Uint8Array");
      }
      const bytes = new Uint8Array(1);
      assertThrows(() => Reflect.apply(socket.sendTo, socket, [bytes, "path"]), TypeError, "neither");
      assertThrows(() => socket.sendTo(bytes, { path: "a\0b" }), RangeError, "without a NUL");
      assertThrows(() => Reflect.apply(socket.sendFds, socket, [[1], bytes]), TypeError, "no Fd");
      assertThrows(() => socket.receiveFds(bytes, -1), RangeError, "most is -1");
      const bind = (options: unknown) =>
        Reflect.apply(UnixDatagram.bind, UnixDatagram, [{ path: "a" }, options]);
      assertThrows(() => bind({ unlink: "no" }), TypeError, "unlink is");
      return Promise.resolve();
    });
  });
});
