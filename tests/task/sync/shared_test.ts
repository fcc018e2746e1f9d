/** What other threads and processes share, waited for by tasks. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../ffi/mod.ts";
import { Mmap } from "../../../lib/mem/mmap.ts";
import {
  RingEndedError,
  RingPeerDiedError,
  SharedCondvar,
  SharedMutex,
  SharedRing,
  SharedSemaphore,
} from "../../../lib/mem/shared.ts";
import { type Coroutine, type Future, type JoinHandle, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import {
  acquireShared,
  lockShared,
  peekShared,
  recvShared,
  reserveShared,
  sendShared,
  waitShared,
} from "../../../lib/task/sync.ts";
import { inFolder, newMap, wordsOf } from "../../mem/shared/file_map.ts";
import { startPeer } from "../../mem/shared/peer.ts";
import { ready } from "./by_hand.ts";

const files = inFolder();

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

/** Gives the task so many turns that it is past its first tries, and then some. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await yieldNow();
}

/** A task that has begun to wait; in an object, for a promise of it would be one of its value. */
async function waits<T>(make: () => Future<T>): Promise<{ task: JoinHandle<T> }> {
  const task = spawn(make);
  await turns();
  assertEquals(task.isFinished, false);
  return { task };
}

describe("lockShared", () => {
  it("has the mutex at once where nobody has it, and not before the first poll", () => {
    using map = Mmap.anonymous(4096);
    const mutex = SharedMutex.create(map);
    const future = lockShared(mutex);
    assertEquals(mutex.isHeld, false);
    {
      using guard = ready(future);
      assertEquals([mutex.isHeld, guard.ownerDied], [true, false]);
    }
    assertEquals(mutex.isHeld, false);
    assertThrows(() => ready(future), Error, "cannot wait for lockShared() again");
  });

  it("waits while another task of this thread has it, and lets others run", async () => {
    using map = Mmap.anonymous(4096);
    const mutex = SharedMutex.create(map);
    const order: string[] = [];
    function* body(name: string): Coroutine<void> {
      using _guard = yield* lockShared(mutex);
      order.push(`${name}+`);
      yield* yieldNow();
      order.push(`${name}-`);
    }
    await run(async () => {
      const tasks = ["a", "b", "c"].map((name) => spawn(body, name));
      for (const task of tasks) await task;
    });
    assertEquals(order.length, 6);
    for (let i = 0; i < 6; i += 2) assertEquals(order[i + 1], order[i].replace("+", "-"));
  });

  it("waits while another process has it, and is told where that one was killed", async () => {
    const path = files.file("mutex");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const peer = startPeer(path, `SharedMutex.open(map).lockSync(); tell("locked"); sleep(100_000);`);
    await run(async () => {
      assertEquals(await peer.line(), "locked");
      const { task } = await waits(() => lockShared(mutex));
      await peer.kill();
      using guard = await task;
      assertEquals(guard.ownerDied, true);
      guard.markConsistent();
    });
    assertEquals(mutex.tryLock()?.ownerDied, false);
    mutex.unlock();
  });

  it("fails where no waiting helps", async () => {
    const path = files.file("unusable");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const peer = startPeer(path, `SharedMutex.open(map).lockSync(); tell("locked"); sleep(100_000);`);
    await run(async () => {
      assertEquals(await peer.line(), "locked");
      await peer.kill();
      (await lockShared(mutex))[Symbol.dispose]();
      const error = await assertRejects(() => lockShared(mutex), SystemError);
      assertEquals(error.code, "ENOTRECOVERABLE");
    });
  });

  it("leaves the mutex alone where it is dropped while it waits", async () => {
    using map = Mmap.anonymous(4096);
    const mutex = SharedMutex.create(map);
    await run(async () => {
      const guard = ready(lockShared(mutex));
      const { task } = await waits(() => lockShared(mutex));
      task.abort(new Error("aborted"));
      await assertRejects(() => task, Error, "aborted");
      guard[Symbol.dispose]();
      await turns();
      assertEquals(mutex.isHeld, false);
    });
  });
});

describe("acquireShared", () => {
  it("takes what is there, and waits for what another process releases", async () => {
    const path = files.file("semaphore");
    using map = newMap(path);
    const semaphore = SharedSemaphore.create(map, 0, 1);
    ready(acquireShared(semaphore));
    const peer = startPeer(
      path,
      `const semaphore = SharedSemaphore.open(map);
       tell("ready");
       while (words(64, 1)[0] === 0) sleep(1);
       semaphore.release(2);`,
    );
    await run(async () => {
      assertEquals(await peer.line(), "ready");
      const { task } = await waits(() => acquireShared(semaphore));
      wordsOf(map, 64, 1)[0] = 1;
      assertStrictEquals(await task, undefined);
      await peer.end();
    });
    assertEquals(semaphore.count, 1);
  });

  it("takes nothing where it is dropped, and is over then", async () => {
    using map = Mmap.anonymous(4096);
    const semaphore = SharedSemaphore.create(map);
    const future = acquireShared(semaphore);
    await run(async () => {
      const { task } = await waits(() => future);
      task.abort(new Error("aborted"));
      await assertRejects(() => task, Error, "aborted");
      semaphore.release();
      await turns();
    });
    future.drop();
    assertEquals(semaphore.count, 1);
    assertThrows(() => ready(future), Error, "cannot wait for acquireShared() again");
  });
});

describe("waitShared", () => {
  it("gives the mutex to others while it waits, and has it again once it was notified", async () => {
    using map = Mmap.anonymous(4096);
    const mutex = SharedMutex.create(map);
    const changed = SharedCondvar.create(map, 64);
    const jobs = wordsOf(map, 128, 1);
    function* worker(): Coroutine<number> {
      let guard = yield* lockShared(mutex);
      try {
        while (jobs[0] === 0) guard = yield* waitShared(changed, mutex);
        return jobs[0];
      } finally {
        guard[Symbol.dispose]();
      }
    }
    await run(async () => {
      const task = spawn(worker);
      await turns();
      assertEquals([task.isFinished, mutex.isHeld], [false, false]);
      {
        using _guard = await lockShared(mutex);
        jobs[0] = 7;
        changed.notifyOne();
      }
      assertEquals(await task, 7);
    });
    assertEquals(mutex.isHeld, false);
  });

  it("is notified by another process", async () => {
    const path = files.file("condvar");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const changed = SharedCondvar.create(map, 64);
    const jobs = wordsOf(map, 128, 2);
    const peer = startPeer(
      path,
      `const [mutex, changed, jobs] = [SharedMutex.open(map), SharedCondvar.open(map, 64), words(128, 2)];
       tell("ready");
       while (jobs[0] === 0) sleep(1);
       using guard = mutex.lockSync();
       jobs[1] = 5;
       changed.notifyAll();`,
    );
    await run(async () => {
      assertEquals(await peer.line(), "ready");
      ready(lockShared(mutex));
      const { task } = await waits(() => waitShared(changed, mutex));
      jobs[0] = 1;
      using _guard = await task;
      assertEquals([jobs[1], mutex.isHeld], [5, true]);
      await peer.end();
    });
  });

  it("ends where a process dies that holds the mutex and notified nobody", async () => {
    const path = files.file("dead");
    using map = newMap(path);
    const mutex = SharedMutex.create(map);
    const changed = SharedCondvar.create(map, 64);
    const go = wordsOf(map, 128, 1);
    const peer = startPeer(
      path,
      `const mutex = SharedMutex.open(map);
       while (words(128, 1)[0] === 0) sleep(1);
       mutex.lockSync();
       tell("locked");
       sleep(100_000);`,
    );
    await run(async () => {
      ready(lockShared(mutex));
      const { task } = await waits(() => waitShared(changed, mutex));
      go[0] = 1;
      assertEquals(await peer.line(), "locked");
      await peer.kill();
      using guard = await task;
      assertEquals(guard.ownerDied, true);
      const error = await assertRejects(() => waitShared(changed, mutex), Error);
      assertEquals(error.message.includes("call its markConsistent() first"), true);
      guard.markConsistent();
    });
  });

  it("leaves the mutex free where it is dropped", async () => {
    using map = Mmap.anonymous(4096);
    const mutex = SharedMutex.create(map);
    const changed = SharedCondvar.create(map, 64);
    await run(async () => {
      using _guard = ready(lockShared(mutex));
      const { task } = await waits(() => waitShared(changed, mutex));
      task.abort(new Error("aborted"));
      await assertRejects(() => task, Error, "aborted");
      changed.notifyOne();
      await turns();
      assertEquals(mutex.isHeld, false);
    });
  });

  it("fails where this thread does not hold the mutex", () => {
    using map = Mmap.anonymous(4096);
    const future = waitShared(SharedCondvar.create(map, 64), SharedMutex.create(map));
    assertEquals(assertThrows(() => ready(future), SystemError).code, "EPERM");
    assertThrows(() => ready(future), Error, "cannot wait for waitShared() again");
  });
});

for (const kind of ["spsc", "mpmc"] as const) {
  describe(`a task at a ring of kind ${kind}`, () => {
    it("sends and receives what there is room for and what is there, at once", () => {
      using map = Mmap.anonymous(SharedRing.byteSize(64));
      using ring = SharedRing.create(map, { capacity: 64, kind });
      const send = sendShared(ring, bytes(1, 2));
      assertStrictEquals(ring.tryRecv(), undefined);
      ready(send);
      assertThrows(() => ready(send), Error, "cannot wait for sendShared() again");
      const place = ready(reserveShared(ring, 1));
      place.bytes[0] = 3;
      place.commit();
      assertEquals(ready(recvShared(ring)), bytes(1, 2));
      {
        using message = ready(peekShared(ring));
        assertEquals(message?.bytes[0], 3);
      }
      assertStrictEquals(ring.tryRecv(), undefined);
    });

    it("waits for room and for messages, and the other goes on", async () => {
      using map = Mmap.anonymous(SharedRing.byteSize(64));
      using ring = SharedRing.create(map, { capacity: 64, kind });
      const received: number[] = [];
      function* producer(): Coroutine<void> {
        for (let i = 0; i < 200; i++) {
          if (i % 3 === 0) {
            using place = yield* reserveShared(ring, 24);
            place.bytes[0] = i;
            place.commit();
          } else yield* sendShared(ring, bytes(i));
        }
        ring.end();
      }
      function* consumer(): Coroutine<void> {
        for (;;) {
          if (received.length % 5 === 0) {
            using message = yield* peekShared(ring);
            if (message === undefined) return;
            received.push(message.bytes[0]);
          } else {
            const message = yield* recvShared(ring);
            if (message === undefined) return;
            received.push(message[0]);
          }
        }
      }
      await run(async () => {
        for (const task of [spawn(consumer), spawn(producer)]) await task;
        assertStrictEquals(await recvShared(ring), undefined);
        assertStrictEquals(await peekShared(ring), undefined);
        await assertRejects(() => sendShared(ring, bytes(1)), RingEndedError);
        await assertRejects(() => reserveShared(ring, 1), RingEndedError);
      });
      assertEquals(received, Array.from({ length: 200 }, (_, i) => i));
    });

    it("takes and sends nothing where it is dropped", async () => {
      using map = Mmap.anonymous(SharedRing.byteSize(64));
      using ring = SharedRing.create(map, { capacity: 64, kind });
      await run(async () => {
        const { task: receiver } = await waits(() => recvShared(ring));
        receiver.abort(new Error("aborted"));
        await assertRejects(() => receiver, Error, "aborted");
        while (ring.trySend(bytes(1, 2, 3)));
        const { task: sender } = await waits(() => sendShared(ring, bytes(9)));
        sender.abort(new Error("aborted"));
        await assertRejects(() => sender, Error, "aborted");
        await turns();
        ring.end();
        const all: number[] = [];
        for (const message of ring) all.push(...message);
        assert(all.length > 0 && !all.includes(9));
      });
    });

    it("receives what another process sends, and sends it back", async () => {
      const path = files.file(`echo-${kind}`);
      const size = SharedRing.byteSize(256);
      using map = newMap(path, 2 * size);
      using there = SharedRing.create(map, { capacity: 256, kind });
      using back = SharedRing.create(map, { capacity: 256, kind, byteOffset: size });
      const peer = startPeer(
        path,
        `using there = SharedRing.open(map);
         using back = SharedRing.open(map, { byteOffset: ${size} });
         tell("ready");
         for (const message of there) back.sendSync(message);
         back.end();`,
      );
      function* producer(): Coroutine<void> {
        for (let i = 0; i < 500; i++) yield* sendShared(there, bytes(i & 255, i >> 8));
        there.end();
      }
      function* consumer(): Coroutine<number> {
        for (let count = 0;; count++) {
          const message = yield* recvShared(back);
          if (message === undefined) return count;
          assertEquals(message, bytes(count & 255, count >> 8));
        }
      }
      await run(async () => {
        assertEquals(await peer.line(), "ready");
        spawn(producer);
        assertEquals(await spawn(consumer), 500);
        await peer.end();
      });
    });
  });
}

describe("a task at a ring for one producer and one consumer", () => {
  it("gets nothing more once the producer has left, and an error where it died", async () => {
    for (const [end, act] of [["left", "ring[Symbol.dispose]();"], ["died", "sleep(100_000);"]]) {
      const path = files.file(`producer-${end}`);
      using map = newMap(path, SharedRing.byteSize(64));
      using ring = SharedRing.create(map, { capacity: 64 });
      const peer = startPeer(
        path,
        `const ring = SharedRing.open(map); ring.sendSync(Uint8Array.of(1)); tell("sent"); ${act}`,
      );
      await run(async () => {
        assertEquals(await recvShared(ring), bytes(1));
        const task = spawn(() => recvShared(ring));
        assertEquals(await peer.line(), "sent");
        if (end === "died") {
          await turns(100);
          assertEquals(task.isFinished, false);
          await peer.kill();
          await assertRejects(() => task, RingPeerDiedError, "its producer died");
          await assertRejects(() => peekShared(ring), RingPeerDiedError);
        } else {
          assertStrictEquals(await task, undefined);
          assertStrictEquals(await peekShared(ring), undefined);
          await peer.end();
        }
      });
    }
  });

  it("hears that the consumer died where it waits for room", async () => {
    const path = files.file("consumer-died");
    using map = newMap(path, SharedRing.byteSize(64));
    using ring = SharedRing.create(map, { capacity: 64 });
    const peer = startPeer(
      path,
      `const ring = SharedRing.open(map); ring.recvSync(); tell("received"); sleep(100_000);`,
    );
    await run(async () => {
      await sendShared(ring, bytes(1));
      assertEquals(await peer.line(), "received");
      while (ring.trySend(bytes(1, 2, 3)));
      const [sender, reserver] = [
        spawn(() => sendShared(ring, bytes(9))),
        spawn(() => reserveShared(ring, 1)),
      ];
      await turns(100);
      assertEquals([sender.isFinished, reserver.isFinished], [false, false]);
      await peer.kill();
      await assertRejects(() => sender, RingPeerDiedError, "its consumer died");
      await assertRejects(() => reserver, RingPeerDiedError, "its consumer died");
    });
  });
});
