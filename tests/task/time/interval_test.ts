import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Context,
  type Coroutine,
  Future,
  type Interval,
  interval,
  intervalAt,
  type MissedTick,
  now,
  Pending,
  run,
  sleep,
  spawn,
  timeout,
  yieldNow,
} from "../../../lib/task/mod.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { clock } from "../../../lib/task/testing.ts";
import { Probe } from "../probe.ts";

const PAUSED = { clock: "paused" } as const;

/** The ticks that are there, until one is not. */
function ticks(ticking: Interval, probe: Probe = new Probe()): number[] {
  const ticks: number[] = [];
  for (;;) {
    const tick = ticking.pollTick(probe);
    if (tick === Pending) return ticks;
    ticks.push(tick);
  }
}

/** What an interval of 300 ms from 0 on gives after each advance. */
async function rounds(
  advances: readonly number[],
  missedTick?: MissedTick,
): Promise<number[][]> {
  const found: number[][] = [];
  await run(async () => {
    const ticking = intervalAt(0, 300, missedTick === undefined ? {} : { missedTick });
    found.push(ticks(ticking));
    for (const ms of advances) {
      await clock.advance(ms);
      found.push(ticks(ticking));
    }
  }, PAUSED);
  return found;
}

describe("an interval", () => {
  it("ticks at once, and then each period", async () => {
    await run(function* (): Coroutine<void> {
      yield* sleep(7);
      const ticking = interval(10);
      yield* sleep(5);
      for (let i = 0; i < 100; i++) {
        assertEquals(yield* ticking.tick(), 12 + 10 * i);
        assertEquals(now(), 12 + 10 * i);
      }
    }, PAUSED);
  });

  it("ticks at its start, be it to come or past", async () => {
    await run(function* (): Coroutine<void> {
      yield* sleep(100);
      const [past, future] = [intervalAt(93, 10), intervalAt(145, 10)];
      assertEquals([yield* past.tick(), now()], [93, 100]);
      assertEquals([yield* past.tick(), now()], [103, 103]);
      assertEquals([yield* future.tick(), now()], [145, 145]);
      assertEquals([yield* future.tick(), now()], [155, 155]);
    }, PAUSED);
  });

  it("is never early by a clock that runs, and says when the ticks were due", async () => {
    await run(async () => {
      const ticking = interval(3);
      const first = await ticking.tick();
      for (let i = 1; i <= 5; i++) {
        const due = await ticking.tick();
        assert(Math.abs(due - first - 3 * i) < 1e-6);
        assert(now() >= due);
      }
    });
  });

  it("in bursts makes up for missed ticks", async () => {
    assertEquals(await rounds([100, 200, 650, 200, 100, 250, 300]), [
      [0],
      [],
      [300],
      [600, 900],
      [],
      [1_200],
      [1_500],
      [1_800],
    ]);
    assertEquals(await rounds([100, 200, 400, 500], "burst"), [[0], [], [300], [600], [900, 1_200]]);
  });

  it("with delay ticks a period after the late one", async () => {
    assertEquals(await rounds([100, 200, 650, 100, 200, 300, 300], "delay"), [
      [0],
      [],
      [300],
      [600],
      [],
      [1_250],
      [1_550],
      [1_850],
    ]);
  });

  it("with skip leaves out what was missed, and keeps its beat", async () => {
    assertEquals(await rounds([100, 200, 650, 250, 300, 300], "skip"), [
      [0],
      [],
      [300],
      [600],
      [1_200],
      [1_500],
      [1_800],
    ]);
  });

  it("takes a tick of up to 5 ms too late for one in time", async () => {
    for (const missedTick of ["burst", "delay", "skip"] as const) {
      assertEquals(await rounds([305, 295], missedTick), [[0], [300], [600]]);
    }
    assertEquals(await rounds([306, 294, 6], "delay"), [[0], [300], [], [606]]);
  });

  it("catches up with a million missed ticks by skipping them", async () => {
    await run(async () => {
      const ticking = interval(1, { missedTick: "skip" });
      await ticking.tick();
      await clock.advance(1_000_000.5);
      assertEquals(await ticking.tick(), 1);
      assertEquals([await ticking.tick(), now()], [1_000_001, 1_000_001]);
    }, PAUSED);
  });

  it("reset ticks a period from now", async () => {
    await run(async () => {
      const ticking = intervalAt(0, 300);
      assertEquals(ticks(ticking), [0]);
      await clock.advance(400);
      assertEquals(ticks(ticking), [300]);
      ticking.reset();
      await clock.advance(250);
      assertEquals(ticks(ticking), []);
      await clock.advance(50);
      assertEquals(ticks(ticking), [700]);
      await clock.advance(300);
      assertEquals(ticks(ticking), [1_000]);
    }, PAUSED);
  });

  it("reset immediately ticks now", async () => {
    await run(async () => {
      const probe = new Probe();
      const ticking = intervalAt(0, 300);
      await clock.advance(400);
      assertEquals(ticks(ticking, probe), [0, 300]);
      ticking.resetImmediately();
      assertEquals(probe.wakes, 1);
      assertEquals(ticks(ticking, probe), [400]);
      await clock.advance(299);
      assertEquals(ticks(ticking, probe), []);
      await clock.advance(1);
      assertEquals([probe.wakes, ticks(ticking, probe)], [2, [700]]);
    }, PAUSED);
  });

  it("reset after a time, or at one, ticks then, and each period from there", async () => {
    await run(async () => {
      const ticking = intervalAt(0, 300);
      await clock.advance(400);
      assertEquals(ticks(ticking), [0, 300]);
      ticking.resetAfter(20);
      await clock.advance(20);
      assertEquals(ticks(ticking), [420]);
      ticking.resetAt(460);
      await clock.advance(300);
      assertEquals(ticks(ticking), [460]);
      await clock.advance(40);
      assertEquals(ticks(ticking), [760]);
      ticking.resetAt(1_760);
      for (let i = 0; i < 3; i++) {
        await clock.advance(300);
        assertEquals(ticks(ticking), []);
      }
      await clock.advance(100);
      assertEquals(ticks(ticking), [1_760]);
      await clock.advance(300);
      assertEquals(ticks(ticking), [2_060]);
    }, PAUSED);
  });

  it("is reset before its first tick, too", async () => {
    await run(async () => {
      const ticking = interval(10);
      ticking.resetAfter(35);
      assertEquals([await ticking.tick(), await ticking.tick(), now()], [35, 45, 45]);
    }, PAUSED);
  });

  it("wakes the tick that waits when it is reset to an earlier time", async () => {
    await run(async () => {
      const ticking = intervalAt(1_000, 300);
      const waiting = spawn(() => ticking.tick());
      await sleep(10);
      ticking.resetAfter(5);
      assertEquals([await waiting, now()], [15, 15]);
    }, PAUSED);
  });

  it("loses no tick that is dropped while it waits, or before it is polled", async () => {
    await run(async () => {
      const probe = new Probe();
      const ticking = intervalAt(10, 10);
      ticking.tick().drop();
      for (let i = 0; i < 5; i++) {
        const dropped = ticking.tick();
        assert(probe.isPending(dropped));
        await clock.advance(1);
        dropped.drop();
        dropped.drop();
      }
      assertEquals([await ticking.tick(), now()], [10, 10]);
      const late = ticking.tick();
      assert(probe.isPending(late));
      await clock.advance(13);
      late.drop();
      assertEquals([await ticking.tick(), now(), probe.wakes], [20, 23, 1]);
    }, PAUSED);
  });

  it("drops nothing of a tick that waits, when one that is over or not polled is dropped", async () => {
    await run(async () => {
      const ticking = interval(10);
      const first = ticking.tick();
      await first;
      const second = spawn(() => ticking.tick());
      await sleep(1);
      first.drop();
      ticking.tick().drop();
      assertEquals(await second, 10);
    }, PAUSED);
  });

  it("keeps the tick of the second of two that wait for it, when the first is dropped", async () => {
    await run(function* (): Coroutine<void> {
      const ticking = intervalAt(20, 20);
      const [first, second] = [ticking.tick(), ticking.tick()];
      assert(new Probe().isPending(first));
      const waits = spawn(() => second);
      yield* yieldNow();
      first.drop();
      assertEquals(yield* waits.timeout(100), 20);
      assertEquals(now(), 20);
    }, PAUSED);
  });

  it("tells the one of two that wait for one tick", async () => {
    await run(async () => {
      const ticking = intervalAt(10, 10);
      const waiting = [0, 1].map(() => spawn(() => ticking.tick()));
      const [first, second] = await Promise.allSettled(waiting);
      assert(first.status === "rejected" && second.status === "fulfilled");
      assertEquals([first.reason.message.includes("another task waits"), second.value], [true, 10]);
    }, PAUSED);
  });

  it("gives each tick once", async () => {
    await run(async () => {
      const tick = interval(10).tick();
      await tick;
      assertThrows(() => new Probe().poll(tick), Error, "cannot wait for a tick again");
    }, PAUSED);
  });

  it("keeps a tick for a task whose budget is spent", async () => {
    await run(async () => {
      const probe = new Probe();
      const ticking = intervalAt(0, 10);
      coop.left = 0;
      const tick = ticking.tick();
      assert(probe.isPending(tick));
      tick.drop();
      coop.left = BUDGET;
      assertEquals(probe.poll(ticking.tick()), 0);
      await sleep(1);
    }, PAUSED);
  });

  it("is iterated by for await, until that is left", async () => {
    await run(async () => {
      const seen: number[] = [];
      for await (const due of interval(250)) {
        seen.push(due);
        if (seen.length === 4) break;
      }
      assertEquals([seen, now()], [[0, 250, 500, 750], 750]);
    }, PAUSED);
  });

  /** Gives each fourth tick; wakes itself after the others, or does not. */
  class EachFourth extends Future<number> {
    #ticking: Interval;
    #wakes: boolean;
    #count = 0;

    constructor(ticking: Interval, wakes: boolean) {
      super();
      this.#ticking = ticking;
      this.#wakes = wakes;
    }

    override poll(context: Context): number | Pending {
      const tick = this.#ticking.pollTick(context);
      if (tick === Pending) return Pending;
      if (++this.#count % 4 === 0) return tick;
      if (this.#wakes) context.waker.wake();
      return Pending;
    }
  }

  it("keeps the waker only where the tick is not there", async () => {
    await run(async () => {
      const awake = spawn(() => timeout(150, new EachFourth(interval(10), true)));
      const asleep = spawn(() => timeout(150, new EachFourth(interval(10), false)));
      assertEquals(await awake, 30);
      await assertRejects(() => asleep.toPromise(), DOMException, "not there within 150 ms");
    }, PAUSED);
  });

  it("says its period and its way with missed ticks", () => {
    const { period, missedTick } = interval(1.5);
    assertEquals([period, missedTick], [1.5, "burst"]);
    assertEquals(intervalAt(5, 2, { missedTick: "skip" }).missedTick, "skip");
  });

  it("refuses what is no period, no time, and no way", async () => {
    for (const period of [0, -1, NaN, Infinity]) {
      const message = `cannot make an interval: period is ${period}, not a count of milliseconds above 0`;
      assertThrows(() => interval(period), RangeError, message);
      assertThrows(() => intervalAt(0, period), RangeError, message);
    }
    assertThrows(() => intervalAt(NaN, 1), RangeError, "cannot make an interval: start is NaN");
    const options = JSON.parse('{ "missedTick": "wait" }');
    assertThrows(() => interval(1, options), RangeError, "missedTick is wait, not burst, delay or skip");
    await run(() => {
      const ticking = interval(1);
      assertThrows(() => ticking.resetAfter(-1), RangeError, "cannot reset an interval: ms is -1");
      assertThrows(() => ticking.resetAt(NaN), RangeError, "cannot reset an interval: deadline is NaN");
      return Promise.resolve();
    });
  });

  it("refuses text for a period, and options that there are not", () => {
    assertThrows(() => Reflect.apply(interval, undefined, ["5"]), RangeError, 'period is "5"');
    for (const [call, args] of [[interval, [5]], [intervalAt, [0, 5]]] as const) {
      const options = { missedTicks: "skip" };
      assertThrows(
        () => Reflect.apply(call, undefined, [...args, options]),
        TypeError,
        'no option "missedTicks"',
      );
    }
  });

  it("of a period that ends the clock's time ticks once", async () => {
    await run(async () => {
      const ticking = interval(Number.MAX_VALUE);
      assertEquals(ticks(ticking), [0]);
      await sleep(1e12);
      assertEquals(ticks(ticking), []);
    }, PAUSED);
  });
});
