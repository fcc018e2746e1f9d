import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Coroutine, run, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Mutex } from "../../../lib/task/sync.ts";
import { abortedEverywhere, Calling, ready, waiting } from "./by_hand.ts";

describe("a mutex", () => {
  it("gives its value to each who locks it in turn", () => {
    const mutex = new Mutex(100);
    for (const expected of [100, 99, 98]) {
      using guard = ready(mutex.lock());
      assertEquals(guard.value, expected);
      guard.value--;
    }
    assertEquals(mutex.isLocked, false);
  });

  it("is waited for while another has it, and wakes who waits", () => {
    const mutex = new Mutex("");
    const guard = ready(mutex.lock());
    const future = mutex.lock();
    const probe = waiting(future);
    assert(mutex.isLocked);
    guard.release();
    guard.release();
    assertEquals([probe.wakes, mutex.isLocked], [1, true]);
    ready(future).release();
    assertEquals(mutex.isLocked, false);
    assertThrows(() => ready(future), Error, "cannot wait for lock() again");
  });

  it("is had by trying where nobody has it", () => {
    const mutex = new Mutex(0);
    {
      using guard = mutex.tryLock();
      assert(guard !== undefined);
      assertStrictEquals(mutex.tryLock(), undefined);
    }
    using guard = mutex.tryLock();
    assertEquals(guard?.value, 0);
  });

  it("is not had by trying where it was given to another that was not polled since", () => {
    const mutex = new Mutex(0);
    const guard = ready(mutex.lock());
    const future = mutex.lock();
    waiting(future);
    guard.release();
    assertStrictEquals(mutex.tryLock(), undefined);
    waiting(mutex.lock());
    assertEquals(ready(future).value, 0);
  });

  it("is not had before the first poll, nor after a drop", () => {
    const mutex = new Mutex(0);
    const future = mutex.lock();
    assertEquals(mutex.isLocked, false);
    future.drop();
    assertThrows(() => ready(future), Error, "again");
    ready(mutex.lock());
  });

  it("goes on to the next where who was given it is dropped", () => {
    const mutex = new Mutex(0);
    const guard = ready(mutex.lock());
    const [first, second] = [mutex.lock(), mutex.lock()];
    const [, probe] = [waiting(first), waiting(second)];
    guard.release();
    first.drop();
    assertEquals(probe.wakes, 1);
    ready(second).release();
    assertEquals(mutex.isLocked, false);
  });

  it("may be locked and unlocked by what its unlocking wakes", () => {
    const mutex = new Mutex(0);
    const guard = ready(mutex.lock());
    const future = mutex.lock();
    waiting(future, new Calling(() => ready(future).release()));
    const last = mutex.lock();
    const probe = waiting(last);
    guard.release();
    assertEquals(probe.wakes, 1);
    ready(last).release();
    assertEquals(mutex.isLocked, false);
  });

  it("has a guard that is of no use once it is released", () => {
    const mutex = new Mutex<number | undefined>(undefined);
    const guard = ready(mutex.lock());
    assertEquals([guard.value, guard.isReleased], [undefined, false]);
    guard[Symbol.dispose]();
    assertEquals(guard.isReleased, true);
    assertThrows(() => guard.value, Error, "cannot use what a Mutex guards: the guard was released");
    assertThrows(() => guard.value = 1, Error, "the guard was released");
    using other = ready(mutex.lock());
    guard.release();
    assertEquals([mutex.isLocked, other.value], [true, undefined]);
  });

  it("keeps tasks apart that wait while they have it, in the order in which they came", async () => {
    const mutex = new Mutex(0);
    const order: string[] = [];
    function* body(name: string): Coroutine<void> {
      for (let round = 0; round < 3; round++) {
        using guard = yield* mutex.lock();
        const { value } = guard;
        yield* yieldNow();
        guard.value = value + 1;
        order.push(name);
      }
    }
    await run(async () => {
      for (const task of ["a", "b", "c"].map((name) => spawn(body, name))) await task;
    });
    assertEquals([ready(mutex.lock()).value, order.join("")], [9, "abcabcabc"]);
  });

  it("keeps async functions apart too", async () => {
    const mutex = new Mutex(0);
    async function add(): Promise<void> {
      using guard = await mutex.lock();
      const { value } = guard;
      await sleep(1);
      guard.value = value + 1;
    }
    await run(async () => {
      await Promise.all([add(), add(), add()]);
    });
    assertEquals(ready(mutex.lock()).value, 3);
  });

  it("is unlocked where who has it throws", async () => {
    const mutex = new Mutex(1);
    function* body(): Coroutine<void> {
      using guard = yield* mutex.lock();
      guard.value = 2;
      throw new Error("thrown with the lock");
    }
    await assertRejects(() => run(() => body()), Error, "thrown with the lock");
    assertEquals(ready(mutex.lock()).value, 2);
  });

  it("is unlocked where the task that has it is aborted", async () => {
    const mutex = new Mutex(0);
    function* body(): Coroutine<void> {
      using _guard = yield* mutex.lock();
      yield* sleep(100_000);
    }
    await run(async () => {
      const task = spawn(body);
      await yieldNow();
      assert(mutex.isLocked);
      task.abort(new Error("aborted"));
      assertEquals(mutex.isLocked, false);
      await assertRejects(() => task, Error, "aborted");
    });
  });

  it("is free for others where a task that waits for it is aborted", async () => {
    const mutex = new Mutex(0);
    function* body(): Coroutine<void> {
      using _guard = yield* mutex.lock();
    }
    await run(async () => {
      const guard = await mutex.lock();
      const task = spawn(body);
      await yieldNow();
      task.abort(new Error("aborted"));
      await assertRejects(() => task, Error, "aborted");
      guard.release();
      (await mutex.lock()).release();
    });
    assertEquals(mutex.isLocked, false);
  });

  it("is free at the end wherever one of three tasks is aborted", async () => {
    await abortedEverywhere(() => {
      const mutex = new Mutex(0);
      let inside = 0;
      return {
        *body() {
          for (let round = 0; round < 3; round++) {
            using _guard = yield* mutex.lock();
            assertEquals(++inside, 1);
            try {
              yield* yieldNow();
            } finally {
              inside--;
            }
          }
        },
        check: () => assertEquals(mutex.isLocked, false),
      };
    });
  });
});
