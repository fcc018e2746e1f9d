import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  attach,
  type Context,
  type Coroutine,
  Future,
  now,
  type Pending,
  run,
  type Sleep,
  sleep,
  sleepUntil,
  spawn,
  yieldNow,
} from "../../../lib/task/mod.ts";
import { BUDGET } from "../../../lib/task/runtime/coop.ts";
import { moduleUrl, outputOf } from "../../child.ts";
import { Probe } from "../probe.ts";

/** No time passes but by the sleeps. */
const PAUSED = { clock: "paused" } as const;

describe("sleep", () => {
  it("is never early, by the clock of the runtime", async () => {
    await run(async () => {
      for (const ms of [0, 0.01, 0.5, 1, 1.5, 3.999, 12]) {
        const start = now();
        await sleep(ms);
        const slept = now() - start;
        assert(slept >= ms, `a sleep of ${ms} ms took ${slept}`);
      }
    });
  });

  it("is never early in a coroutine, among many", async () => {
    function* sleeper(ms: number): Coroutine<void> {
      const start = now();
      yield* sleep(ms);
      const slept = now() - start;
      assert(slept >= ms, `a sleep of ${ms} ms took ${slept}`);
    }
    await run(async () => {
      const handles = Array.from({ length: 500 }, (_, i) => spawn(sleeper, (i * 7919) % 23 + i / 1000));
      for (const handle of handles) await handle;
    });
  });

  it("wakes in the order of the deadlines, which lie within the turns in which the sleeps began", async () => {
    const woken: number[] = [];
    let astray = 0;
    function* sleeper(ms: number): Coroutine<void> {
      const earliest = now() + ms;
      const future = sleep(ms);
      yield* future;
      if (future.deadline < earliest) astray++;
      woken.push(future.deadline);
    }
    function* reader(sleeps: Sleep[], ms: number): Coroutine<void> {
      const probe = new Probe();
      const future = sleep(ms);
      probe.poll(future);
      sleeps.push(future);
      const { deadline } = future;
      if (deadline > now() + ms) astray++;
      yield* yieldNow();
      if (future.deadline !== deadline) astray++;
    }
    await run(async () => {
      const handles = Array.from({ length: 300 }, (_, i) => spawn(sleeper, (i * 104729) % 31));
      const sleeps: Sleep[] = [];
      for (let i = 0; i < 10; i++) await spawn(reader, sleeps, i);
      for (const handle of handles) await handle;
      for (const future of sleeps) future.drop();
    });
    assertEquals([woken.length, astray], [300, 0]);
    assertEquals(woken, woken.toSorted((a, b) => a - b));
  });

  it("is not put off by the tasks that have their turn after its own", async () => {
    function* busy(): Coroutine<void> {
      const start = performance.now();
      while (performance.now() - start < 5);
      yield* yieldNow();
    }
    function* sleeper(future: Sleep): Coroutine<number> {
      yield* future;
      return future.deadline;
    }
    await run(function* (): Coroutine<void> {
      const before = now();
      const [first, second] = [spawn(sleeper, sleep(20)), spawn(busy)];
      const last = spawn(sleeper, sleep(18));
      yield* yieldNow();
      yield* second;
      const [a, b] = [yield* first, yield* last];
      assert(a >= before + 20 && b >= before + 5 + 18);
      assert(a < b, `the sleep of 20 ms ends at ${a}, that of 18 ms which began 5 ms later at ${b}`);
    });
  });

  it("begins at its first poll, and not before", async () => {
    await run(async () => {
      const future = sleep(10);
      await sleep(20);
      const start = now();
      await future;
      assert(now() - start >= 10);
    });
  });

  it("that is awaited is not put off by what its function does meanwhile", async () => {
    await run(async () => {
      const ends: number[] = [];
      await sleep(0);
      const first = sleep(20).then(() => ends.push(20));
      const start = performance.now();
      while (performance.now() - start < 5);
      const second = sleep(18).then(() => ends.push(18));
      await first;
      await second;
      assertEquals(ends, [20, 18]);
    });
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

  it("of 0 ms lets the tasks that are ready go first", async () => {
    const log: string[] = [];
    function* other(name: string): Coroutine<void> {
      log.push(name);
      yield* sleep(0);
      log.push(`${name} again`);
    }
    await run(function* (): Coroutine<void> {
      const handles = [spawn(other, "a"), spawn(other, "b")];
      yield* sleep(0);
      log.push("slept");
      for (const handle of handles) yield* handle;
    });
    assertEquals(log, ["a", "b", "slept", "a again", "b again"]);
  });

  it("of 0 ms, over and over, keeps no other from its time", async () => {
    await run(function* (): Coroutine<void> {
      const other = spawn(() => sleep(2));
      while (!other.isFinished) yield* sleep(0);
      yield* other;
    });
  });

  it("spends of its task's budget where it is over at its first poll", async () => {
    const log: string[] = [];
    function* greedy(): Coroutine<void> {
      for (let i = 0; i < 8 * BUDGET; i++) yield* sleepUntil(0);
      log.push("greedy");
    }
    function* other(): Coroutine<void> {
      log.push("other");
      yield* yieldNow();
    }
    await run(function* (): Coroutine<void> {
      const handles = [spawn(greedy), spawn(other)];
      for (const handle of handles) yield* handle;
    });
    assertEquals(log, ["other", "greedy"]);
  });

  it("of no time is slept a thousand times", async () => {
    await run(async () => {
      const start = now();
      for (let i = 0; i < 1_000; i++) await sleep(0);
      assert(now() >= start);
    });
  });

  it("until a time that has passed is over at its first poll", async () => {
    await run(() => {
      const probe = new Probe();
      for (const deadline of [now(), now() - 1_000, -Infinity]) {
        const future = sleepUntil(deadline);
        assertEquals([future.deadline, future.isElapsed], [deadline, false]);
        assertEquals(probe.poll(future), undefined);
        assertEquals(future.isElapsed, true);
      }
      return Promise.resolve();
    });
  });

  it("until a time ends at that time or later", async () => {
    await run(function* (): Coroutine<void> {
      const deadline = now() + 10;
      yield* sleepUntil(deadline);
      assert(now() >= deadline);
    });
  });

  it("ends for a task that polls it all the while", async () => {
    await run(async () => {
      const deadline = now() + 10;
      const future = sleepUntil(deadline);
      let polls = 0;
      await new class extends Future<void> {
        override poll(context: Context): void | Pending {
          polls++;
          context.waker.wake();
          return future.poll(context);
        }
      }();
      assert(now() >= deadline && polls > 1);
    });
  });

  it("of a thousand tasks in a runtime, each not early, from main and from tasks", async () => {
    function* sleeper(): Coroutine<void> {
      const start = now();
      yield* sleep(10);
      assert(now() - start >= 10);
    }
    await run(async () => {
      const start = now();
      await sleep(10);
      assert(now() - start >= 10);
      const handles = Array.from({ length: 512 }, () => spawn(sleeper));
      for (const handle of handles) await handle;
    });
  });

  it("refuses what is no time of a clock", () => {
    assertThrows(() => sleepUntil(NaN), RangeError, "cannot sleep: deadline is NaN, not a time");
    assertThrows(() => sleep(1).reset(NaN), RangeError, "cannot reset a sleep: deadline is NaN, not a time");
  });

  it("has no deadline before its first poll, and one that stays afterwards", async () => {
    await run(async () => {
      const future = sleep(3);
      assertEquals(future.deadline, NaN);
      const before = now();
      new Probe().poll(future);
      const { deadline } = future;
      assert(deadline >= before + 3 && deadline <= now() + 3);
      await sleep(5);
      assertEquals([future.deadline, future.isElapsed], [deadline, true]);
    });
  });

  it("gives its value once", async () => {
    await run(async () => {
      const future = sleep(1);
      await future;
      const error = assertThrows(() => new Probe().poll(future), Error, "cannot wait for a sleep again");
      assertEquals(error.message.includes("its value was taken"), true);
    });
  });

  it("is waited for in the host's loop, where nothing runs", async () => {
    using _ = attach();
    const start = now();
    await sleep(3);
    assert(now() - start >= 3);
    const ends: number[] = [];
    function* sleeper(ms: number): Coroutine<void> {
      yield* sleep(ms);
      ends.push(ms);
    }
    for (const handle of [9, 1, 5].map((ms) => spawn(sleeper, ms))) await handle;
    assertEquals(ends, [1, 5, 9]);
  });

  it("that became due while the process was stopped ends at once when it goes on, all in their order", () => {
    const source = `
      import { spawn as execute } from "node:child_process";
      import process from "node:process";
      import { interval, now, run, sleep, sleepUntil, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      const ends = [];
      function* sleeper(deadline) {
        yield* sleepUntil(deadline);
        ends.push(deadline);
      }
      await run(async () => {
        const start = now();
        const delays = Array.from({ length: 50 }, (_, i) => 20 + (i * 7919) % 300);
        const handles = delays.map((ms) => spawn(sleeper, start + ms));
        const ticking = interval(50, { missedTick: "skip" });
        await ticking.tick();
        execute("sh", ["-c", \`kill -STOP \${process.pid}; sleep 0.6; kill -CONT \${process.pid}\`]);
        for (const handle of handles) await handle;
        const missed = await ticking.tick();
        const next = await ticking.tick();
        const inOrder = ends.every((end, i) => i === 0 || ends[i - 1] <= end);
        console.log(ends.length, inOrder, now() - start >= 320, next - missed >= 50, next <= now());
      });
      process.exit(0);
    `;
    assertEquals(outputOf(source), "50 true true true true");
  });

  it("does not outlive its runtime: who waits is woken, and told", async () => {
    const probe = new Probe();
    const left = [sleep(60_000), sleep(Infinity)];
    await run(() => {
      for (const future of left) assert(probe.isPending(future));
      return Promise.resolve();
    });
    assertEquals(probe.wakes, 1);
    for (const future of left) {
      assertThrows(() => probe.poll(future), Error, "the runtime in which it began has ended");
    }
    await run(async () => {
      for (const future of left) {
        future.reset(now() + 1);
        await future;
      }
      assertEquals(left.map(({ isElapsed }) => isElapsed), [true, true]);
    }, PAUSED);
  });
});
