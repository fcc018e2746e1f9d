import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { mpsc } from "../../lib/task/channel.ts";
import { BUDGET, coop } from "../../lib/task/runtime/coop.ts";
import {
  AsyncFd,
  consumeBudget,
  type Context,
  type Coroutine,
  Future,
  hasBudget,
  Pending,
  ready,
  run,
  spawn,
  unconstrained,
  yieldNow,
} from "../../lib/task/mod.ts";
import { EventFd } from "../../lib/io/mod.ts";
import { Semaphore } from "../../lib/task/sync.ts";
import { Probe } from "./probe.ts";

/** Counts its turns for as long as it lives. */
class Turns extends Future<never> {
  count = 0;

  override poll(context: Context): Pending {
    this.count++;
    context.waker.wake();
    return Pending;
  }
}

describe("a task's budget", () => {
  it("is there at the start of a turn, and spent after 128 operations", async () => {
    function* spends(): Coroutine<[boolean, boolean, boolean]> {
      yield* yieldNow();
      const before = hasBudget();
      for (let i = 0; i < BUDGET - 1; i++) yield* consumeBudget();
      const last = hasBudget();
      yield* consumeBudget();
      return [before, last, hasBudget()];
    }
    assertEquals(BUDGET, 128);
    assertEquals(await run(() => spends()), [true, true, false]);
  });

  it("lets the others have their turns where a loop spends it alone", async () => {
    const turns = new Turns();
    function* loop(count: number): Coroutine<number> {
      for (let i = 0; i < count; i++) yield* consumeBudget();
      return turns.count;
    }
    await run(function* (): Coroutine<void> {
      spawn(() => turns);
      yield* yieldNow();
      const before = turns.count;
      const yields = coop.yields;
      const handle = spawn(loop, 10 * BUDGET + 1);
      const after = yield* handle;
      assertEquals(coop.yields - yields, 10);
      assert(after - before >= 10, `${after - before} turns beside ten that were given up`);
    });
  });

  it("is spent by a channel that is never empty", async () => {
    const [tx, rx] = mpsc<number>(Infinity);
    const turns = new Turns();
    function* drain(): Coroutine<number> {
      for (let i = 0; i < 1_024; i++) yield* rx.recv();
      return turns.count;
    }
    for (let i = 0; i < 1_024; i++) tx.trySend(i);
    await run(function* (): Coroutine<void> {
      spawn(() => turns);
      yield* yieldNow();
      const before = turns.count;
      assert((yield* spawn(drain)) - before >= 1_024 / BUDGET - 1);
    });
  });

  it("is spent by permits, tasks that have ended, and descriptors that are always ready", async () => {
    const semaphore = new Semaphore(1);
    using event = new EventFd({ initial: 1 });
    await run(function* (): Coroutine<void> {
      using watched = new AsyncFd(event.fd);
      function* permits(): Coroutine<void> {
        for (let i = 0; i < 3 * BUDGET; i++) (yield* semaphore.acquire()).release();
      }
      function* ended(): Coroutine<void> {
        const handles = Array.from({ length: 3 * BUDGET }, () => spawn(() => ready(1)));
        yield* yieldNow();
        yield* yieldNow();
        for (const handle of handles) yield* handle;
      }
      function* readable(): Coroutine<void> {
        for (let i = 0; i < 3 * BUDGET; i++) yield* watched.readable();
      }
      function* reads(): Coroutine<void> {
        for (let i = 0; i < 3 * BUDGET; i++) yield* watched.read(() => 1);
      }
      for (const body of [permits, ended, readable, reads]) {
        const before = coop.yields;
        yield* spawn(body);
        const yields = coop.yields - before;
        assert(yields === 2 || yields === 3, `${body.name} gave way ${yields} times`);
      }
    });
  });

  it("is every turn's own: what a combinator polls shares it", async () => {
    function* half(): Coroutine<boolean> {
      for (let i = 0; i < BUDGET / 2; i++) yield* consumeBudget();
      return hasBudget();
    }
    function* both(): Coroutine<boolean[]> {
      yield* yieldNow();
      return [yield* half(), yield* half()];
    }
    assertEquals(await run(() => both()), [true, false]);
  });

  it("is full again in the next turn", async () => {
    function* body(): Coroutine<[number, number]> {
      yield* yieldNow();
      for (let i = 0; i < BUDGET; i++) yield* consumeBudget();
      const spent = coop.left;
      yield* yieldNow();
      return [spent, coop.left];
    }
    assertEquals(await run(() => body()), [0, BUDGET]);
  });
});

describe("unconstrained", () => {
  it("never gives way, and leaves the budget as it was", async () => {
    const turns = new Turns();
    function* loop(): Coroutine<number> {
      for (let i = 0; i < 10 * BUDGET; i++) yield* consumeBudget();
      return turns.count;
    }
    await run(function* (): Coroutine<void> {
      spawn(() => turns);
      yield* yieldNow();
      const left = coop.left;
      const before = turns.count;
      assertEquals((yield* unconstrained(loop())) - before, 0);
      assertEquals(coop.left, left);
    });
  });

  it("passes on values, failures and drops", async () => {
    const log: string[] = [];
    function* body(): Coroutine<void> {
      try {
        yield* new Turns();
      } finally {
        log.push("dropped");
      }
    }
    const probe = new Probe();
    const dropped = unconstrained(body());
    assertEquals([probe.poll(dropped) === Pending, probe.wakes], [true, 1]);
    dropped.drop();
    dropped.drop();
    assertEquals(log, ["dropped"]);
    coop.left = 5;
    assertThrows(
      () =>
        probe.poll(unconstrained(
          new class extends Future<void> {
            override poll(): void {
              throw new Error("within");
            }
          }(),
        )),
      Error,
      "within",
    );
    assertEquals(coop.left, 5);
    coop.left = BUDGET;
    assertEquals(await run(() => unconstrained(ready(3))), 3);
    assertEquals(await run(() => unconstrained(Promise.resolve(4))), 4);
    assertThrows(() => Reflect.apply(unconstrained, undefined, [5]), TypeError);
  });
});

describe("consumeBudget", () => {
  it("is consumed once, and is nothing before its first poll", async () => {
    const probe = new Probe();
    coop.left = BUDGET;
    const future = consumeBudget();
    assertEquals(coop.left, BUDGET);
    assertEquals([probe.poll(future), coop.left], [undefined, BUDGET - 1]);
    assertThrows(() => probe.poll(future), Error, "cannot wait for consumeBudget() again");
    coop.left = 0;
    const spent = consumeBudget();
    assertEquals([probe.poll(spent) === Pending, probe.wakes, hasBudget()], [true, 1, false]);
    coop.left = BUDGET;
    assertEquals([probe.poll(spent), hasBudget()], [undefined, true]);
    await assertRejects(() => run(() => future), Error, "cannot wait for consumeBudget() again");
  });
});
