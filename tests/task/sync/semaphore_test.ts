import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type Coroutine, Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Semaphore } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { ready } from "./by_hand.ts";

function* hold(semaphore: Semaphore, turns: number): Coroutine<void> {
  using _permit = yield* semaphore.acquire();
  for (let turn = 0; turn < turns; turn++) yield* yieldNow();
}

describe("a semaphore", () => {
  it("may have no permits", () => {
    const semaphore = new Semaphore(0);
    assertEquals(semaphore.availablePermits, 0);
    assertStrictEquals(semaphore.tryAcquire(), undefined);
  });

  it("gives a permit at once where there is one, and has it back when it is disposed", () => {
    const semaphore = new Semaphore(1);
    {
      using permit = semaphore.tryAcquire();
      assertEquals(permit?.count, 1);
      assertStrictEquals(semaphore.tryAcquire(), undefined);
    }
    assert(semaphore.tryAcquire() !== undefined);
  });

  it("gives many permits at once, or none", () => {
    const semaphore = new Semaphore(5);
    const one = semaphore.tryAcquire();
    assertStrictEquals(semaphore.tryAcquire(5), undefined);
    assertEquals(semaphore.availablePermits, 4);
    one?.release();
    assertEquals(semaphore.tryAcquire(5)?.count, 5);
    assertEquals(semaphore.availablePermits, 0);
  });

  it("gives a permit to the first poll where there is one", () => {
    const semaphore = new Semaphore(100);
    assertEquals(ready(semaphore.acquire()).count, 1);
    assertEquals(semaphore.availablePermits, 99);
  });

  it("gives many permits to the first poll where there are so many", () => {
    const semaphore = new Semaphore(100);
    assertEquals(ready(semaphore.acquireMany(5)).count, 5);
    assertEquals(semaphore.availablePermits, 95);
    assertEquals(ready(semaphore.acquireMany(95)).count, 95);
    assertEquals(semaphore.availablePermits, 0);
  });

  it("does nothing before the first poll", () => {
    const semaphore = new Semaphore(1);
    semaphore.acquire();
    const dropped = semaphore.acquire();
    dropped.drop();
    dropped.drop();
    assertEquals(semaphore.availablePermits, 1);
    assertThrows(() => ready(dropped), Error, "cannot wait for acquire() again");
  });

  it("gives way where the budget is spent, with the permit kept for it", () => {
    const semaphore = new Semaphore(1);
    const future = semaphore.acquire();
    const probe = new Probe();
    coop.left = 0;
    assertStrictEquals(probe.poll(future), Pending);
    assertEquals([probe.wakes, semaphore.availablePermits], [1, 1]);
    coop.left = 1;
    assert(probe.poll(future) !== Pending);
    assertEquals([coop.left, semaphore.availablePermits], [0, 0]);
    coop.left = BUDGET;
  });

  it("lets other tasks have their turn though its permits never end", async () => {
    const semaphore = new Semaphore(1);
    const turns: number[] = [];
    function* greedy(index: number): Coroutine<void> {
      for (let i = 0; i < 20 * BUDGET; i++) {
        (yield* semaphore.acquire()).release();
        if (turns.at(-1) !== index) turns.push(index);
      }
    }
    await run(async () => {
      const tasks = [spawn(greedy, 0), spawn(greedy, 1)];
      for (const task of tasks) await task;
    });
    assertEquals(turns.slice(0, 4), [0, 1, 0, 1]);
  });

  it("is had again by a task that waits for it while another holds it", async () => {
    const semaphore = new Semaphore(1);
    await run(async () => {
      const permit = semaphore.tryAcquire();
      const task = spawn(hold, semaphore, 0);
      await yieldNow();
      assert(!task.isFinished);
      permit?.release();
      await task;
    });
    assertEquals(semaphore.availablePermits, 1);
  });

  it("is had by a task that waits for permits which are added", async () => {
    const semaphore = new Semaphore(0);
    await run(async () => {
      const task = spawn(hold, semaphore, 0);
      await yieldNow();
      semaphore.addPermits(1);
      await task;
    });
    assertEquals(semaphore.availablePermits, 1);
  });

  it("has all its permits again after a thousand tasks", async () => {
    const semaphore = new Semaphore(5);
    await run(async () => {
      const tasks = Array.from({ length: 1_000 }, (_, index) => spawn(hold, semaphore, index % 3));
      for (const task of tasks) await task;
    });
    assertEquals(Array.from({ length: 6 }, () => semaphore.tryAcquire()?.count), [1, 1, 1, 1, 1, undefined]);
  });

  it("is awaited in async functions too", async () => {
    const semaphore = new Semaphore(2);
    await run(async () => {
      using permit = await semaphore.acquireMany(2);
      assertEquals([permit.count, semaphore.availablePermits], [2, 0]);
    });
    assertEquals(semaphore.availablePermits, 2);
  });

  it("adds permits, open or closed, and forgets no more than it has", () => {
    for (const isClosed of [false, true]) {
      for (let size = 0; size < 4; size++) {
        for (let count = 0; count < 4; count++) {
          const [more, fewer] = [new Semaphore(size), new Semaphore(size)];
          if (isClosed) {
            more.close();
            fewer.close();
          }
          more.addPermits(count);
          assertEquals([more.availablePermits, more.isClosed], [size + count, isClosed]);
          const expected = Math.max(0, size - count);
          assertEquals(fewer.forgetPermits(count), size - expected);
          assertEquals([fewer.availablePermits, fewer.isClosed], [expected, isClosed]);
        }
      }
    }
  });

  it("forgets permits in parts", () => {
    const semaphore = new Semaphore(10);
    assertEquals([semaphore.forgetPermits(4), semaphore.availablePermits], [4, 6]);
    assertEquals([semaphore.forgetPermits(10), semaphore.availablePermits], [6, 0]);
  });

  it("may have MAX_PERMITS, and no more", () => {
    const { MAX_PERMITS } = Semaphore;
    const semaphore = new Semaphore(0);
    semaphore.addPermits(MAX_PERMITS);
    assertEquals(semaphore.availablePermits, MAX_PERMITS);
    const almost = new Semaphore(MAX_PERMITS - 1);
    almost.addPermits(1);
    assertThrows(() => almost.addPermits(1), RangeError, "is over");
    assertThrows(() => new Semaphore(1).addPermits(MAX_PERMITS), RangeError, "cannot add permits");
    assertThrows(() => new Semaphore(MAX_PERMITS + 1), RangeError, "cannot make a Semaphore");
  });

  it("names what is no count", () => {
    const semaphore = new Semaphore(1);
    for (const count of [-1, 0.5, NaN, Infinity]) {
      assertThrows(() => new Semaphore(count), RangeError, `count is ${count}, not an integer`);
      assertThrows(() => semaphore.acquireMany(count), RangeError, `count is ${count}`);
      assertThrows(() => semaphore.tryAcquire(count), RangeError, `count is ${count}`);
      assertThrows(() => semaphore.addPermits(count), RangeError, `count is ${count}`);
      assertThrows(() => semaphore.forgetPermits(count), RangeError, `count is ${count}`);
      using permit = semaphore.tryAcquire();
      assertThrows(() => permit?.split(count), RangeError, `count is ${count}`);
    }
    assertEquals(semaphore.availablePermits, 1);
  });
});
