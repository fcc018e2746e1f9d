import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../ffi/mod.ts";
import {
  Epoll,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  Fd,
  NativeBuffer,
  Socket,
} from "../../lib/io/mod.ts";
import { accepted, pair, readAll } from "./pair.ts";

/** What a wait told, by token. */
function told(epoll: Epoll, count: number): [token: number, events: number][] {
  const all = Array.from({ length: count }, (_, i): [number, number] => [epoll.token(i), epoll.events(i)]);
  return all.sort(([a], [b]) => a - b);
}

function send(socket: Socket, text: string): void {
  const buffer = new NativeBuffer(64);
  const { written } = new TextEncoder().encodeInto(text, buffer.bytes);
  assertEquals(socket.write(buffer, 0, written), written);
}

describe("Epoll", () => {
  it("tells level by level for as long as it lasts", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN, 7);
    assertEquals(epoll.wait(0), 0);
    send(ends.client, "ab");
    for (let i = 0; i < 3; i++) assertEquals(told(epoll, epoll.wait(5_000)), [[7, EPOLLIN]]);
    readAll(ends.server, new NativeBuffer(8), 2);
    assertEquals(epoll.wait(0), 0);
  });

  it("tells each edge once", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLET, 7);
    send(ends.client, "a");
    assertEquals(told(epoll, epoll.wait(5_000)), [[7, EPOLLIN]]);
    assertEquals(epoll.wait(0), 0);
    send(ends.client, "b");
    assertEquals(told(epoll, epoll.wait(5_000)), [[7, EPOLLIN]]);
    assertEquals(readAll(ends.server, new NativeBuffer(8), 2), new TextEncoder().encode("ab"));
  });

  it("tells once what is oneshot, and again when it is armed", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLONESHOT, 1);
    send(ends.client, "a");
    assertEquals(told(epoll, epoll.wait(5_000)), [[1, EPOLLIN]]);
    send(ends.client, "b");
    assertEquals(epoll.wait(0), 0);
    epoll.modify(ends.server.fd, EPOLLIN | EPOLLONESHOT, 2);
    assertEquals(told(epoll, epoll.wait(5_000)), [[2, EPOLLIN]]);
    assertEquals(epoll.wait(0), 0);
  });

  it("tells what it was modified to, under the new token", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN, 1);
    epoll.modify(ends.server.fd, EPOLLOUT, 2);
    assertEquals(told(epoll, epoll.wait(5_000)), [[2, EPOLLOUT]]);
    epoll.modify(ends.server.fd, 0, 3);
    assertEquals(epoll.wait(0), 0);
  });

  it("tells nothing of what was deleted or closed", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLOUT, 1);
    epoll.add(ends.client.fd, EPOLLOUT, 2);
    epoll.delete(ends.server.fd);
    assertEquals(told(epoll, epoll.wait(5_000)), [[2, EPOLLOUT]]);
    ends.client.fd.close();
    assertEquals(epoll.wait(0), 0);
    epoll.add(ends.server.fd, EPOLLIN, 3);
    assertEquals(told(epoll, epoll.wait(5_000)), [[3, EPOLLIN]]);
  });

  it("tells when the peer ends one direction, or both", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLRDHUP | EPOLLET, 1);
    ends.client.shutdown("write");
    assertEquals(told(epoll, epoll.wait(5_000)), [[1, EPOLLIN | EPOLLRDHUP]]);
    ends.server.shutdown("write");
    assertEquals(told(epoll, epoll.wait(5_000)), [[1, EPOLLIN | EPOLLRDHUP | EPOLLHUP]]);
  });

  it("tells of an error whatever was asked for", () => {
    using listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    const address = listener.localAddress;
    listener.fd.close();
    using client = Socket.connect(address);
    using epoll = new Epoll();
    epoll.add(client.fd, 0, 1);
    assertEquals(told(epoll, epoll.wait(5_000)), [[1, EPOLLERR | EPOLLHUP]]);
  });

  it("gives back every token up to 2^53 - 1", () => {
    using ends = pair();
    using epoll = new Epoll({ maxEvents: 1 });
    epoll.add(ends.server.fd, 0, 0);
    const token = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1));
    fc.assert(fc.property(token, (token) => {
      epoll.modify(ends.server.fd, EPOLLOUT, token);
      assertEquals(told(epoll, epoll.wait(5_000)), [[token, EPOLLOUT]]);
    }));
  });

  it("refuses a token that is no safe integer from 0", () => {
    using ends = pair();
    using epoll = new Epoll();
    for (const token of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      for (const call of [epoll.add, epoll.modify]) {
        assertThrows(
          () => Reflect.apply(call, epoll, [ends.server.fd, EPOLLIN, token]),
          RangeError,
          `token is ${token}, not a safe integer from 0`,
        );
      }
    }
  });

  it("tells of no more at once than it has room for, and of all in turn", () => {
    using ends = pair();
    const fds = Array.from({ length: 10 }, () => ends.server.fd.dup());
    using epoll = new Epoll({ maxEvents: 3 });
    for (const [i, fd] of fds.entries()) epoll.add(fd, EPOLLOUT | EPOLLET, i);
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      const count = epoll.wait(1_000);
      assertEquals(count, i < 3 ? 3 : 1);
      seen.push(...told(epoll, count).map(([token]) => token));
    }
    assertEquals(seen.sort((a, b) => a - b), fds.map((_, i) => i));
    assertEquals(epoll.wait(0), 0);
    for (const fd of fds) fd.close();
  });

  it("throws what epoll_ctl(2) says", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN, 1);
    using file = Fd.open("/proc/self/exe");
    for (
      const [call, code] of [
        [() => epoll.add(ends.server.fd, EPOLLIN, 1), "EEXIST"],
        [() => epoll.modify(ends.client.fd, EPOLLIN, 1), "ENOENT"],
        [() => epoll.delete(ends.client.fd), "ENOENT"],
        [() => epoll.add(file, EPOLLIN, 1), "EPERM"],
      ] as const
    ) {
      const error = assertThrows(call, SystemError, "epoll_ctl failed");
      assertEquals(error.code, code);
    }
    epoll.add(ends.client.fd, EPOLLIN | EPOLLEXCLUSIVE, 2);
  });

  it("refuses a closed descriptor, and one of its own", () => {
    const ends = pair();
    const epoll = new Epoll();
    ends[Symbol.dispose]();
    assertThrows(() => epoll.add(ends.server.fd, EPOLLIN, 1), Error, "a file descriptor that was closed");
    const forged = Object.create(Fd.prototype, { number: { value: 0 } });
    for (const call of [() => epoll.add(forged, EPOLLIN, 1), () => epoll.delete(forged)]) {
      assertThrows(call, TypeError, "cannot watch a descriptor: fd is no Fd");
    }
    assertEquals(epoll.isClosed, false);
    epoll[Symbol.dispose]();
    epoll[Symbol.dispose]();
    assertEquals(epoll.isClosed, true);
    assertThrows(() => epoll.wait(0), Error, "a file descriptor that was closed");
  });

  it("refuses room for no event", () => {
    for (const maxEvents of [0, -1, 0.5, NaN]) {
      assertThrows(() => new Epoll({ maxEvents }), RangeError, `maxEvents is ${maxEvents}`);
    }
  });
});

describe("the timeout of a wait", () => {
  it("is never early, nor shortened to a whole millisecond", () => {
    using epoll = new Epoll();
    for (const ms of [0.01, 0.5, 1, 1.5, 2.999]) {
      const start = performance.now();
      assertEquals(epoll.wait(ms), 0);
      const passed = performance.now() - start;
      assert(passed >= ms, `a wait of ${ms} ms took ${passed}`);
    }
  });

  it("may be 0, of either sign, or longer than the kernel counts", () => {
    using epoll = new Epoll();
    assertEquals([epoll.wait(0), epoll.wait(-0)], [0, 0]);
    const folder = mkdtempSync(join(tmpdir(), "oxbow-epoll-"));
    for (const ms of [2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.MAX_VALUE, Infinity]) {
      const path = join(folder, `pipe-${ms}`);
      assertEquals(spawnSync("mkfifo", [path]).status, 0);
      using pipe = Fd.open(path);
      epoll.add(pipe, EPOLLIN, 1);
      assertEquals(epoll.wait(0), 0);
      const writer = spawn("sh", ["-c", 'sleep 0.02; echo hello > "$1"', "sh", path], { stdio: "ignore" });
      // A child's end is a signal, which ends a wait with 0; a few of them, and not a hundred.
      let waits = 0;
      while (epoll.wait(ms) === 0 && waits < 100) waits++;
      writer.kill("SIGKILL");
      assert(waits < 100, `${waits} waits of ${ms} ms ended with nothing`);
    }
    rmSync(folder, { recursive: true });
  });

  it("is refused where it would mean for ever, or nothing", () => {
    using epoll = new Epoll();
    for (const ms of [-1, -0.5, -Infinity, NaN]) {
      assertThrows(() => epoll.wait(ms), RangeError, `timeoutMs is ${ms}, not a count of milliseconds`);
    }
  });
});

describe("the program of epoll(7)", () => {
  it("serves many clients on one thread, edge-triggered", () => {
    const clients = 30;
    const rounds = 5;
    using listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
    using epoll = new Epoll({ maxEvents: 10 });
    const connections = new Map<number, Socket>();
    const buffer = new NativeBuffer(512);
    const LISTENER = 0;
    epoll.add(listener.fd, EPOLLIN, LISTENER);

    /** "read(2) and write(2) until they return EAGAIN", and back comes what came. */
    function use(socket: Socket, token: number): void {
      for (;;) {
        const count = socket.read(buffer);
        if (count > 0) {
          assertEquals(socket.write(buffer, 0, count), count);
          continue;
        }
        if (count === 0) {
          epoll.delete(socket.fd);
          socket.fd.close();
          connections.delete(token);
        }
        return;
      }
    }

    function turn(): void {
      const count = epoll.wait(1);
      for (let n = 0; n < count; n++) {
        const token = epoll.token(n);
        if (token === LISTENER) {
          const connection = accepted(listener);
          epoll.add(connection.fd, EPOLLIN | EPOLLET, connection.fd.number);
          connections.set(connection.fd.number, connection);
        } else {
          const connection = connections.get(token);
          assert(connection !== undefined, `an event of the unknown token ${token}`);
          use(connection, token);
        }
      }
    }

    const peers = Array.from({ length: clients }, () => Socket.connect(listener.localAddress));
    while (connections.size < clients) turn();
    const answer = new NativeBuffer(64);
    for (let round = 0; round < rounds; round++) {
      for (const [i, peer] of peers.entries()) send(peer, `round ${round} of ${i};`);
      for (const [i, peer] of peers.entries()) {
        const expected = `round ${round} of ${i};`;
        let text = "";
        while (text.length < expected.length) {
          turn();
          const count = peer.read(answer);
          if (count > 0) text += new TextDecoder().decode(answer.bytes.subarray(0, count));
        }
        assertEquals(text, expected);
      }
    }
    for (const peer of peers) peer.fd.close();
    while (connections.size > 0) turn();
    assertEquals(epoll.wait(0), 0);
  });
});
