import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import {
  Epoll,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EventFd,
  NativeBuffer,
  pipe,
  Socket,
  UnixSocket,
  WouldBlock,
} from "../../lib/io/mod.ts";
import { tiered } from "../tier.ts";
import { accepted, pair, readAll, ready } from "./pair.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLET;
const BOTH = READABLE | EPOLLOUT;
const local = { hostname: "127.0.0.1", port: 0 };

/** Waits until the token was told of, with all of `events` together. */
function until(epoll: Epoll, token: number, events: number): void {
  let told = 0;
  while ((told & events) !== events) {
    const count = epoll.wait(5_000);
    if (count === 0) throw new Error(`${events} of ${token} did not come, only ${told}`);
    for (let i = 0; i < count; i++) if (epoll.token(i) === token) told |= epoll.events(i);
  }
}

/** The tokens that a wait tells of now. */
function now(epoll: Epoll, ms = 0): number[] {
  const count = epoll.wait(ms);
  return Array.from({ length: count }, (_, i) => epoll.token(i)).sort((a, b) => a - b);
}

describe("an instance", () => {
  it("waits for nothing where nothing is watched", () => {
    using epoll = new Epoll();
    assertEquals([now(epoll), now(epoll, 1)], [[], []]);
  });

  it("asks the kernel even where it does not wait", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    const streams = [0, 1, 2].map((token) => {
      const stream = Socket.connect(listener.localAddress);
      epoll.add(stream.fd, BOTH, token);
      ready(stream, EPOLLOUT);
      return stream;
    });
    assertEquals(now(epoll), [0, 1, 2]);
    for (const stream of streams) stream[Symbol.dispose]();
  });

  it("gives its descriptor back, two thousand times", () => {
    const before = descriptors();
    for (let i = 0; i < 2000; i++) {
      using epoll = new Epoll({ maxEvents: 4 });
      assertEquals(epoll.wait(0), 0);
    }
    assert(openedSince(before).length < 50);
  });
});

describe("what is watched", () => {
  it("may be closed while it is watched, a connection or a listener", () => {
    using epoll = new Epoll();
    const listener = Socket.listen(local);
    const stream = Socket.connect(listener.localAddress);
    epoll.add(listener.fd, READABLE, 1);
    epoll.add(stream.fd, BOTH, 2);
    listener.fd.close();
    stream.fd.close();
    assertEquals(now(epoll, 10), []);
  });

  it("may be added, deleted and added again, and is modified in between, of any kind", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    using event = new EventFd();
    using stream = Socket.connect(listener.localAddress);
    for (const [token, { fd }] of [listener, event, stream].entries()) {
      epoll.add(fd, READABLE, token);
      epoll.delete(fd);
      epoll.add(fd, READABLE, token);
      epoll.modify(fd, BOTH, 10 + token);
    }
    ready(stream, EPOLLOUT);
    ready(listener, EPOLLIN);
    assertEquals(now(epoll), [10, 11, 12]);
  });

  it("is told of under the token that it was modified to while nobody waited", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    epoll.add(listener.fd, READABLE, 1);
    assertEquals(now(epoll), []);
    epoll.modify(listener.fd, READABLE, 2);
    using stream = Socket.connect(listener.localAddress);
    until(epoll, 2, EPOLLIN);
    epoll.add(stream.fd, EPOLLOUT | EPOLLET, 3);
    until(epoll, 3, EPOLLOUT);
  });

  it("is told nothing of where it was modified to what it is not ready for", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    epoll.add(listener.fd, READABLE, 1);
    using stream = Socket.connect(listener.localAddress);
    ready(listener, EPOLLIN);
    epoll.modify(listener.fd, EPOLLOUT | EPOLLET, 1);
    assertEquals(now(epoll, 10), []);
    epoll.modify(listener.fd, READABLE, 1);
    assertEquals(now(epoll), [1]);
    assert(!stream.fd.isClosed);
  });

  it("is told nothing of any more once it was deleted, though events had come", () => {
    using epoll = new Epoll();
    using waker = new EventFd();
    using listener = Socket.listen(local);
    epoll.add(waker.fd, READABLE, 10);
    epoll.add(listener.fd, READABLE, 1);
    assertEquals(now(epoll), []);
    using stream = Socket.connect(listener.localAddress);
    ready(listener, EPOLLIN);
    epoll.delete(listener.fd);
    waker.write();
    assertEquals(now(epoll, 1_000), [10]);
    assert(!stream.fd.isClosed);
  });

  it("goes from reading to writing to nothing, each told once", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    using client = Socket.connect(listener.localAddress);
    epoll.add(listener.fd, READABLE, 0);
    epoll.add(client.fd, READABLE, 1);
    until(epoll, 0, EPOLLIN);
    using server = accepted(listener);
    server.fd.write(new TextEncoder().encode("foobar"));
    until(epoll, 1, EPOLLIN);
    epoll.modify(client.fd, EPOLLOUT | EPOLLET, 1);
    until(epoll, 1, EPOLLOUT);
    epoll.delete(client.fd);
    epoll.delete(listener.fd);
    assertEquals(now(epoll, 10), []);
  });

  it("may be watched by two instances, each with its own token and edge", () => {
    using event = new EventFd();
    using first = new Epoll();
    using second = new Epoll();
    first.add(event.fd, READABLE, 1);
    second.add(event.fd, READABLE, 2);
    event.write();
    assertEquals([now(first), now(second), now(first), now(second)], [[1], [2], [], []]);
  });

  it("is ready again after a read that would have blocked", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.client.fd, READABLE, 1);
    const buffer = new NativeBuffer(16);
    for (const text of ["hello", "again"]) {
      ends.server.fd.write(new TextEncoder().encode(text));
      until(epoll, 1, EPOLLIN);
      assertEquals([ends.client.read(buffer), ends.client.read(buffer)], [5, WouldBlock]);
      assertEquals(now(epoll), []);
    }
  });
});

describe("a connection that is watched", () => {
  it("is writable when it is there, and readable when its peer has gone", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    using stream = Socket.connect(listener.localAddress);
    epoll.add(stream.fd, BOTH, 1);
    until(epoll, 1, EPOLLOUT);
    assertStrictEquals(stream.read(new NativeBuffer(1)), WouldBlock);
    accepted(listener)[Symbol.dispose]();
    until(epoll, 1, EPOLLIN | EPOLLRDHUP);
    assertEquals(stream.read(new NativeBuffer(1)), 0);
  });

  it("is accepted once, and then nobody waits", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    epoll.add(listener.fd, READABLE, 1);
    using stream = Socket.connect(listener.localAddress);
    until(epoll, 1, EPOLLIN);
    const server = listener.accept();
    assert(server !== WouldBlock);
    assertEquals([server.remoteAddress, listener.accept()], [stream.localAddress, WouldBlock]);
    server[Symbol.dispose]();
  });

  it("is told of for each of two that come one after the other", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    epoll.add(listener.fd, READABLE, 1);
    for (let i = 0; i < 2; i++) {
      using stream = Socket.connect(listener.localAddress);
      until(epoll, 1, EPOLLIN);
      using server = accepted(listener);
      assertEquals(server.remoteAddress, stream.localAddress);
      assertStrictEquals(listener.accept(), WouldBlock);
    }
  });

  for (const name of ["gives megabytes at each edge", "gives megabytes at each edge, looked at first"]) {
    it(name, () => {
      const total = tiered({ quick: 2 << 20, full: 16 << 20, soak: 64 << 20 });
      using ends = pair();
      using epoll = new Epoll();
      epoll.add(ends.client.fd, READABLE, 1);
      epoll.add(ends.server.fd, EPOLLOUT | EPOLLET, 2);
      const out = new NativeBuffer(1 << 16);
      const into = new NativeBuffer(1 << 14);
      let [sent, got] = [0, 0];
      while (got < total) {
        if (epoll.wait(5_000) === 0) throw new Error(`nothing came after ${got} bytes`);
        for (let n; sent < total && (n = ends.server.write(out, 0, Math.min(1 << 16, total - sent))) > 0;) {
          sent += n;
        }
        if (name.endsWith("first") && ends.client.peek(into) === WouldBlock) continue;
        for (let n; (n = ends.client.read(into)) > 0;) got += n;
      }
      assertEquals([sent, got, ends.client.peek(into)], [total, total, WouldBlock]);
    });
  }

  it("takes many small writes at once as soon as it is writable", () => {
    using ends = pair();
    const bytes = new NativeBuffer(1024);
    bytes.bytes.fill(1);
    for (let i = 0; i < 16; i++) assertEquals(ends.client.write(bytes), 1024);
    const read = readAll(ends.server, new NativeBuffer(16 * 1024), 16 * 1024);
    assert(read.length === 16 * 1024 && read.every((byte) => byte === 1));
  });

  it("gives what was written before its peer was closed, or deleted", () => {
    for (const ending of ["closed", "deleted"] as const) {
      const ends = pair();
      using epoll = new Epoll();
      epoll.add(ends.server.fd, EPOLLOUT | EPOLLET, 3);
      until(epoll, 3, EPOLLOUT);
      assertEquals(ends.server.fd.write(Uint8Array.of(1, 2, 3, 4)), 4);
      if (ending === "closed") ends.server.fd.close();
      else epoll.delete(ends.server.fd);
      epoll.add(ends.client.fd, READABLE, 2);
      until(epoll, 2, EPOLLIN);
      assertEquals([...readAll(ends.client, new NativeBuffer(4), 4)], [1, 2, 3, 4]);
      ends[Symbol.dispose]();
    }
  });

  it("is told of when the other end, accepted and watched, is closed at once", () => {
    using epoll = new Epoll();
    using listener = Socket.listen(local);
    using stream = Socket.connect(listener.localAddress);
    epoll.add(listener.fd, READABLE, 1);
    epoll.add(stream.fd, READABLE, 2);
    until(epoll, 1, EPOLLIN);
    const server = accepted(listener);
    epoll.add(server.fd, BOTH, 3);
    server.fd.close();
    until(epoll, 2, EPOLLIN | EPOLLRDHUP);
  });

  it("fails at a write in the end where its peer has gone", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.client.fd, BOTH, 0);
    until(epoll, 0, EPOLLOUT);
    ends.server.fd.close();
    const buffer = new NativeBuffer(1024);
    const error = assertThrows(() => {
      for (;;) if (ends.client.write(buffer) === WouldBlock) until(epoll, 0, EPOLLOUT);
    }, SystemError);
    assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
  });

  it("knows its address before it is connected", () => {
    using listener = Socket.listen(local);
    using stream = Socket.connect(listener.localAddress);
    assertEquals(stream.localAddress.hostname, "127.0.0.1");
    using server = accepted(listener);
    assertEquals(server.remoteAddress, stream.localAddress);
  });
});

describe("the end of a connection", () => {
  const cases: [name: string, end: (ends: { client: Socket; server: Socket }) => void, client: number][] = [
    ["is told where we end reading", ({ client }) => client.shutdown("read"), EPOLLIN | EPOLLRDHUP],
    ["is told where the peer ends writing", ({ server }) => server.shutdown("write"), EPOLLIN | EPOLLRDHUP],
    ["is told where both end writing", ({ client, server }) => {
      client.shutdown("write");
      server.shutdown("write");
    }, EPOLLIN | EPOLLRDHUP | EPOLLHUP],
    ["is told where we end both", ({ client }) => client.shutdown("both"), EPOLLIN | EPOLLRDHUP | EPOLLHUP],
    ["is told where it is reset", ({ server }) => {
      server.setLinger(0);
      server.fd.close();
    }, EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR],
  ];
  for (const [name, end, events] of cases) {
    it(name, () => {
      using ends = pair();
      using epoll = new Epoll();
      epoll.add(ends.client.fd, READABLE, 1);
      assertEquals(now(epoll), []);
      end(ends);
      until(epoll, 1, events);
    });
  }

  it("is not told to who writes, where only its own direction ends", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.client.fd, READABLE, 1);
    ends.client.shutdown("write");
    assertEquals(now(epoll, 10), []);
    ready(ends.server, EPOLLIN);
    assertEquals(ends.server.read(new NativeBuffer(1)), 0);
    ends.server.fd.write(Uint8Array.of(9));
    until(epoll, 1, EPOLLIN);
    assertEquals([...readAll(ends.client, new NativeBuffer(1), 1)], [9]);
  });

  it("ends reading with 0, writing with EPIPE, each by itself", () => {
    using ends = pair();
    const buffer = new NativeBuffer(4);
    ends.client.shutdown("read");
    assertEquals([ends.client.read(buffer), ends.client.write(buffer)], [0, 4]);
    ends.client.shutdown("write");
    assertEquals(assertThrows(() => ends.client.write(buffer), SystemError).code, "EPIPE");
  });
});

describe("a pipe and a pair that are watched", () => {
  it("tell the writer that there is room, and the reader what was written", () => {
    using epoll = new Epoll();
    const [reader, writer] = pipe();
    epoll.add(reader, READABLE, 0);
    epoll.add(writer, EPOLLOUT | EPOLLET, 1);
    assertEquals(now(epoll), [1]);
    assertEquals(writer.write(new TextEncoder().encode("Hello world!")), 12);
    until(epoll, 0, EPOLLIN);
    assertEquals(reader.read(new Uint8Array(20)), 12);
    for (const end of [reader, writer]) end.close();
  });

  it("tell the reader that the writer has gone, after what it wrote", () => {
    using epoll = new Epoll();
    const [reader, writer] = pipe();
    epoll.add(reader, READABLE, 0);
    writer.write(Uint8Array.of(1));
    until(epoll, 0, EPOLLIN);
    writer.close();
    until(epoll, 0, EPOLLHUP);
    assertEquals([reader.read(new Uint8Array(2)), reader.read(new Uint8Array(2))], [1, 0]);
    reader.close();
  });

  it("carry both ways on this machine, and tell each end of the other's", () => {
    using epoll = new Epoll();
    const [here, there] = UnixSocket.pair();
    epoll.add(here.fd, BOTH, 1);
    epoll.add(there.fd, BOTH, 2);
    assertEquals(now(epoll), [1, 2]);
    here.fd.write(Uint8Array.of(1));
    until(epoll, 2, EPOLLIN);
    there.fd.write(Uint8Array.of(1, 2));
    until(epoll, 1, EPOLLIN);
    assertEquals([here.fd.read(new Uint8Array(4)), there.fd.read(new Uint8Array(4))], [2, 1]);
    there.fd.close();
    until(epoll, 1, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
    here.fd.close();
  });
});
