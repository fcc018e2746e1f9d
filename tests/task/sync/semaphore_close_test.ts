import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { run } from "../../../lib/task/mod.ts";
import { Semaphore, SemaphoreClosedError } from "../../../lib/task/sync.ts";
import { ready, waiting } from "./by_hand.ts";

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
