import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Context,
  type Coroutine,
  Future,
  now,
  Pending,
  run,
  sleep,
  spawn,
  timeout,
  timeoutAt,
} from "../../../lib/task/mod.ts";
import { mpsc } from "../../../lib/task/channel.ts";
import { BUDGET, coop, proceed } from "../../../lib/task/runtime/coop.ts";
import { clock } from "../../../lib/task/testing.ts";
import { Probe } from "../probe.ts";

const PAUSED = { clock: "paused" } as const;
const YEAR = 365 * 24 * 3_600_000;

/** A value that comes when it is given. */
class Parcel extends Future<string> {
  value: string | Pending = Pending;
  polls = 0;
  drops = 0;
  #wake: (() => void) | null = null;

  give(value: string): void {
    this.value = value;
    this.#wake?.();
  }

  override poll(context: Context): string | Pending {
    this.polls++;
    this.#wake = () => context.waker.wake();
    return this.value;
  }

  override drop(): void {
    this.drops++;
  }
}

function ready(): Parcel {
  const parcel = new Parcel();
  parcel.give("here");
  return parcel;
}

function assertTimesOut(probe: Probe, future: Future<unknown>, message: string): void {
  const error = assertThrows(() => probe.poll(future), DOMException, message);
  assertEquals(error.name, "TimeoutError");
}

describe("a timeout", () => {
  it("of 0 ms asks a future that is ready, though the task has no budget left", async () => {
    const [tx, rx] = mpsc<number>(Infinity);
    const count = 2 * BUDGET;
    for (let i = 0; i < count; i++) tx.trySend(i);
    await run(function* (): Coroutine<void> {
      for (let i = 0; i < count; i++) assertEquals(yield* timeout(0, rx.recv()), i);
      assertEquals((yield* timeout(0, rx.recv()).settled()).status, "rejected");
    });
  });

  it("gives the value of a future that is ready, though the time is up", async () => {
    await run(async () => {
      const probe = new Probe();
      await sleep(1_000);
      const futures = [
        timeout(0, ready()),
        timeoutAt(1_000, ready()),
        timeoutAt(0, ready()),
        timeoutAt(-1, ready()),
      ];
      for (const future of futures) assertEquals(probe.poll(future), "here");
      assertEquals(probe.wakes, 0);
    }, PAUSED);
  });

  it("gives the value that comes in time, and waits for the time no more", async () => {
    await run(async () => {
      for (const make of [(of: Parcel) => timeout(100, of), (of: Parcel) => timeoutAt(now() + 100, of)]) {
        const probe = new Probe();
        const parcel = new Parcel();
        const future = make(parcel);
        assert(probe.isPending(future));
        await clock.advance(90);
        assert(probe.isPending(future));
        parcel.give("in time");
        assertEquals(probe.wakes, 1);
        assertEquals(probe.poll(future), "in time");
        await clock.advance(100);
        assertEquals([probe.wakes, parcel.drops], [1, 0]);
      }
    }, PAUSED);
  });

  it("gives a value that comes when the time is up, if it is polled then", async () => {
    await run(async () => {
      const probe = new Probe();
      const parcel = new Parcel();
      const future = timeout(100, parcel);
      assert(probe.isPending(future));
      await clock.advance(100);
      assertEquals(probe.wakes, 1);
      parcel.give("just");
      assertEquals(probe.poll(future), "just");
    }, PAUSED);
  });

  it("of years, or for ever, waits", async () => {
    await run(async () => {
      for (const ms of [11 * YEAR, Number.MAX_VALUE, Infinity]) {
        const probe = new Probe();
        const parcel = new Parcel();
        const future = timeout(ms, parcel);
        assert(probe.isPending(future));
        await clock.advance(10 * YEAR);
        assert(probe.isPending(future));
        parcel.give("at last");
        assertEquals(probe.poll(future), "at last");
      }
    }, PAUSED);
  });

  it("of no time, or until one that has passed, fails at the first poll", async () => {
    await run(async () => {
      const probe = new Probe();
      await sleep(10);
      assertTimesOut(probe, timeout(0, new Parcel()), "not there within 0 ms");
      assertTimesOut(probe, timeoutAt(10, new Parcel()), "the deadline has passed");
      assertTimesOut(probe, timeoutAt(-Infinity, new Parcel()), "the deadline has passed");
    }, PAUSED);
  });

  it("drops what it gives up, once", async () => {
    await run(async () => {
      const probe = new Probe();
      const parcel = new Parcel();
      const future = timeout(300, parcel);
      assert(probe.isPending(future));
      await clock.advance(299);
      assert(probe.isPending(future));
      await clock.advance(1);
      assertEquals([probe.wakes, parcel.drops], [1, 0]);
      assertTimesOut(probe, future, "not there within 300 ms");
      assertEquals([parcel.polls, parcel.drops], [3, 1]);
      future.drop();
      assertEquals(parcel.drops, 1);
      assertThrows(() => probe.poll(future), Error, "cannot wait for a timeout again");
    }, PAUSED);
  });

  it("runs the finally blocks of a coroutine that it gives up, before it fails", async () => {
    const log: string[] = [];
    function* slow(): Coroutine<void> {
      try {
        yield* sleep(1_000);
      } finally {
        log.push(`given up at ${now()}`);
      }
    }
    await run(async () => {
      const error = await assertRejects(() => timeout(10, slow()).toPromise(), DOMException);
      assertEquals([error.name, log, now()], ["TimeoutError", ["given up at 10"], 10]);
    }, PAUSED);
  });

  it("fails with what such a block throws", async () => {
    function fail(): never {
      throw new TypeError("from finally");
    }
    function* bad(): Coroutine<void> {
      try {
        yield* sleep(1_000);
      } finally {
        fail();
      }
    }
    await run(() => assertRejects(() => timeout(10, bad()).toPromise(), TypeError, "from finally"), PAUSED);
  });

  it("fails with what the future throws, and waits for the time no more", async () => {
    class Failing extends Future<never> {
      polls = 0;

      override poll(context: Context): Pending {
        if (this.polls++ > 0) throw new RangeError("of its own");
        context.waker.wake();
        return Pending;
      }
    }
    await run(async () => {
      const probe = new Probe();
      const future = timeout(10, new Failing());
      assert(probe.isPending(future));
      assertThrows(() => probe.poll(future), RangeError, "of its own");
      await clock.advance(20);
      assertEquals(probe.wakes, 1);
      assertThrows(() => probe.poll(future), Error, "cannot wait for a timeout again");
    }, PAUSED);
  });

  it("drops its future and its time when it is dropped, polled or not", async () => {
    await run(async () => {
      const probe = new Probe();
      const [polled, fresh] = [new Parcel(), new Parcel()];
      const futures = [timeout(10, polled), timeout(10, fresh)];
      assert(probe.isPending(futures[0]));
      for (const future of [...futures, ...futures]) future.drop();
      await clock.advance(20);
      assertEquals([polled.drops, fresh.drops, fresh.polls, probe.wakes], [1, 1, 0, 0]);
    }, PAUSED);
  });

  it("wakes the task that polled it last, and tells the one before nothing", async () => {
    await run(async () => {
      const probes = [new Probe(), new Probe()];
      const future = timeout(10, new Parcel());
      for (const probe of [...probes, ...probes]) assert(probe.isPending(future));
      await clock.advance(10);
      assertEquals(probes.map(({ wakes }) => wakes), [0, 1]);
      assertTimesOut(probes[1], future, "not there within 10 ms");
    }, PAUSED);
  });

  it("begins at its first poll", async () => {
    await run(async () => {
      const future = timeout(10, sleep(5));
      await sleep(100);
      await future;
      assertEquals(now(), 105);
    }, PAUSED);
  });

  it("takes coroutines and promises, whose end it does not wait for", async () => {
    function* quick(): Coroutine<string> {
      yield* sleep(5);
      return "coroutine";
    }
    await run(async () => {
      assertEquals(await timeout(10, quick()), "coroutine");
      assertEquals(await timeout(10, Promise.resolve("promise")), "promise");
      const never = new Promise<void>(() => {});
      await assertRejects(() => timeout(10, never).toPromise(), DOMException, "not there within 10 ms");
      assertEquals(now(), 15);
    }, PAUSED);
  });

  it("of one within another: the shorter one wins, whichever it is", async () => {
    await run(async () => {
      for (const [outer, inner] of [[10, 20], [20, 10]]) {
        const start = now();
        const parcel = new Parcel();
        const future = timeout(outer, timeout(inner, parcel));
        await assertRejects(() => future.toPromise(), DOMException, "not there within 10 ms");
        assertEquals([now() - start, parcel.drops], [10, 1]);
      }
    }, PAUSED);
  });

  it("is not kept from its time by a future that spends the whole budget at each poll", async () => {
    class Endless extends Future<never> {
      override poll(context: Context): Pending {
        while (proceed(context)) coop.left--;
        return Pending;
      }
    }
    await run(async () => {
      const probe = new Probe();
      const future = timeout(1, new Endless());
      coop.left = BUDGET;
      assert(probe.isPending(future));
      assertEquals(coop.left, 0);
      future.drop();
      const start = now();
      await assertRejects(
        () => timeout(2, new Endless()).toPromise(),
        DOMException,
        "not there within 2 ms",
      );
      assert(now() >= start + 2);
    });
  });

  it("waits for its task's next turn where the budget was spent before", async () => {
    await run(async () => {
      const probe = new Probe();
      await sleep(1);
      const future = timeoutAt(1, new Parcel());
      coop.left = 0;
      assert(probe.isPending(future));
      assertEquals([probe.wakes, coop.left], [1, 0]);
      coop.left = BUDGET;
      assertTimesOut(probe, future, "the deadline has passed");
      await sleep(1);
    }, PAUSED);
  });

  it("is never early by a clock that runs, in 500 tasks", async () => {
    class Never extends Future<never> {
      override poll(_: Context): Pending {
        return Pending;
      }
    }
    function* waiter(): Coroutine<void> {
      const start = now();
      try {
        yield* timeout(10, new Never());
      } catch (error) {
        assert(error instanceof DOMException && now() - start >= 10);
        return;
      }
    }
    await run(async () => {
      const handles = Array.from({ length: 500 }, () => spawn(waiter));
      for (const handle of handles) assertEquals(await handle, undefined);
    });
  });

  it("refuses what is no time, and what is nothing to wait for", () => {
    for (const ms of [-1, NaN, -Infinity]) {
      assertThrows(() => timeout(ms, ready()), RangeError, `cannot set a timeout: ms is ${ms}`);
    }
    assertThrows(() => timeoutAt(NaN, ready()), RangeError, "cannot set a timeout: deadline is NaN");
    assertThrows(() => timeout(1, JSON.parse("5")), TypeError, "cannot make a task of 5");
  });
});
