import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { type Coroutine, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Barrier } from "../../../lib/task/sync.ts";
import { Calling, ready, waiting } from "./by_hand.ts";

describe("a barrier", () => {
  it("for nobody keeps nobody", () => {
    const barrier = new Barrier(0);
    for (let i = 0; i < 2; i++) assertEquals(ready(barrier.wait()), { isLeader: true });
  });

  it("for one keeps nobody", () => {
    const barrier = new Barrier(1);
    for (let i = 0; i < 3; i++) assertEquals(ready(barrier.wait()), { isLeader: true });
  });

  it("for two keeps the first until the second comes, who leads", () => {
    const barrier = new Barrier(2);
    const first = barrier.wait();
    const probe = waiting(first);
    assertEquals(ready(barrier.wait()), { isLeader: true });
    assertEquals(probe.wakes, 1);
    assertEquals(ready(first), { isLeader: false });
    assertThrows(() => ready(first), Error, "cannot wait for wait() again");
  });

  it("for a hundred lets batch after batch through, with one leader each", () => {
    const barrier = new Barrier(100);
    for (let batch = 0; batch < 10; batch++) {
      const futures = Array.from({ length: 99 }, () => barrier.wait());
      for (const future of futures) waiting(future);
      const probes = futures.map((future) => waiting(future));
      assertEquals(ready(barrier.wait()), { isLeader: true });
      assertEquals(probes.every(({ wakes }) => wakes === 1), true);
      assertEquals(futures.some((future) => ready(future).isLeader), false);
    }
  });

  it("does not count a wait before its first poll, nor once it is dropped", () => {
    const barrier = new Barrier(3);
    barrier.wait();
    const [dropped, kept] = [barrier.wait(), barrier.wait()];
    waiting(dropped);
    const probe = waiting(kept);
    dropped.drop();
    dropped.drop();
    assertThrows(() => ready(dropped), Error, "again");
    const third = barrier.wait();
    waiting(third);
    assertEquals([ready(barrier.wait()).isLeader, probe.wakes], [true, 1]);
    assertEquals([ready(kept).isLeader, ready(third).isLeader], [false, false]);
  });

  it("keeps nobody of the next batch where one that was let through is dropped", () => {
    const barrier = new Barrier(2);
    const first = barrier.wait();
    waiting(first);
    ready(barrier.wait());
    first.drop();
    const next = barrier.wait();
    waiting(next);
    assertEquals([ready(barrier.wait()).isLeader, ready(next).isLeader], [true, false]);
  });

  it("lets all through though a waker throws, or waits again", () => {
    const barrier = new Barrier(4);
    const futures = [barrier.wait(), barrier.wait(), barrier.wait()];
    const again = barrier.wait();
    waiting(
      futures[0],
      new Calling(() => {
        waiting(again);
        throw new Error("a waker threw");
      }),
    );
    const probes = futures.slice(1).map((future) => waiting(future));
    assertThrows(() => ready(barrier.wait()), Error, "a waker threw");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    for (const future of futures) assertEquals(ready(future).isLeader, false);
    waiting(again);
  });

  it("keeps tasks in step", async () => {
    const barrier = new Barrier(3);
    const steps: number[] = [];
    function* body(index: number): Coroutine<number> {
      let led = 0;
      for (let step = 0; step < 4; step++) {
        for (let turn = 0; turn < index; turn++) yield* yieldNow();
        steps.push(step);
        if ((yield* barrier.wait()).isLeader) led++;
      }
      return led;
    }
    const led = await run(async () => {
      let sum = 0;
      for (const task of [0, 1, 2].map((index) => spawn(body, index))) sum += await task;
      return sum;
    });
    assertEquals([steps, led], [[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], 4]);
  });

  it("names what is no count", () => {
    for (const count of [-1, 1.5, NaN, Infinity]) {
      assertThrows(() => new Barrier(count), RangeError, `cannot make a Barrier: count is ${count}`);
    }
  });
});
