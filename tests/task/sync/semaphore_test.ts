import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, type Future, Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Semaphore, SemaphoreClosedError, type SemaphorePermit } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { abortedEverywhere, Calling, ready, waiting } from "./by_hand.ts";

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

  it("gives what is released to who waits, and wakes it once", () => {
    const semaphore = new Semaphore(1);
    const permit = ready(semaphore.acquire());
    const second = semaphore.acquire();
    const probe = waiting(second);
    permit.release();
    permit.release();
    assertEquals([probe.wakes, semaphore.availablePermits], [1, 0]);
    ready(second).release();
    assertEquals(semaphore.availablePermits, 1);
    assertThrows(() => ready(second), Error, "its value was taken");
  });

  it("gives what is added to who waits where there never was a permit", () => {
    const semaphore = new Semaphore(0);
    const future = semaphore.acquire();
    const probe = waiting(future);
    semaphore.addPermits(1);
    assertEquals(probe.wakes, 1);
    assertEquals(ready(future).count, 1);
  });

  it("collects permits for who wants many, and lets nobody overtake it", () => {
    const semaphore = new Semaphore(5);
    const one = ready(semaphore.acquire());
    const five = semaphore.acquireMany(5);
    const three = semaphore.acquireMany(3);
    const [probe5, probe3] = [waiting(five), waiting(three)];
    assertEquals(semaphore.availablePermits, 0);
    assertStrictEquals(semaphore.tryAcquire(), undefined);
    one.release();
    assertEquals([probe5.wakes, probe3.wakes, semaphore.availablePermits], [1, 0, 0]);
    const permit = ready(five);
    permit.split(1)?.release();
    assertEquals(probe3.wakes, 0);
    permit.split(2)?.release();
    assertEquals(probe3.wakes, 1);
    assertEquals([ready(three).count, permit.count], [3, 2]);
  });

  it("keeps what is over once who waits has enough", () => {
    const semaphore = new Semaphore(5);
    const seven = semaphore.acquireMany(7);
    waiting(seven);
    semaphore.addPermits(5);
    const permit = ready(seven);
    assertEquals(semaphore.availablePermits, 3);
    assertEquals(semaphore.forgetPermits(3), 3);
    assertEquals([semaphore.availablePermits, permit.count], [0, 7]);
  });

  it("gives no permit for 0 at once, even where others wait", () => {
    const semaphore = new Semaphore(0);
    waiting(semaphore.acquire());
    const permit = ready(semaphore.acquireMany(0));
    permit.release();
    assertEquals([permit.count, semaphore.tryAcquire(0)?.count], [0, 0]);
  });

  it("wakes the waker of the newest poll alone", () => {
    const semaphore = new Semaphore(0);
    const future = semaphore.acquire();
    const [first, second] = [waiting(future), waiting(future)];
    semaphore.addPermits(1);
    assertEquals([first.wakes, second.wakes], [0, 1]);
  });

  it("gives back what a dropped wait has collected", () => {
    const semaphore = new Semaphore(10);
    semaphore.tryAcquire(4)?.forget();
    const eight = semaphore.acquireMany(8);
    waiting(eight);
    assertEquals(semaphore.availablePermits, 0);
    eight.drop();
    assertEquals(semaphore.availablePermits, 6);
    assert(semaphore.tryAcquire(6) !== undefined);
  });

  it("hands what a dropped wait has collected to those behind it", () => {
    const semaphore = new Semaphore(3);
    const [big, small, smaller] = [semaphore.acquireMany(5), semaphore.acquireMany(2), semaphore.acquire()];
    const [, two, one] = [waiting(big), waiting(small), waiting(smaller)];
    big.drop();
    assertEquals([two.wakes, one.wakes, semaphore.availablePermits], [1, 1, 0]);
  });

  it("hands a permit on that was given to a wait which is dropped before it was polled", () => {
    const semaphore = new Semaphore(0);
    const [first, second] = [semaphore.acquire(), semaphore.acquire()];
    const [one, two] = [waiting(first), waiting(second)];
    semaphore.addPermits(1);
    assertEquals([one.wakes, two.wakes], [1, 0]);
    first.drop();
    first.drop();
    assertEquals([two.wakes, semaphore.availablePermits], [1, 0]);
    ready(second).release();
    assertEquals(semaphore.availablePermits, 1);
  });

  it("is left from the middle of the queue", () => {
    const semaphore = new Semaphore(0);
    const futures = Array.from({ length: 5 }, () => semaphore.acquire());
    const probes = futures.map((future) => waiting(future));
    for (const index of [2, 0, 4]) futures[index].drop();
    semaphore.addPermits(5);
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 0, 1, 0]);
    assertEquals(semaphore.availablePermits, 3);
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

describe("a closed semaphore", () => {
  it("fails every acquisition by name, and keeps its permits", async () => {
    const semaphore = new Semaphore(5);
    semaphore.close();
    semaphore.close();
    const future = semaphore.acquire();
    assertThrows(() => ready(future), SemaphoreClosedError, "the semaphore was closed");
    assertThrows(() => ready(future), Error, "cannot wait for acquire() again");
    assertThrows(() => ready(semaphore.acquireMany(0)), SemaphoreClosedError);
    assertThrows(() => semaphore.tryAcquire(), SemaphoreClosedError);
    const error = await assertRejects(() => run(() => semaphore.acquire()), SemaphoreClosedError);
    assertEquals([error.name, semaphore.availablePermits], ["SemaphoreClosedError", 5]);
  });

  it("wakes who waits, and fails it", () => {
    const semaphore = new Semaphore(0);
    const future = semaphore.acquire();
    const probe = waiting(future);
    semaphore.close();
    assertEquals(probe.wakes, 1);
    assertThrows(() => ready(future), SemaphoreClosedError);
  });

  it("wakes all who wait, and takes permits back later", () => {
    const semaphore = new Semaphore(2);
    const held = [ready(semaphore.acquire()), ready(semaphore.acquire())];
    const futures = [semaphore.acquire(), semaphore.acquire()];
    const probes = futures.map((future) => waiting(future));
    semaphore.close();
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    for (const future of futures) assertThrows(() => ready(future), SemaphoreClosedError);
    assertEquals(semaphore.availablePermits, 0);
    for (const [index, permit] of held.entries()) {
      permit.release();
      assertEquals(semaphore.availablePermits, index + 1);
      assertThrows(() => ready(semaphore.acquire()), SemaphoreClosedError);
    }
  });

  it("has what those who waited had collected or were given, polled or dropped", () => {
    for (const end of ["poll", "drop"]) {
      const semaphore = new Semaphore(3);
      const permit = semaphore.tryAcquire(1);
      const [given, collecting] = [semaphore.acquireMany(3), semaphore.acquireMany(9)];
      waiting(given);
      waiting(collecting);
      permit?.release();
      semaphore.addPermits(4);
      assertEquals(semaphore.availablePermits, 0);
      semaphore.close();
      for (const future of [given, collecting]) {
        if (end === "drop") future.drop();
        else assertThrows(() => ready(future), SemaphoreClosedError);
      }
      assertEquals(semaphore.availablePermits, 7);
    }
  });
});

describe("a permit", () => {
  it("goes back once, however often it is released", () => {
    const semaphore = new Semaphore(2);
    const permit = ready(semaphore.acquireMany(2));
    permit.release();
    permit[Symbol.dispose]();
    assertEquals([permit.count, semaphore.availablePermits], [0, 2]);
  });

  it("that is forgotten does not go back", () => {
    const semaphore = new Semaphore(2);
    const permit = ready(semaphore.acquireMany(2));
    assertEquals([permit.forget(), permit.forget()], [2, 0]);
    permit.release();
    assertEquals(semaphore.availablePermits, 0);
    assertStrictEquals(semaphore.tryAcquire(), undefined);
  });

  it("takes the permits of another", () => {
    const semaphore = new Semaphore(3);
    const [one, two] = [ready(semaphore.acquire()), ready(semaphore.acquireMany(2))];
    one.merge(two);
    two.release();
    assertEquals([one.count, two.count, semaphore.availablePermits], [3, 0, 0]);
    one.merge(one);
    assertEquals(one.count, 3);
    one.release();
    one.merge(ready(semaphore.acquire()));
    one.release();
    assertEquals(semaphore.availablePermits, 3);
  });

  it("takes none of another semaphore's", () => {
    const [one, other] = [ready(new Semaphore(3).acquire()), ready(new Semaphore(3).acquire())];
    assertThrows(() => one.merge(other), TypeError, "they are of two semaphores");
    assertEquals([one.count, other.count], [1, 1]);
  });

  it("is split into permits that go back each by itself", () => {
    const semaphore = new Semaphore(5);
    const first = ready(semaphore.acquireMany(3));
    const second = first.split(1);
    const nothing = first.split(0);
    assertEquals([first.count, second?.count, nothing?.count, semaphore.availablePermits], [2, 1, 0, 2]);
    first.release();
    assertEquals(semaphore.availablePermits, 4);
    const third = second?.split(1);
    assertEquals([second?.count, third?.count, second?.split(1)], [0, 1, undefined]);
    second?.release();
    nothing?.release();
    assertEquals(semaphore.availablePermits, 4);
    third?.release();
    assertEquals(semaphore.availablePermits, 5);
  });
});

describe("what wakes do to a semaphore", () => {
  it("may release and acquire in the middle of a release", () => {
    const semaphore = new Semaphore(1);
    const held = ready(semaphore.acquire());
    const futures = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()];
    const late = semaphore.acquire();
    const lateProbe = new Probe();
    const first = waiting(
      futures[0],
      new Calling(() => {
        ready(futures[0]).release();
        lateProbe.poll(late);
      }),
    );
    const [second, third] = [waiting(futures[1]), waiting(futures[2])];
    held.release();
    assertEquals([first.wakes, second.wakes, third.wakes, lateProbe.wakes], [1, 1, 0, 0]);
    semaphore.addPermits(1);
    assertEquals([third.wakes, lateProbe.wakes], [1, 0]);
    semaphore.addPermits(1);
    assertEquals(lateProbe.wakes, 1);
  });

  it("keeps nobody from having its permit where one throws", () => {
    const semaphore = new Semaphore(0);
    const futures = Array.from({ length: 4 }, () => semaphore.acquire());
    const bad = waiting(
      futures[0],
      new Calling(() => {
        throw new Error("a waker threw");
      }),
    );
    const probes = futures.slice(1).map((future) => waiting(future));
    assertThrows(() => semaphore.addPermits(3), Error, "a waker threw");
    assertEquals([bad, ...probes].map(({ wakes }) => wakes), [1, 1, 1, 0]);
    ready(futures[0]).release();
    assertEquals(probes[2].wakes, 1);
  });

  it("keeps nobody from hearing that it was closed where one throws", () => {
    const semaphore = new Semaphore(0);
    const [first, second] = [semaphore.acquire(), semaphore.acquire()];
    waiting(
      first,
      new Calling(() => {
        throw new Error("a waker threw");
      }),
    );
    const probe = waiting(second);
    assertThrows(() => semaphore.close(), Error, "a waker threw");
    assertEquals(probe.wakes, 1);
  });
});

/** A semaphore written the slow way. */
class Model {
  available: number;
  closed = false;
  queue: { id: number; wanted: number; lacking: number }[] = [];
  granted = new Map<number, number>();

  constructor(permits: number) {
    this.available = permits;
  }

  poll(id: number, wanted: number): "closed" | "ready" | "pending" {
    const has = this.granted.get(id);
    if (has !== undefined) this.granted.delete(id);
    if (this.closed) {
      this.add(has ?? 0);
      return "closed";
    }
    if (has !== undefined) return "ready";
    if (this.queue.some((waiter) => waiter.id === id)) return "pending";
    this.queue.push({ id, wanted, lacking: wanted });
    if (wanted === 0) {
      this.queue.pop();
      return "ready";
    }
    this.settle();
    return this.granted.delete(id) ? "ready" : "pending";
  }

  drop(id: number): void {
    const has = this.granted.get(id) ?? 0;
    this.granted.delete(id);
    const waiter = this.queue.find((waiter) => waiter.id === id);
    this.queue = this.queue.filter((waiter) => waiter.id !== id);
    this.add(has + (waiter === undefined ? 0 : waiter.wanted - waiter.lacking));
  }

  add(count: number): void {
    this.available += count;
    this.settle();
  }

  close(): void {
    this.closed = true;
    for (const { wanted, lacking } of this.queue) this.available += wanted - lacking;
    this.queue = [];
  }

  settle(): void {
    while (this.queue.length > 0 && this.available > 0) {
      const [head] = this.queue;
      const given = Math.min(head.lacking, this.available);
      head.lacking -= given;
      this.available -= given;
      if (head.lacking > 0) return;
      this.queue.shift();
      this.granted.set(head.id, head.wanted);
    }
  }
}

describe("a semaphore, by random steps", () => {
  it("does as a slow one does, and has all its permits at the end", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("acquire" as const), n: fc.nat(4) }),
      fc.record({ kind: fc.constant("poll" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("poll" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("drop" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("release" as const), n: fc.nat(7) }),
      fc.record({ kind: fc.constant("add" as const), n: fc.nat(2) }),
      fc.record({ kind: fc.constant("close" as const), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.nat(4), fc.array(step, { maxLength: 60 }), (permits, steps) => {
        const semaphore = new Semaphore(permits);
        const model = new Model(permits);
        const waits: { id: number; wanted: number; future: Future<SemaphorePermit>; probe: Probe }[] = [];
        const held: SemaphorePermit[] = [];
        let total = permits;
        let ids = 0;
        for (const { kind, n } of steps) {
          const index = waits.length === 0 ? -1 : n % waits.length;
          switch (kind) {
            case "acquire":
              waits.push({ id: ids++, wanted: n, future: semaphore.acquireMany(n), probe: new Probe() });
              break;
            case "poll": {
              if (index < 0) break;
              const { id, wanted, future, probe } = waits[index];
              const expected = model.poll(id, wanted);
              if (expected === "closed") {
                assertThrows(() => ready(future, probe), SemaphoreClosedError);
              } else if (expected === "ready") held.push(ready(future, probe));
              else waiting(future, probe);
              if (expected !== "pending") waits.splice(index, 1);
              break;
            }
            case "drop":
              if (index < 0) break;
              waits[index].future.drop();
              model.drop(waits[index].id);
              waits.splice(index, 1);
              break;
            case "release": {
              if (held.length === 0) break;
              const [permit] = held.splice(n % held.length, 1);
              model.add(permit.count);
              permit.release();
              break;
            }
            case "add":
              total += n;
              model.add(n);
              semaphore.addPermits(n);
              break;
            case "close":
              model.close();
              semaphore.close();
          }
          assertEquals(semaphore.availablePermits, model.available);
          for (const { id, probe } of waits) {
            if (model.granted.has(id)) assertEquals(probe.wakes, 1);
          }
        }
        for (const { future } of waits) future.drop();
        for (const permit of held) permit.release();
        assertEquals(semaphore.availablePermits, total);
      }),
      { numRuns: 300 },
    );
  });

  it("has all its permits wherever a task that acquires them is aborted", async () => {
    await abortedEverywhere(() => {
      const semaphore = new Semaphore(4);
      return {
        *body(index) {
          for (let round = 0; round < 3; round++) {
            using permit = yield* semaphore.acquireMany(2 + index);
            yield* yieldNow();
            using half = permit.split(1);
            yield* yieldNow();
            half?.release();
          }
        },
        check: () => assertEquals(semaphore.availablePermits, 4),
      };
    });
  });
});
