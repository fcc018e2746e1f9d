import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  failed,
  type Future,
  lazy,
  never,
  Pending,
  pollFn,
  race,
  ready,
  run,
  select,
  sleep,
  yieldNow,
} from "../../lib/task/mod.ts";
import { BUDGET, coop, proceed } from "../../lib/task/runtime/coop.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

describe("select", () => {
  it("gives the key and the value of the branch that is there, typed by the key", async () => {
    const selected = await run(() => select({ text: ready("text"), count: never().map((): number => 1) }));
    switch (selected.key) {
      case "text":
        assertEquals(selected.value.toUpperCase(), "TEXT");
        break;
      case "count":
        selected.value satisfies number;
        throw new Error("a branch was selected that is never there");
    }
  });

  it("takes futures, coroutines and promises alike", async () => {
    function* coroutine(): Coroutine<string> {
      yield* sleep(0);
      return "coroutine";
    }
    const late = new Promise<string>(() => {});
    assertEquals(await run(() => select({ a: coroutine(), b: late, c: never() })), {
      key: "a",
      value: "coroutine",
    });
    assertEquals(await run(() => select({ a: never(), b: Promise.resolve(2) })), { key: "b", value: 2 });
  });

  it("polls no branch after the one that is there", async () => {
    let begun = 0;
    const selected = await run(() => select({ a: lazy(() => ++begun), b: lazy(() => ++begun) }));
    assertEquals([begun, selected.value], [1, 1]);
  });

  it("drops the losers, once, those that were not polled too", () => {
    const probe = new Probe();
    const [a, b, c] = [new Leaf<number>(), new Leaf<number>(), new Leaf<number>()];
    const future = select({ a, b, c }, { biased: true });
    assert(probe.isPending(future));
    b.finish(2);
    assertEquals(probe.wakes, 1);
    assertEquals(probe.poll(future), { key: "b", value: 2 });
    future.drop();
    assertEquals([a, b, c].map(({ drops }) => drops), [1, 0, 1]);
    assertEquals([a, b, c].map(({ polls }) => polls), [2, 2, 1]);
  });

  it("nested in a select gives the inner one's value", async () => {
    const selected = await run(() =>
      select({ outer: ready(1) }).andThen(({ value }) =>
        select({ inner: ready(2) }).map((s) => s.value + value)
      )
    );
    assertEquals(selected, 3);
  });

  it("fails with the branch that fails first, and drops the others", () => {
    const probe = new Probe();
    const other = new Leaf<number>();
    const future = select({ bad: failed(NO), other });
    assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
    assertEquals(other.drops, 1);
  });

  it("tells the failure, and what dropping the others threw, where both are", () => {
    const other = new Leaf<number>().throwAtDrop(new Error("dropping"));
    for (const future of [select({ bad: failed(NO), other }, { biased: true }), race([failed(NO), other])]) {
      const error = assertThrows(() => new Probe().poll<unknown>(future), SuppressedError);
      assertStrictEquals(error.suppressed, NO);
    }
    assertEquals(other.drops, 2);
  });

  it("throws what dropping a loser throws, once all are dropped", () => {
    const losers = [new Leaf<number>().throwAtDrop(NO), new Leaf<number>()];
    const future = select({ a: losers[0], won: ready(1), b: losers[1] });
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertEquals(losers.map(({ drops }) => drops), [1, 1]);
  });

  it("is asked fairly: of two that are always there each wins often", async () => {
    const wins = { a: 0, b: 0, c: 0 };
    await run(function* (): Coroutine<void> {
      for (let i = 0; i < 3_000; i++) wins[(yield* select({ a: ready(1), b: ready(2), c: ready(3) })).key]++;
    });
    for (const count of Object.values(wins)) assert(count > 800 && count < 1_200, `one won ${count} of 3000`);
  });

  it("chooses the same in each process, so that a run can be repeated", () => {
    const source = `
      import { ready, run, select } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};
      let keys = "";
      await run(function* () {
        for (let i = 0; i < 100; i++) keys += (yield* select({ a: ready(1), b: ready(2), c: ready(3) })).key;
      });
      console.log(keys);
    `;
    const keys = outputOf(source);
    assertEquals(keys.length, 100);
    assertEquals(outputOf(source), keys);
  });

  it("that is biased asks in the order of the keys", async () => {
    const order: string[] = [];
    function asked(name: string, value: Future<number>): Future<number> {
      return pollFn((context) => {
        order.push(name);
        return value.poll(context);
      });
    }
    const [late, there] = [new Leaf<number>(), new Leaf<number>().finish(2)];
    const branches = { a: asked("a", late), b: asked("b", there), c: asked("c", ready(3)) };
    assertEquals(await run(() => select(branches, { biased: true })), { key: "b", value: 2 });
    assertEquals(order, ["a", "b"]);
  });

  it("lets a loser go on that it was only lent", async () => {
    const operation = new Leaf<string>();
    await run(function* (): Coroutine<void> {
      for (let ticks = 1;; ticks++) {
        const { key, value } = yield* select({ operation: operation.borrow(), tick: yieldNow() }, {
          biased: true,
        });
        if (key === "operation") {
          assertEquals([value, ticks], ["done", 6]);
          break;
        }
        if (ticks === 5) operation.finish("done");
      }
    });
    assertEquals(operation.drops, 0);
  });

  it("waits for what lost by itself afterwards", async () => {
    await run(function* (): Coroutine<void> {
      const [a, b] = [new Leaf<number>().finish(1), new Leaf<number>().finish(2)];
      const { key } = yield* select({ a: a.borrow(), b: b.borrow() });
      assertEquals(key === "a" ? yield* b : yield* a, key === "a" ? 2 : 1);
      assertEquals([a.polls, b.polls], [1, 1]);
    });
  });

  it("joins two by turns, where what has ended is asked no more", () => {
    const probe = new Probe();
    const [first, second] = [new Leaf<number>(), new Leaf<number>()];
    function* both(): Coroutine<[number, number]> {
      let [a, b]: (number | null)[] = [null, null];
      while (a === null || b === null) {
        const { key, value }: { key: string; value: number } = yield* select({
          a: a === null ? first.borrow() : never(),
          b: b === null ? second.borrow() : never(),
        });
        if (key === "a") a = value;
        else b = value;
      }
      return [a, b];
    }
    const future = select({ both: both() });
    assert(probe.isPending(future));
    first.finish(123);
    assertEquals(probe.wakes, 1);
    assert(probe.isPending(future));
    second.finish(456);
    assertEquals(probe.wakes, 2);
    assertEquals(probe.poll(future), { key: "both", value: [123, 456] });
  });

  it("takes any number of branches", async () => {
    const branches: Record<string, Future<number>> = {};
    for (let i = 0; i < 64; i++) branches[`branch ${i}`] = ready(i);
    const { key, value } = await run(() => select(branches));
    assertEquals(key, `branch ${value}`);
  });

  it("refuses no branch at all, and a branch that is nothing to wait for, and drops the others then", () => {
    assertThrows(() => select({}), RangeError, "cannot select: there is no branch to wait for");
    assertThrows(() => race([]), RangeError, "cannot race: there is nothing to wait for");
    const a = new Leaf<number>();
    for (const b of [5, undefined, null]) {
      assertThrows(() => Reflect.apply(select, undefined, [{ a, b }]), TypeError, "it is no future");
      assertThrows(() => Reflect.apply(race, undefined, [[a, b]]), TypeError, "it is no future");
    }
    assertEquals([a.polls, a.drops], [0, 6]);
  });

  it("gives way where the budget is spent, rather than to prefer what asks for none", () => {
    const probe = new Probe();
    function make(): Future<{ key: string }> {
      const asks = pollFn((context): void | Pending => {
        if (!proceed(context)) return Pending;
        coop.left--;
      });
      return select({ asks, always: ready(1) }, { biased: true });
    }
    coop.left = BUDGET;
    for (let i = 0; i < BUDGET; i++) {
      const selected = probe.poll(make());
      assert(selected !== Pending && selected.key === "asks");
    }
    assert(probe.isPending(make()));
    assertEquals(probe.wakes, 1);
    coop.left = BUDGET;
  });

  it("takes turns between two that yield", async () => {
    const ended: string[] = [];
    await run(function* (): Coroutine<void> {
      const one = ready(1).fuse();
      const two = yieldNow().fuse();
      const three = yieldNow().fuse();
      for (let left = 3; left > 0; left--) {
        const branches = { two: two.borrow(), three: three.borrow(), one: one.borrow() };
        ended.push((yield* select(branches, { biased: true })).key);
      }
    });
    assertEquals(ended, ["one", "two", "three"]);
  });
});

describe("race", () => {
  it("gives the index and the value of the first", async () => {
    const first = await run(() => race([sleep(20).map(() => "a"), sleep(1).map(() => "b")]), {
      clock: "paused",
    });
    assertEquals(first, { index: 1, value: "b" });
    assertEquals(await run(() => race(new Set([never(), Promise.resolve(1)]))), { index: 1, value: 1 });
  });

  it("prefers the first in order of those that are there at once", async () => {
    assertEquals(await run(() => race([ready(1), ready(2), ready(3)])), { index: 0, value: 1 });
  });

  it("drops the losers, and polls only what was woken", () => {
    const probe = new Probe();
    const all = Array.from({ length: 50 }, () => new Leaf<number>());
    const future = race(all);
    assert(probe.isPending(future));
    all[20].waker?.wake();
    assert(probe.isPending(future));
    all[30].finish(1);
    all[10].finish(2);
    assertEquals(probe.wakes, 2);
    assertEquals(probe.poll(future), { index: 30, value: 1 });
    assertEquals(all.map(({ polls }) => polls), all.map((_, i) => [20, 30].includes(i) ? 2 : 1));
    assertEquals(all.map(({ drops }) => drops), all.map((_, i) => i === 30 ? 0 : 1));
  });

  it("fails with the first that fails, and drops the others", () => {
    const other = new Leaf<number>();
    assertStrictEquals(assertThrows(() => new Probe().poll(race([failed(NO), other])), Error), NO);
    assertEquals(other.drops, 1);
  });
});
