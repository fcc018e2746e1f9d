import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, type Future, Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Barrier, RwLock, type RwLockReadGuard, type RwLockWriteGuard } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { abortedEverywhere, ready, waiting } from "./by_hand.ts";

/** Those who want a lock in one way, and those who have it. */
class Side<G extends { release(): void }> {
  readonly futures: Future<G>[] = [];
  readonly guards: G[] = [];

  poll(index: number): void {
    if (index >= this.futures.length) return;
    coop.left = BUDGET;
    const guard = new Probe().poll(this.futures[index]);
    if (guard === Pending) return;
    this.futures.splice(index, 1);
    this.guards.push(guard);
  }

  drop(index: number): void {
    this.futures.splice(index, 1)[0]?.drop();
  }

  release(index: number): void {
    this.guards.splice(index, 1)[0]?.release();
  }
}

describe("an RwLock", () => {
  it("is read by two at once", () => {
    const lock = new RwLock(100);
    const [first, second] = [ready(lock.read()), ready(lock.read())];
    assertEquals([first.value, second.value], [100, 100]);
  });

  it("is not written while it is read", () => {
    const lock = new RwLock(100);
    const reader = ready(lock.read());
    const future = lock.write();
    const probe = waiting(future);
    reader.release();
    reader.release();
    assertEquals(probe.wakes, 1);
    assertEquals(ready(future).value, 100);
  });

  it("is not read while it is written", () => {
    const lock = new RwLock(100);
    const writer = ready(lock.write());
    const futures = [lock.read(), lock.read()];
    const probes = futures.map((future) => waiting(future));
    writer.value = 5;
    writer.release();
    writer.release();
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    assertEquals(futures.map((future) => ready(future).value), [5, 5]);
  });

  it("is not written by two at once", () => {
    const lock = new RwLock(100);
    const writer = ready(lock.write());
    const future = lock.write();
    waiting(future);
    writer.release();
    assertEquals(ready(future).isReleased, false);
  });

  it("has no more readers than it may have", () => {
    const lock = new RwLock(100, { maxReaders: 64 });
    const readers: RwLockReadGuard<number>[] = [];
    for (let reader = lock.tryRead(); reader !== undefined; reader = lock.tryRead()) readers.push(reader);
    assertEquals(readers.length, 64);
    const future = lock.read();
    const probe = waiting(future);
    readers[7].release();
    assertEquals(probe.wakes, 1);
    assertEquals(ready(future).value, 100);
  });

  it("names what is no count of readers", () => {
    for (const maxReaders of [0, -1, 1.5, NaN, 2 ** 29]) {
      assertThrows(() => new RwLock(0, { maxReaders }), RangeError, `maxReaders is ${maxReaders}`);
    }
    assertEquals(ready(new RwLock("value", { maxReaders: 2 ** 29 - 1 }).write()).value, "value");
  });

  it("keeps readers behind a writer that waits", () => {
    const lock = new RwLock(100);
    const readers = [ready(lock.read()), ready(lock.read())];
    const [write, read] = [lock.write(), lock.read()];
    const [writing, reading] = [waiting(write), waiting(read)];
    assertStrictEquals(lock.tryRead(), undefined);
    readers[0].release();
    assertEquals([writing.wakes, reading.wakes], [0, 0]);
    readers[1].release();
    assertEquals([writing.wakes, reading.wakes], [1, 0]);
    ready(write).release();
    assertEquals(reading.wakes, 1);
  });

  it("lets readers in where the writer before them is dropped", () => {
    const lock = new RwLock(100);
    const reader = ready(lock.read());
    const [write, read] = [lock.write(), lock.read()];
    const [, reading] = [waiting(write), waiting(read)];
    write.drop();
    assertEquals(reading.wakes, 1);
    assertEquals(ready(read).value, 100);
    reader.release();
  });

  it("lets readers in where the writer is dropped that was given it already", () => {
    const lock = new RwLock(100);
    const reader = ready(lock.read());
    const [write, read] = [lock.write(), lock.read()];
    const [writing, reading] = [waiting(write), waiting(read)];
    reader.release();
    assertEquals([writing.wakes, reading.wakes], [1, 0]);
    write.drop();
    assertEquals(reading.wakes, 1);
  });

  it("is read and written by a task alone", async () => {
    const lock = new RwLock(100);
    const values = await run(async () => {
      const before = (await lock.read()).value;
      return before;
    });
    assertEquals(values, 100);
    const other = new RwLock(100);
    await run(async () => {
      using guard = await other.write();
      guard.value += 50;
      assertEquals(guard.value, 150);
    });
  });

  it("is had in the order of the first polls, not of the calls", () => {
    const lock = new RwLock<number[]>([]);
    const [second, first] = [lock.write(), lock.write()];
    const guard = ready(first);
    waiting(second);
    guard.value.push(1);
    guard.release();
    using later = ready(second);
    later.value.push(2);
    assertEquals(later.value, [1, 2]);
  });

  it("adds up what many tasks write", async () => {
    const lock = new RwLock(0);
    const barrier = new Barrier(5);
    function* add(amount: number): Coroutine<void> {
      for (let i = 0; i < 100; i++) {
        using guard = yield* lock.write();
        const { value } = guard;
        if (i % 10 === 0) yield* yieldNow();
        guard.value = value + amount;
      }
      yield* barrier.wait();
    }
    await run(async () => {
      for (const amount of [2, 3, 5, 7]) spawn(add, amount);
      await barrier.wait();
      assertEquals((await lock.read()).value, 1_700);
    });
  });

  it("is had by trying as by waiting", () => {
    const lock = new RwLock(15);
    const readers = [lock.tryRead(), lock.tryRead()];
    assertEquals(readers.map((reader) => reader?.value), [15, 15]);
    assertStrictEquals(lock.tryWrite(), undefined);
    for (const reader of readers) reader?.release();
    {
      using writer = lock.tryWrite();
      assert(writer !== undefined);
      writer.value = 1515;
      assertStrictEquals(lock.tryRead(), undefined);
      assertStrictEquals(lock.tryWrite(), undefined);
    }
    assertEquals(lock.tryRead()?.value, 1515);
  });

  it("has a writer made a reader with no writer in between", () => {
    const lock = new RwLock(0);
    const writer = ready(lock.write());
    const [read, write, late] = [lock.read(), lock.write(), lock.read()];
    const probes = [read, write, late].map((future) => waiting(future));
    writer.value = 7;
    const reader = writer.downgrade();
    writer.release();
    assertEquals([reader.value, writer.isReleased], [7, true]);
    assertEquals(probes.map(({ wakes }) => wakes), [1, 0, 0]);
    assertThrows(() => writer.downgrade(), Error, "the guard was released");
    const second = ready(read);
    assertEquals(second.value, 7);
    reader.release();
    second.release();
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1, 0]);
  });

  it("has guards that are of no use once they are released", () => {
    const lock = new RwLock(1);
    const reader = ready(lock.read());
    reader[Symbol.dispose]();
    assertEquals(reader.isReleased, true);
    assertThrows(() => reader.value, Error, "cannot use what an RwLock guards: the guard was released");
    const writer = ready(lock.write());
    writer[Symbol.dispose]();
    assertEquals(writer.isReleased, true);
    assertThrows(() => writer.value, Error, "the guard was released");
    assertThrows(() => writer.value = 2, Error, "the guard was released");
  });

  it("has futures that give once", () => {
    const lock = new RwLock(1, { maxReaders: 2 });
    const [read, write] = [lock.read(), lock.write()];
    ready(read).release();
    ready(write).release();
    assertThrows(() => ready(read), Error, "cannot wait for read() again");
    assertThrows(() => ready(write), Error, "cannot wait for write() again");
  });

  it("has never a writer beside another or a reader, by random steps", () => {
    const step = fc.record({
      kind: fc.constantFrom("read", "write", "poll", "drop", "release", "downgrade"),
      n: fc.nat(7),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), (maxReaders, steps) => {
        const lock = new RwLock(0, { maxReaders });
        const readers = new Side<RwLockReadGuard<number>>();
        const writers = new Side<RwLockWriteGuard<number>>();
        for (const { kind, n } of steps) {
          const side = (n & 1) === 0 ? readers : writers;
          switch (kind) {
            case "read":
              readers.futures.push(lock.read());
              readers.poll(readers.futures.length - 1);
              break;
            case "write":
              writers.futures.push(lock.write());
              writers.poll(writers.futures.length - 1);
              break;
            case "poll":
              side.poll(n >> 1);
              break;
            case "drop":
              side.drop(n >> 1);
              break;
            case "release":
              side.release(n >> 1);
              break;
            case "downgrade": {
              const writer = writers.guards.pop();
              if (writer !== undefined) readers.guards.push(writer.downgrade());
            }
          }
          assert(writers.guards.length === 0 || (writers.guards.length === 1 && readers.guards.length === 0));
          assert(readers.guards.length <= maxReaders);
        }
        for (const side of [readers, writers]) {
          while (side.futures.length > 0) side.drop(0);
          while (side.guards.length > 0) side.release(0);
        }
        assertEquals(lock.tryWrite()?.value, 0);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses options that there are not", () => {
    const make = (options: unknown) => Reflect.construct(RwLock, [1, options]);
    assertThrows(() => make({ readers: 4 }), TypeError, 'there is no option "readers"');
    assertThrows(() => make(null), TypeError, "options are no object");
  });

  it("is free at the end wherever one of three tasks is aborted", async () => {
    await abortedEverywhere(() => {
      const lock = new RwLock(0);
      return {
        *body(index) {
          for (let round = 0; round < 3; round++) {
            if ((round + index) % 2 === 0) {
              using _guard = yield* lock.read();
              yield* yieldNow();
            } else {
              using guard = yield* lock.write();
              yield* yieldNow();
              using _reader = guard.downgrade();
              yield* yieldNow();
            }
          }
        },
        check: () => assertEquals(lock.tryWrite()?.value, 0),
      };
    });
  });
});
