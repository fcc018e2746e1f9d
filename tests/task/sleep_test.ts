import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Context, type Coroutine, Future, Pending, run, sleep, spawn } from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/current.ts";
import { Timer, Timers } from "../../lib/task/timers.ts";
import { tiered } from "../tier.ts";

describe("sleep", () => {
  it("is never early, by the clock of the runtime", async () => {
    await run(async () => {
      for (const ms of [0, 0.01, 0.5, 1, 1.5, 3.999, 12]) {
        const start = currentRuntime().now();
        await sleep(ms);
        const slept = currentRuntime().now() - start;
        assert(slept >= ms, `a sleep of ${ms} ms took ${slept}`);
      }
    });
  });

  it("is never early in a coroutine, among many", async () => {
    function* sleeper(ms: number): Coroutine<void> {
      const start = currentRuntime().now();
      yield* sleep(ms);
      const slept = currentRuntime().now() - start;
      assert(slept >= ms, `a sleep of ${ms} ms took ${slept}`);
    }
    await run(async () => {
      const handles = Array.from({ length: 500 }, (_, i) => spawn(sleeper, (i * 7919) % 23 + i / 1000));
      for (const handle of handles) await handle;
    });
  });

  it("wakes in the order of the deadlines", async () => {
    interface Woken {
      /** Its deadline lies between the two. */
      earliest: number;
      latest: number;
    }
    const woken: Woken[] = [];
    function* sleeper(ms: number): Coroutine<void> {
      const runtime = currentRuntime();
      const before = runtime.now();
      const future = sleep(ms);
      let latest = 0;
      yield* new class extends Future<void> {
        override poll(context: Context): void | Pending {
          const value = future.poll(context);
          if (latest === 0) latest = runtime.now() + ms;
          return value;
        }
      }();
      woken.push({ earliest: before + ms, latest });
    }
    await run(async () => {
      const handles = Array.from({ length: 300 }, (_, i) => spawn(sleeper, (i * 104729) % 31));
      for (const handle of handles) await handle;
    });
    assertEquals(woken.length, 300);
    const early = woken.flatMap((a, i) => woken.slice(i + 1).filter((b) => b.latest < a.earliest));
    assertEquals(early, []);
  });

  it("begins at its first poll, and not before", async () => {
    await run(async () => {
      const future = sleep(10);
      await sleep(20);
      const start = currentRuntime().now();
      await future;
      assert(currentRuntime().now() - start >= 10);
    });
  });

  it("takes a turn even for 0 ms", async () => {
    const log: string[] = [];
    function* other(): Coroutine<void> {
      log.push("other");
      yield* sleep(1);
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(other);
      yield* sleep(0);
      log.push("slept");
      yield* handle;
    });
    assertEquals(log, ["other", "slept"]);
  });

  it("for ever does not keep the runtime", async () => {
    await run(async () => {
      const handle = spawn(() => sleep(Infinity));
      await sleep(2);
      assertEquals(handle.isFinished, false);
    });
  });

  it("refuses what is no time", () => {
    for (const ms of [-1, -0.001, NaN, -Infinity]) {
      assertThrows(() => sleep(ms), RangeError, `cannot sleep: ms is ${ms}, not a count of milliseconds`);
    }
  });

  it("wakes nobody once it was dropped", async () => {
    await run(async () => {
      let wakes = 0;
      const future = sleep(2);
      assertEquals(future.poll({ waker: { wake: () => wakes++ } }), Pending);
      future.drop();
      future.drop();
      await sleep(10);
      assertEquals(wakes, 0);
      sleep(1).drop();
    });
  });

  it("wakes the task that polled it last", async () => {
    await run(async () => {
      const wakes = [0, 0];
      const future = sleep(2);
      for (const i of [0, 1]) assertEquals(future.poll({ waker: { wake: () => wakes[i]++ } }), Pending);
      await sleep(10);
      assertEquals(wakes, [0, 1]);
      assertEquals(future.poll({ waker: { wake() {} } }), undefined);
    });
  });
});

describe("Timers", () => {
  type Step = { add: number } | { cancel: number } | { expire: number };

  it("fire what is due, the nearest first, and never what was cancelled", () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ add: fc.nat(100) }),
      fc.record({ add: fc.nat(100) }),
      fc.record({ cancel: fc.nat(100) }),
      fc.record({ expire: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const timers = new Timers();
        const all: { timer: Timer; deadline: number; state: "set" | "cancelled" | "fired" }[] = [];
        let now = 0;
        for (const step of steps) {
          if ("add" in step) {
            const entry = { deadline: now + step.add, state: "set" as const };
            const place = all.length;
            const timer = new Timer(entry.deadline, {
              wake() {
                assertEquals(all[place].state, "set");
                const before = all.filter(({ state, deadline }) =>
                  state === "set" && deadline < entry.deadline
                );
                assertEquals(before, []);
                all[place].state = "fired";
              },
            });
            all.push({ timer, ...entry });
            timers.add(timer);
          } else if ("cancel" in step) {
            const entry = all.at(step.cancel % Math.max(all.length, 1));
            if (entry?.state !== "set") continue;
            entry.state = "cancelled";
            entry.timer.cancel();
          } else {
            now += step.expire;
            timers.expire(now);
            for (const { deadline, state } of all) assertEquals(state === "set" && deadline <= now, false);
            for (const { deadline, state } of all) assertEquals(state === "fired" && deadline > now, false);
          }
          const set = all.filter(({ state }) => state === "set").map(({ deadline }) => deadline);
          assert(timers.next <= Math.min(...set), `the next is ${timers.next}, too late for ${set}`);
        }
        timers.expire(Infinity);
        assertEquals(timers.next, Infinity);
        assertEquals(all.filter(({ state }) => state === "set"), []);
      }),
      { numRuns: tiered({ quick: 200, full: 5_000, soak: 100_000 }) },
    );
  });

  it("fire what a timer that fires has added, if it is due", () => {
    const timers = new Timers();
    const log: string[] = [];
    timers.add(
      new Timer(1, {
        wake() {
          log.push("first");
          timers.add(new Timer(2, { wake: () => log.push("second") }));
          timers.add(new Timer(9, { wake: () => log.push("third") }));
        },
      }),
    );
    timers.expire(5);
    assertEquals([log, timers.next], [["first", "second"], 9]);
  });
});
