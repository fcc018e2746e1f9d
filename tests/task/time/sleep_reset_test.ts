import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, now, run, sleep, sleepUntil, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";

/** No time passes but by the sleeps. */
const PAUSED = { clock: "paused" } as const;

describe("a sleep's reset", () => {
  it("puts its end off while it is waited for", async () => {
    await run(async () => {
      const probe = new Probe();
      const start = now();
      const future = sleepUntil(start + 5);
      assert(probe.isPending(future));
      future.reset(start + 15);
      await sleep(8);
      assertEquals([probe.wakes, future.isElapsed], [0, false]);
      await sleep(12);
      assertEquals([probe.wakes, future.isElapsed], [1, true]);
      assertEquals(probe.poll(future), undefined);
    }, PAUSED);
  });

  it("brings its end forward while it is waited for", async () => {
    await run(async () => {
      const probe = new Probe();
      const start = now();
      const future = sleepUntil(start + 60_000);
      assert(probe.isPending(future));
      await sleep(1);
      future.reset(start + 3);
      assertEquals(future.deadline, start + 3);
      await sleep(5);
      assertEquals(probe.wakes, 1);
      assertEquals(probe.poll(future), undefined);
    }, PAUSED);
  });

  it("to the past ends it at once", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(60_000);
      assert(probe.isPending(future));
      await sleep(1);
      future.reset(now());
      assertEquals([probe.wakes, future.isElapsed], [1, true]);
      assertEquals(probe.poll(future), undefined);
    }, PAUSED);
  });

  it("is good for a sleep that was not polled, and for one whose time was not read from the clock yet", async () => {
    await run(async () => {
      const probe = new Probe();
      const start = now();
      const [fresh, begun] = [sleep(60_000), sleep(60_000)];
      assert(probe.isPending(begun));
      for (const future of [fresh, begun]) future.reset(start + 3);
      assertEquals([fresh.deadline, begun.deadline], [start + 3, start + 3]);
      await fresh;
      await sleep(1);
      assertEquals([probe.wakes, begun.isElapsed], [1, true]);
    }, PAUSED);
  });

  it("makes a sleep that is over wait again, by await and yield*", async () => {
    await run(async () => {
      const future = sleep(1);
      const first = now();
      await future;
      for (let i = 1; i <= 3; i++) {
        const deadline = first + 4 * i;
        future.reset(deadline);
        assertEquals([future.isElapsed, future.deadline], [false, deadline]);
        await future;
        assert(now() >= deadline);
      }
      await spawn(function* (): Coroutine<void> {
        const deadline = now() + 2;
        future.reset(deadline);
        yield* future;
        assert(now() >= deadline);
      });
    }, PAUSED);
  });

  it("to a time that another sleep has leaves that one alone when it is dropped", async () => {
    await run(async () => {
      const probe = new Probe();
      const start = now();
      const [a, b, c] = [start + 3, start + 3, start + 6].map(sleepUntil);
      for (const future of [a, b, c]) assert(probe.isPending(future));
      b.reset(start + 6);
      await sleep(4);
      b.drop();
      await sleep(6);
      assertEquals([a.isElapsed, b.isElapsed, c.isElapsed, probe.wakes], [true, false, true, 2]);
    }, PAUSED);
  });

  it("between the wake-up and the poll makes the sleep wait on", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(1);
      probe.poll(future);
      await sleep(3);
      assertEquals(probe.wakes, 1);
      const deadline = now() + 3;
      future.reset(deadline);
      assert(probe.isPending(future));
      await sleep(6);
      assertEquals(probe.wakes, 2);
      assertEquals(probe.poll(future), undefined);
    }, PAUSED);
  });
});
