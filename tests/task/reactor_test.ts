import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { NativeBuffer, type Socket, UnixDatagramSocket, WouldBlock } from "../../lib/io/mod.ts";
import { Reactor } from "../../lib/task/reactor/reactor.ts";
import type { ScheduledIo } from "../../lib/task/reactor/scheduled_io.ts";
import type { Waker } from "../../lib/task/mod.ts";
import { type Pair, pair, readAll } from "../io/pair.ts";

const KEYS = 2 ** 32;

class Counter implements Waker {
  wakes = 0;

  wake(): void {
    this.wakes++;
  }
}

/** Turns until nothing new is told. */
function settle(reactor: Reactor): void {
  while (reactor.turn(10) > 0);
}

function send(socket: Socket): void {
  assertEquals(socket.write(new NativeBuffer(1)), 1);
}

/** As after calls that would have blocked. */
function cleared(io: ScheduledIo): ScheduledIo {
  io.clearReadable();
  io.clearWritable();
  return io;
}

describe("the reactor", () => {
  it("has every descriptor ready until it is shown otherwise", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.server.fd);
    assertEquals([io.isReadable, io.isWritable, reactor.registrations], [true, true, 1]);
    cleared(io);
    assertEquals([io.isReadable, io.isWritable], [false, false]);
  });

  it("wakes the reader at an edge, once, and the writer for his own", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.server.fd);
    settle(reactor);
    cleared(io);
    const [reader, writer] = [new Counter(), new Counter()];
    io.waitReadable(reader);
    io.waitWritable(writer);
    assertEquals(reactor.turn(0), 0);
    send(ends.client);
    assertEquals(reactor.turn(5_000), 1);
    assertEquals([reader.wakes, io.isReadable], [1, true]);
    // The kernel tells of both directions at each edge: the socket is writable as well.
    assertEquals([writer.wakes, io.isWritable], [1, true]);
    send(ends.client);
    reactor.turn(5_000);
    assertEquals(reader.wakes, 1);
  });

  it("wakes the writer when the kernel has room again", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.client.fd);
    const buffer = new NativeBuffer(1 << 16);
    let sent = 0;
    for (let count = 0; count !== WouldBlock; sent += Math.max(count, 0)) count = ends.client.write(buffer);
    settle(reactor);
    cleared(io);
    const writer = new Counter();
    io.waitWritable(writer);
    assertEquals([reactor.turn(0), writer.wakes], [0, 0]);
    readAll(ends.server, new NativeBuffer(sent), sent);
    while (!io.isWritable) assert(reactor.turn(5_000) > 0);
    assertEquals(writer.wakes, 1);
  });

  it("wakes both at the peer's reset", () => {
    using reactor = new Reactor();
    using ends = pair();
    send(ends.client);
    readAll(ends.server, new NativeBuffer(1), 1);
    send(ends.server);
    const io = reactor.register(ends.server.fd);
    settle(reactor);
    cleared(io);
    const [reader, writer] = [new Counter(), new Counter()];
    io.waitReadable(reader);
    io.waitWritable(writer);
    ends.client.fd.close();
    while (!io.isReadable || !io.isWritable) assert(reactor.turn(5_000) > 0);
    assertEquals([reader.wakes, writer.wakes], [1, 1]);
  });

  it("wakes nobody who was forgotten", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = cleared(reactor.register(ends.server.fd));
    const counter = new Counter();
    io.waitReadable(counter);
    io.waitWritable(counter);
    io.forgetReader(counter);
    io.forgetWriter(counter);
    send(ends.client);
    settle(reactor);
    assertEquals([counter.wakes, io.isReadable], [0, true]);
  });

  it("has one reader and one writer at a time", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = cleared(reactor.register(ends.server.fd));
    const [first, second] = [new Counter(), new Counter()];
    io.waitReadable(first);
    io.waitReadable(first);
    io.waitWritable(second);
    assertThrows(() => io.waitReadable(second), Error, "cannot wait to read: another task waits to read");
    assertThrows(() => io.waitWritable(first), Error, "cannot wait to write: another task waits to write");
    send(ends.client);
    settle(reactor);
    assertEquals([first.wakes, second.wakes], [1, 1]);
    cleared(io).waitReadable(second);
  });

  it("takes a short read for all there was, but not after a hang-up", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.server.fd);
    settle(reactor);
    io.drained();
    assertEquals(io.isReadable, false);
    ends.client.shutdown("write");
    while (!io.isReadable) assert(reactor.turn(5_000) > 0);
    io.drained();
    assertEquals(io.isReadable, true);
  });
});

describe("a token", () => {
  it("is the slab's key and a generation, so that none is used twice", () => {
    using reactor = new Reactor();
    using ends = pair();
    const tokens = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      const io = reactor.register(ends.server.fd);
      assertEquals(io.token % KEYS, 0);
      assert(Number.isSafeInteger(io.token));
      tokens.add(io.token);
      reactor.deregister(io);
    }
    assertEquals([tokens.size, reactor.registrations], [1_000, 0]);
  });

  it("that is stale wakes nobody, though its key has a new owner", () => {
    using reactor = new Reactor();
    const [first, second, third]: Pair[] = [pair(), pair(), pair()];
    const ios = [first, second].map(({ server }) => reactor.register(server.fd));
    settle(reactor);
    for (const io of ios) cleared(io);

    // Both are in the batch of one wait; whichever is told first replaces the other.
    const stranger = new Counter();
    const replaced: ScheduledIo[] = [];
    let isReplacing = false;
    for (const [i, io] of ios.entries()) {
      io.waitReadable({
        wake() {
          if (isReplacing) return;
          isReplacing = true;
          const other = ios[1 - i];
          reactor.deregister(other);
          const owner = cleared(reactor.register(third.server.fd));
          assertEquals(owner.token % KEYS, other.token % KEYS);
          owner.waitReadable(stranger);
          owner.waitWritable(stranger);
          replaced.push(owner);
        },
      });
    }
    send(first.client);
    send(second.client);
    while (replaced.length === 0) assert(reactor.turn(5_000) > 0);
    const [owner] = replaced;
    assertEquals(replaced.length, 1);
    assertEquals([stranger.wakes, owner.isReadable, owner.isWritable], [0, false, false]);

    send(third.client);
    while (!owner.isReadable) assert(reactor.turn(5_000) > 0);
    assertEquals([stranger.wakes, owner.isWritable], [2, true]);
    for (const ends of [first, second, third]) ends[Symbol.dispose]();
  });
});

describe("a descriptor that is watched no more", () => {
  it("wakes who waits for it, so that he learns why", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = cleared(reactor.register(ends.server.fd));
    const [reader, writer] = [new Counter(), new Counter()];
    io.waitReadable(reader);
    io.waitWritable(writer);
    reactor.deregister(io);
    assertEquals([reader.wakes, writer.wakes, reactor.registrations], [1, 1, 0]);
    assertEquals([io.isReadable, io.isWritable], [true, true]);
    cleared(io);
    assertThrows(() => io.waitReadable(reader), Error, "cannot wait to read: the runtime that watched");
    assertThrows(() => io.waitWritable(writer), Error, "cannot wait to write: the runtime that watched");
  });

  it("is told of no more", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.server.fd);
    settle(reactor);
    reactor.deregister(io);
    send(ends.client);
    assertEquals(reactor.turn(20), 0);
  });

  it("may be closed before, or be watched again", () => {
    using reactor = new Reactor();
    const ends = pair();
    reactor.deregister(reactor.register(ends.server.fd));
    const io = reactor.register(ends.server.fd);
    ends[Symbol.dispose]();
    reactor.deregister(io);
    assertEquals(reactor.registrations, 0);
  });

  it("cannot be forgotten twice", () => {
    using reactor = new Reactor();
    using ends = pair();
    const io = reactor.register(ends.server.fd);
    reactor.deregister(io);
    assertThrows(() => reactor.deregister(io), Error);
    assertEquals(reactor.registrations, 0);
  });
});

describe("room to write that nobody has asked for", () => {
  /** How many edges there are while the peer takes ten messages, each as it comes. */
  function edges(reactor: Reactor, ours: UnixDatagramSocket, theirs: UnixDatagramSocket): number {
    let count = 0;
    for (let i = 0; i < 10; i++) {
      assertEquals(ours.sendMessage(Uint8Array.of(1)), 1);
      assert(theirs.receiveMessage(new Uint8Array(1)) !== WouldBlock);
      count += reactor.turn(0);
    }
    return count;
  }

  it("is told of a few times and no more, until a write would have blocked", () => {
    using reactor = new Reactor();
    const [ours, theirs] = UnixDatagramSocket.pair();
    using _ours = ours;
    using _theirs = theirs;
    const io = reactor.register(ours.fd);
    settle(reactor);
    edges(reactor, ours, theirs);
    assertEquals(edges(reactor, ours, theirs), 0);
    for (let round = 0; round < 2; round++) {
      while (ours.sendMessage(new Uint8Array(1000)) !== WouldBlock);
      io.clearWritable();
      const writer = new Counter();
      io.waitWritable(writer);
      assertEquals([reactor.turn(0), writer.wakes, io.isWritable], [0, 0, false]);
      while (theirs.receiveMessage(new Uint8Array(1000)) !== WouldBlock);
      settle(reactor);
      assertEquals([writer.wakes, io.isWritable], [1, true]);
      edges(reactor, ours, theirs);
      assertEquals(edges(reactor, ours, theirs), 0);
    }
    // Who waits without having met a full queue is told as well.
    const hasty = new Counter();
    io.waitWritable(hasty);
    settle(reactor);
    assertEquals(hasty.wakes, 1);
    edges(reactor, ours, theirs);
    io.takeWriter(hasty);
    settle(reactor);
    assertEquals(hasty.wakes, 2);
    edges(reactor, ours, theirs);
    // What is read is told of all the while.
    const reader = new Counter();
    io.clearReadable();
    io.waitReadable(reader);
    theirs.sendMessage(Uint8Array.of(1));
    settle(reactor);
    assertEquals(reader.wakes, 1);
  });

  it("may be asked for once the reactor is gone", () => {
    const reactor = new Reactor();
    const [ours, theirs] = UnixDatagramSocket.pair();
    using _ours = ours;
    using _theirs = theirs;
    const io = reactor.register(ours.fd);
    settle(reactor);
    edges(reactor, ours, theirs);
    reactor[Symbol.dispose]();
    io.clearWritable();
    assertEquals(io.isWritable, false);
  });
});

describe("a reactor that was disposed", () => {
  it("lets nobody wait for ever", () => {
    const reactor = new Reactor();
    using ends = pair();
    const io = cleared(reactor.register(ends.server.fd));
    const counter = new Counter();
    io.waitReadable(counter);
    reactor[Symbol.dispose]();
    assertEquals(counter.wakes, 1);
    cleared(io);
    assertThrows(() => io.waitReadable(counter), Error, "has ended");
    reactor.deregister(io);
    assertThrows(() => reactor.turn(0), Error, "closed");
  });
});
