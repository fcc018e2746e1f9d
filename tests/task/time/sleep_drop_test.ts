import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Coroutine, now, run, type Sleep, sleep, sleepUntil, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";

/** No time passes but by the sleeps. */
const PAUSED = { clock: "paused" } as const;

describe("a dropped sleep", () => {
  it("wakes nobody", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(2);
      assert(probe.isPending(future));
      future.drop();
      future.drop();
      await sleep(10);
      assertEquals([probe.wakes, future.isElapsed], [0, false]);
    }, PAUSED);
  });

  it("wakes nobody though it had been registered for a while", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(6);
      assert(probe.isPending(future));
      await sleep(1);
      future.drop();
      await sleep(10);
      assertEquals(probe.wakes, 0);
    }, PAUSED);
  });

  it("is as it was where it had not been polled", async () => {
    await run(async () => {
      const future = sleep(1);
      future.drop();
      await future;
      assertEquals(future.isElapsed, true);
      future.drop();
    }, PAUSED);
  });

  it("is waited for again only after a reset", async () => {
    await run(async () => {
      const probe = new Probe();
      const future = sleep(2);
      probe.poll(future);
      future.drop();
      assertThrows(() => probe.poll(future), Error, "cannot wait for a sleep that was dropped");
      const deadline = now() + 3;
      future.reset(deadline);
      await future;
      assert(now() >= deadline);
    }, PAUSED);
  });

  it("leaves the timers as they were, 100,000 times over", async () => {
    await run(async () => {
      const probe = new Probe();
      for (let i = 0; i < 100_000; i++) {
        const future = i % 2 ? sleep(1 + i) : sleepUntil(now() + 1 + i);
        probe.poll(future);
        future.drop();
      }
      await sleep(5);
      assertEquals(probe.wakes, 0);
    }, PAUSED);
  });

  it("is dropped by the wake-up of another one", async () => {
    await run(async () => {
      const sleeps: Sleep[] = [];
      let wakes = 0;
      const context = {
        waker: {
          wake(): void {
            wakes++;
            for (const future of sleeps) future.drop();
          },
        },
      };
      for (let i = 0; i < 100; i++) {
        const future = sleep(2);
        future.poll(context);
        sleeps.push(future);
      }
      await sleep(6);
      assertEquals(wakes, 1);
    }, PAUSED);
  });
});

describe("a sleep that is polled by two", () => {
  it("wakes the one that polled it last, when the first has gone", async () => {
    await run(async () => {
      const probes = [new Probe(), new Probe()];
      const future = sleep(2);
      for (const probe of probes) assert(probe.isPending(future));
      const [{ wakes }] = probes;
      await sleep(6);
      assertEquals([probes[0].wakes - wakes, probes[1].wakes], [0, 1]);
      assertEquals(probes[1].poll(future), undefined);
    }, PAUSED);
  });

  it("throws to the first where that one still waits, and is the second's", async () => {
    const future = sleep(5);
    function* waiter(): Coroutine<string> {
      yield* future;
      return "woken";
    }
    await run(async () => {
      const [first, second] = [spawn(waiter), spawn(waiter)];
      const results = await Promise.allSettled([first, second]);
      assertEquals(
        results.map((result) => result.status === "fulfilled" ? result.value : result.reason.message),
        [
          "cannot wait for a sleep: another task waits for it; let each make its own",
          "woken",
        ],
      );
    }, PAUSED);
  });
});
