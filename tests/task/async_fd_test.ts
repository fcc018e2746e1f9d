import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { libc, pointerTo, word } from "../../ffi/mod.ts";
import { EventFd, Fd, NativeBuffer, type Socket, TimerFd, WouldBlock } from "../../lib/io/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import {
  AsyncFd,
  type Coroutine,
  type Future,
  run,
  select,
  sleep,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { type Pair, pair, readAll } from "../io/pair.ts";
import { Probe } from "./probe.ts";

const byte = new NativeBuffer(1);
const many = new NativeBuffer(1 << 16);

/** Writes until the peer's buffer is full. Returns how much went. */
function fill(socket: Socket): number {
  let sum = 0;
  for (let count = socket.write(many); count !== WouldBlock; count = socket.write(many)) sum += count;
  return sum;
}

const MSG_OOB = 1;

/** TCP's byte out of band. */
function sendUrgent(socket: Socket): void {
  assertEquals(libc().send(socket.fd.number, pointerTo(Uint8Array.of(1)), word(1), MSG_OOB), 1);
}

function* turns(): Coroutine<void> {
  for (let i = 0; i < 5; i++) yield* yieldNow();
  yield* sleep(3);
}

/** Whether the future has its value within a few turns. It can be waited for on. */
function* comes(future: Future<unknown>): Coroutine<boolean> {
  return (yield* select({ future: future.borrow(), turns: turns() })).key === "future";
}

function* read(watched: AsyncFd, socket: Socket): Coroutine<number> {
  return yield* watched.read(() => socket.read(byte));
}

/** Runs `body` with both ends of a connection, the first of which is watched. */
async function onPair(
  poller: "epoll" | "poll",
  body: (watched: AsyncFd, ends: Pair) => Coroutine<void>,
): Promise<void> {
  using ends = pair();
  await run(function* (): Coroutine<void> {
    using watched = new AsyncFd(ends.client.fd);
    yield* body(watched, ends);
    watched[Symbol.dispose]();
    assertEquals(currentRuntime().reactor.registrations, 0);
  }, { poller });
}

for (const poller of ["epoll", "poll"] as const) {
  const withPair = (body: (watched: AsyncFd, ends: Pair) => Coroutine<void>): Promise<void> =>
    onPair(poller, body);

  describe(`an AsyncFd on ${poller}`, () => {
    it("is writable at first, and readable once something has come", () =>
      withPair(function* (watched, ends) {
        yield* watched.writable();
        assertEquals(watched.tryRead(() => ends.client.read(byte)), WouldBlock);
        const readable = watched.readable();
        assertEquals(yield* comes(readable), false);
        ends.server.write(byte);
        assertEquals(yield* comes(readable), true);
      }));

    it("is not readable again once that was taken back, until the next edge", () =>
      withPair(function* (watched, ends) {
        ends.server.write(byte);
        yield* watched.readable();
        assertEquals(watched.tryRead(() => ends.client.read(byte)), 1);
        // Not shown otherwise: a read is worth its call still.
        assertEquals(yield* comes(watched.readable()), true);
        assertEquals(watched.tryRead(() => ends.client.read(byte)), WouldBlock);
        const readable = watched.readable();
        assertEquals(yield* comes(readable), false);
        ends.server.write(byte);
        yield* readable;
      }));

    it("is not writable once the peer's buffer is full, until that has room", () =>
      withPair(function* (watched, ends) {
        let sum = 0;
        for (let count = 0; count !== WouldBlock; count = watched.tryWrite(() => ends.client.write(many))) {
          sum += count;
        }
        const writable = watched.writable();
        assertEquals(yield* comes(writable), false);
        readAll(ends.server, new NativeBuffer(sum), sum);
        yield* writable;
      }));

    it("makes no call where it would be in vain", () =>
      withPair(function* (watched, ends) {
        yield* turns();
        let calls = 0;
        const would = (): number => {
          calls++;
          return WouldBlock;
        };
        assertEquals([watched.tryRead(would), watched.tryRead(would), calls], [WouldBlock, WouldBlock, 1]);
        assertEquals([watched.tryWrite(would), watched.tryWrite(would), calls], [WouldBlock, WouldBlock, 2]);
        ends.server.write(byte);
        yield* watched.readable();
        const can = (): string => "made";
        assertEquals([watched.tryRead(can), watched.tryRead(can)], ["made", "made"]);
      }));

    it("makes a call until it does not block, and drops one that is abandoned", () =>
      withPair(function* (watched, ends) {
        const reading = spawn(read, watched, ends.client);
        const dropped = spawn(read, watched, ends.client);
        yield* turns();
        dropped.abort();
        assertEquals([reading.isFinished, dropped.isFinished], [false, true]);
        ends.server.write(byte);
        assertEquals(yield* reading, 1);
        const sum = fill(ends.client);
        const writing = spawn(() => watched.write(() => ends.client.write(byte)));
        yield* turns();
        assertEquals(writing.isFinished, false);
        readAll(ends.server, new NativeBuffer(sum), sum);
        assertEquals(yield* writing, 1);
      }));

    it("is waited for by many, and an edge wakes them all, whoever takes it back first", () =>
      withPair(function* (watched, ends) {
        watched.tryRead(() => ends.client.read(byte));
        function* waits(): Coroutine<void> {
          yield* watched.readable();
          yield* yieldNow();
          watched.clearReadable();
        }
        const waiting = Array.from({ length: 10 }, () => spawn(waits));
        yield* turns();
        assertEquals(waiting.some(({ isFinished }) => isFinished), false);
        ends.server.write(byte);
        for (const handle of waiting) yield* handle;
      }));

    it("gives each of many readers one byte of many, and loses none", () =>
      withPair(function* (watched, ends) {
        const reads = Array.from({ length: 50 }, () => spawn(read, watched, ends.client));
        yield* turns();
        for (let i = 0; i < 50; i++) {
          ends.server.write(byte);
          if (i % 7 === 0) yield* turns();
        }
        for (const handle of reads) assertEquals(yield* handle, 1);
      }));

    it("has a waiter that is dropped take nobody else's edge", () =>
      withPair(function* (watched, ends) {
        watched.tryRead(() => ends.client.read(byte));
        const waiting = Array.from({ length: 9 }, () => spawn(() => watched.readable()));
        yield* turns();
        for (const i of [0, 4, 8, 5]) waiting[i].abort();
        watched.readable().drop();
        ends.server.write(byte);
        for (const i of [1, 2, 3, 6, 7]) yield* waiting[i];
      }));

    it("wakes readers for what can be read alone, and the waker of the last poll", () =>
      withPair(function* (watched, ends) {
        const sum = fill(ends.client);
        watched.tryWrite(() => ends.client.write(byte));
        watched.tryRead(() => ends.client.read(byte));
        yield* turns();
        watched.clearReadable();
        watched.clearWritable();
        const [first, second, writer] = [new Probe(), new Probe(), new Probe()];
        const [readable, writable] = [watched.readable(), watched.writable()];
        assertEquals(first.isPending(readable), true);
        assertEquals([second.isPending(readable), writer.isPending(writable)], [true, true]);
        ends.server.write(byte);
        yield* turns();
        assertEquals([first.wakes, second.wakes, writer.wakes], [0, 1, 0]);
        assertEquals([second.poll(readable), writer.isPending(writable)], [undefined, true]);
        readAll(ends.server, new NativeBuffer(sum), sum);
        yield* turns();
        assertEquals([writer.wakes, writer.poll(writable)], [1, undefined]);
        assertThrows(() => writer.poll(writable), Error, "cannot wait for a descriptor's readiness again");
      }));

    it("tells of TCP's urgent byte alone to who waits for that", async () => {
      await withPair(function* (watched, ends) {
        const urgent = watched.urgent();
        assertEquals(yield* comes(urgent), false);
        ends.server.write(byte);
        assertEquals(yield* comes(urgent), false);
        sendUrgent(ends.server);
        yield* urgent;
        watched.clearUrgent();
        const next = watched.urgent();
        // poll(2) knows levels: it is told of at once for as long as it is there.
        if (poller === "epoll") assertEquals(yield* comes(next), false);
        sendUrgent(ends.server);
        yield* next;
      });
    });

    it("wakes everybody at the end of what the peer sends, and at its reset", () =>
      withPair(function* (watched, ends) {
        watched.tryRead(() => ends.client.read(byte));
        const waiting = [spawn(() => watched.readable()), spawn(() => watched.readable())];
        yield* turns();
        ends.server.fd.close();
        for (const handle of waiting) yield* handle;
        assertEquals(watched.tryRead(() => ends.client.read(byte)), 0);
      }));

    it("tells who waits that it was disposed, and leaves the descriptor open", () =>
      withPair(function* (watched, ends) {
        watched.tryRead(() => ends.client.read(byte));
        const waiting = spawn(() => watched.readable().settled());
        const reading = spawn(() => watched.read(() => ends.client.read(byte)).settled());
        yield* turns();
        const probe = new Probe();
        const late = watched.writable();
        watched[Symbol.dispose]();
        watched[Symbol.dispose]();
        for (const each of [yield* waiting, yield* reading]) {
          assert(each.status === "rejected");
          assert(`${each.reason}`.includes("cannot wait for a descriptor: it is watched no more"));
        }
        assertThrows(() => probe.poll(late), Error, "it is watched no more");
        assertThrows(() => watched.tryRead(() => 1), Error, "it is watched no more");
        watched.clearReadable();
        assertEquals(ends.client.fd.isClosed, false);
        const again = new AsyncFd(ends.client.fd);
        yield* again.writable();
        again[Symbol.dispose]();
      }));

    it("throws what its call throws, once, and is good for the next", () =>
      withPair(function* (watched) {
        const failing = watched.read((): number => {
          throw new RangeError("in the call");
        });
        const probe = new Probe();
        assertThrows(() => probe.poll(failing), RangeError, "in the call");
        assertThrows(() => probe.poll(failing), Error, "cannot wait for a descriptor's call again");
        assertThrows(() => Reflect.apply(watched.read, watched, [5]), TypeError, "call is no function");
        assertThrows(() => Reflect.apply(watched.tryWrite, watched, []), TypeError, "call is no function");
        assertEquals(yield* watched.read(() => 1), 1);
      }));

    it("lets nobody wait whose runtime has ended", async () => {
      using ends = pair();
      const probe = new Probe();
      const { watched, pending } = await run(async () => {
        await sleep(0);
        const watched = new AsyncFd(ends.client.fd);
        watched.clearReadable();
        const pending = watched.readable();
        assertEquals(probe.isPending(pending), true);
        return { watched, pending: [pending] };
      }, { poller });
      assertEquals(probe.wakes, 1);
      assertThrows(() => probe.poll(pending[0]), Error, "its runtime has ended");
      assertThrows(() => probe.poll(watched.readable()), Error, "its runtime has ended");
      watched.clearReadable();
      assertThrows(() => probe.poll(watched.readable()), Error, "its runtime has ended");
      watched[Symbol.dispose]();
    });

    it("refuses a descriptor that is watched already, or closed", async () => {
      using ends = pair();
      await run(async () => {
        await sleep(0);
        using watched = new AsyncFd(ends.client.fd);
        assertThrows(() => new AsyncFd(watched.fd), Error, "EEXIST");
        const event = new EventFd();
        event.close();
        assertThrows(() => new AsyncFd(event.fd), Error);
        assertEquals(currentRuntime().reactor.registrations, 1);
      }, { poller });
    });

    it("watches what its owner closes under it, and not who has its number next", async () => {
      await run(function* (): Coroutine<void> {
        const first = new EventFd();
        const stale = new AsyncFd(first.fd);
        stale.clearReadable();
        const number = first.fd.number;
        first.close();
        const second = new EventFd();
        assertEquals(second.fd.number, number);
        using watched = new AsyncFd(second.fd);
        watched.tryRead(() => second.read());
        const before = spawn(() => stale.readable().settled());
        const waiting = spawn(() => watched.read(() => second.read()));
        yield* turns();
        second.write(3);
        assertEquals(yield* waiting, 3);
        assertEquals(before.isFinished, false);
        stale[Symbol.dispose]();
        assertEquals((yield* before).status, "rejected");
        second.write(4);
        assertEquals(yield* watched.read(() => second.read()), 4);
        second.close();
      }, { poller });
    });

    it("is any descriptor that can be polled", async () => {
      await run(function* (): Coroutine<void> {
        using timer = new TimerFd();
        using watched = new AsyncFd(timer.fd);
        timer.set({ after: 2 });
        assertEquals(yield* watched.read(() => timer.read()), 1);
      }, { poller });
    });
  });
}

describe("an AsyncFd", () => {
  it("refuses a regular file on epoll", async () => {
    using file = Fd.open(new URL(import.meta.url));
    await run(async () => {
      await sleep(0);
      assertThrows(() => new AsyncFd(file), Error, "EPERM");
      assertEquals(currentRuntime().reactor.registrations, 0);
    }, { poller: "epoll" });
    await assertRejects(
      () => run(async () => await Promise.reject(new Error("after it"))),
      Error,
      "after it",
    );
  });
});
