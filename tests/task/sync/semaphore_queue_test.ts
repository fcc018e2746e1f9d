import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Semaphore } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { Calling, ready, waiting } from "./by_hand.ts";

describe("a semaphore", () => {
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
