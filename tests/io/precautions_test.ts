import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { check, libc, SystemError } from "../../ffi/mod.ts";
import {
  Epoll,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EventFd,
  type Fd,
  NativeBuffer,
  Socket,
  WouldBlock,
} from "../../lib/io/mod.ts";
import { accepted, pair, readAll, ready } from "./pair.ts";

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

/** Has a call on a socket that waits give up after so long, with `WouldBlock`: what a call that never waits says at once. */
function boundWaits(socket: Socket, ms: number): void {
  const timeval = BigInt64Array.of(BigInt(Math.floor(ms / 1000)), BigInt(ms % 1000 * 1000));
  check(libc().setsockopt(socket.fd.number, SOL_SOCKET, SO_RCVTIMEO, timeval, 16), "setsockopt");
}

/** How long a call waits that does, and no other is ever held up for. */
function boundOf(blocks: boolean): number {
  return blocks ? 100 : 30_000;
}

/** Whether what `call` does has waited until it gave up. */
function waits(call: () => unknown, blocks: boolean): boolean {
  const start = performance.now();
  assertStrictEquals(call(), WouldBlock);
  return performance.now() - start >= boundOf(blocks) - 10;
}

function listen(): Socket {
  return Socket.listen({ hostname: "127.0.0.1", port: 0 });
}

/** Reads as many bytes as there are room for, once. */
function readOnce(socket: Socket, length: number): number {
  return socket.read(new NativeBuffer(length));
}

function send(socket: Socket, length: number): void {
  assertEquals(socket.write(new NativeBuffer(length)), length);
}

describe("a listener that blocks", () => {
  it("stands still where another has accepted between the wait and the accept", () => {
    for (const blocks of [true, false]) {
      using listener = listen();
      using epoll = new Epoll();
      epoll.add(listener.fd, EPOLLIN, 0);
      using client = Socket.connect(listener.localAddress);
      assertEquals(epoll.wait(5_000), 1);
      accepted(listener)[Symbol.dispose]();
      boundWaits(listener, boundOf(blocks));
      listener.fd.setBlocking(blocks);
      assertEquals(waits(() => listener.accept(), blocks), blocks);
      assert(!client.fd.isClosed);
    }
  });

  it("gets a connection that its peer has reset meanwhile, on Linux, and hears of it at the first read", () => {
    using listener = listen();
    using epoll = new Epoll();
    epoll.add(listener.fd, EPOLLIN, 0);
    const client = Socket.connect(listener.localAddress);
    assertEquals(epoll.wait(5_000), 1);
    client.setLinger(0);
    client.fd.close();
    using connection = accepted(listener);
    using errors = new Epoll();
    errors.add(connection.fd, EPOLLIN | EPOLLRDHUP, 0);
    assertEquals([errors.wait(5_000), errors.events(0)], [1, EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP]);
    assertEquals(assertThrows(() => readOnce(connection, 1), SystemError).code, "ECONNRESET");
    assertStrictEquals(listener.accept(), WouldBlock);
  });
});

describe("a connection that blocks, watched for edges", () => {
  it("stands still at the last read, which the edge's reader has to make", () => {
    for (const blocks of [true, false]) {
      using ends = pair();
      using epoll = new Epoll();
      epoll.add(ends.server.fd, EPOLLIN | EPOLLET, 0);
      send(ends.client, 3);
      assertEquals(epoll.wait(5_000), 1);
      boundWaits(ends.server, boundOf(blocks));
      ends.server.fd.setBlocking(blocks);
      assertEquals(readOnce(ends.server, 8), 3);
      assertEquals(waits(() => readOnce(ends.server, 8), blocks), blocks);
    }
  });
});

describe("an edge", () => {
  it("does not come again for what a reader left that stopped before EAGAIN", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLET, 0);
    send(ends.client, 8);
    assertEquals([epoll.wait(5_000), readOnce(ends.server, 3)], [1, 3]);
    assertEquals(epoll.wait(0), 0);
    assertEquals([readOnce(ends.server, 8), readOnce(ends.server, 8)], [5, WouldBlock]);
  });

  it("comes again for what was left as a level does, or where it is modified", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN, 0);
    send(ends.client, 8);
    for (let i = 0; i < 2; i++) assertEquals([epoll.wait(5_000), readOnce(ends.server, 3)], [1, 3]);
    epoll.modify(ends.server.fd, EPOLLIN | EPOLLET, 0);
    for (let i = 0; i < 2; i++) {
      assertEquals([epoll.wait(0), epoll.wait(0)], [1, 0]);
      epoll.modify(ends.server.fd, EPOLLIN | EPOLLET, 0);
    }
  });

  it("comes for what was there before it was watched", () => {
    using ends = pair();
    send(ends.client, 1);
    ready(ends.server, EPOLLIN);
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLET, 0);
    assertEquals([epoll.wait(0), epoll.wait(0)], [1, 0]);
  });

  it("does not come for room to write that was never gone, and comes where it is there again", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.client.fd, EPOLLOUT | EPOLLET, 0);
    assertEquals([epoll.wait(5_000), epoll.events(0)], [1, EPOLLOUT]);
    send(ends.client, 1);
    assertEquals(epoll.wait(0), 0);
    const buffer = new NativeBuffer(1 << 16);
    let sent = 1;
    for (let count = 0; count !== WouldBlock; sent += Math.max(count, 0)) count = ends.client.write(buffer);
    assertEquals(epoll.wait(0), 0);
    assertEquals(readAll(ends.server, new NativeBuffer(sent), sent).length, sent);
    assertEquals([epoll.wait(5_000), epoll.events(0)], [1, EPOLLOUT]);
  });

  it("is one for all that came before the wait, however often it came", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLIN | EPOLLET, 0);
    for (let i = 0; i < 5; i++) send(ends.client, 2);
    assertEquals(readAll(ends.server, new NativeBuffer(10), 10).length, 10);
    // All was read before anybody waited: the edge is told of still, and there is nothing to read.
    assertEquals([epoll.wait(0) <= 1, readOnce(ends.server, 1)], [true, WouldBlock]);
  });
});

describe("more that is ready than MAX_EVENTS = 10", () => {
  const MAX_EVENTS = 10;

  function counters(length: number): EventFd[] {
    return Array.from({ length }, () => new EventFd({ initial: 1 }));
  }

  /** The tokens of one wait, as a set: in what order they come nobody has said. */
  function tokens(epoll: Epoll): Set<number> {
    const count = epoll.wait(0);
    return new Set(Array.from({ length: count }, (_, i) => epoll.token(i)));
  }

  it("is told of by the next waits, each once, where it is watched for edges", () => {
    const events = counters(35);
    using epoll = new Epoll({ maxEvents: MAX_EVENTS });
    for (const [token, { fd }] of events.entries()) epoll.add(fd, EPOLLIN | EPOLLET, token);
    const sizes: number[] = [];
    const seen = new Set<number>();
    for (let told = tokens(epoll); told.size > 0; told = tokens(epoll)) {
      sizes.push(told.size);
      for (const token of told) seen.add(token);
    }
    assertEquals([sizes, seen.size], [[10, 10, 10, 5], 35]);
    for (const event of events) event.close();
  });

  it("starves none where it is watched for levels and nobody reads", () => {
    const events = counters(35);
    using epoll = new Epoll({ maxEvents: MAX_EVENTS });
    for (const [token, { fd }] of events.entries()) epoll.add(fd, EPOLLIN, token);
    const counts = new Map<number, number>();
    for (let wait = 0; wait < 70; wait++) {
      const told = tokens(epoll);
      assertEquals(told.size, MAX_EVENTS);
      for (const token of told) counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    assertEquals(counts.size, 35);
    // 700 events over 35: the kernel turns its list, so that each has its 20.
    for (const count of counts.values()) assertEquals(count, 20);
    for (const event of events) event.close();
  });

  it("leaves room for one that is quiet beside many that are always ready", () => {
    const noisy = counters(34);
    using quiet = new EventFd();
    using epoll = new Epoll({ maxEvents: MAX_EVENTS });
    for (const [token, { fd }] of noisy.entries()) epoll.add(fd, EPOLLIN, token);
    epoll.add(quiet.fd, EPOLLIN, 34);
    for (let i = 0; i < 10; i++) {
      quiet.write();
      const waits = Array.from({ length: 4 }, () => tokens(epoll));
      assert(waits.some((told) => told.has(34)), "the quiet one was starved");
      quiet.read();
    }
    for (const event of noisy) event.close();
  });
});

describe("an event that is stale", () => {
  it("can be told from the new descriptor's that has its number, by a token that is never used twice", () => {
    const first = pair();
    using epoll = new Epoll();
    const { number } = first.server.fd;
    epoll.add(first.server.fd, EPOLLIN, 1);
    send(first.client, 1);
    assertEquals([epoll.wait(5_000), epoll.token(0)], [1, 1]);
    first.server.fd.close();
    using second = pairOver(number);
    epoll.add(second.fd, EPOLLIN, 2);
    assertEquals(second.fd.number, number);
    // The wait's events stay: their token is the old one's, and the new one is not ready.
    assertEquals([epoll.token(0), epoll.wait(0)], [1, 0]);
    first[Symbol.dispose]();
  });

  /** A counter whose descriptor has the number, which was closed just now. */
  function pairOver(number: number): EventFd {
    const others: Fd[] = [];
    for (;;) {
      const event = new EventFd();
      if (event.fd.number === number) {
        for (const other of others) other.close();
        return event;
      }
      others.push(event.fd);
      if (event.fd.number > number) throw new Error(`descriptor ${number} was not given again`);
    }
  }
});
