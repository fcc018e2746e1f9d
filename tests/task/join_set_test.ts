import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  joinAll,
  JoinSet,
  lazy,
  pollFn,
  ready,
  run,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { coop } from "../../lib/task/runtime/coop.ts";
import { Leaf } from "./leaf.ts";
import { value, waits } from "./members.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

function* throws(error: Error): Coroutine<never> {
  yield* yieldNow();
  throw error;
}

/** A task, like any other, that ends when the leaf does. */
function* leafs<T>(leaf: Leaf<T>): Coroutine<T> {
  return yield* leaf;
}

describe("a JoinSet", () => {
  it("keeps the values of tasks that end in their first turn, wherever they are spawned", async () => {
    function* main(): Coroutine<number[]> {
      const set = new JoinSet<number>();
      for (let i = 0; i < 3; i++) set.spawn(() => ready(i));
      return yield* set.joinAll();
    }
    assertEquals(await run(main), [0, 1, 2]);
    assertEquals(
      await run(async () => {
        const set = new JoinSet<number>();
        for (let i = 0; i < 3; i++) set.spawn(() => ready(i));
        return await set.joinAll();
      }),
      [0, 1, 2],
    );
  });

  it("gives a task no turn where it is spawned", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<void>();
      const log: string[] = [];
      set.spawn(() => lazy(() => void log.push("child")));
      log.push("parent");
      yield* set.joinNext();
      assertEquals(log, ["parent", "child"]);
    });
  });

  it("gives its tasks in the order in which they end, by their ids", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<string>();
      const [a, b, c] = [new Leaf<string>(), new Leaf<string>(), new Leaf<string>()];
      const handles = [set.spawn(leafs, a), set.spawn(leafs, b), set.spawn(leafs, c)];
      yield* yieldNow();
      const order: [number, string][] = [];
      for (const [leaf, text] of [[b, "b"], [c, "c"], [a, "a"]] as const) {
        leaf.finish(text);
        const joined = yield* set.joinNext();
        if (joined !== undefined) order.push([joined.id, joined.value]);
      }
      assertEquals(order, [[handles[1].id, "b"], [handles[2].id, "c"], [handles[0].id, "a"]]);
      assertEquals(yield* set.joinNext(), undefined);
    });
  });

  it("counts its tasks, may be emptied and filled again", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      assertEquals([set.size, set.isEmpty], [0, true]);
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 10; i++) {
          set.spawn(value, i);
          assertEquals(set.size, i + 1);
        }
        const seen = new Set<number>();
        for (let next = yield* set.joinNext(); next !== undefined; next = yield* set.joinNext()) {
          seen.add(next.value);
          assertEquals(set.size, 10 - seen.size);
        }
        assertEquals([seen.size, set.isEmpty], [10, true]);
      }
    });
  });

  it("may be spawned into while it is joined, by turns", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<void>();
      set.spawn(value, undefined);
      set.spawn(value, undefined);
      for (let i = 0; i < 16; i++) {
        assertEquals((yield* set.joinNext())?.value, undefined);
        assertEquals(set.size, 1);
        set.spawn(value, undefined);
      }
      assertEquals(set.size, 2);
    });
  });

  it("tells a task whose value is undefined from no task", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<undefined>();
      const { id } = set.spawn(value, undefined);
      assertEquals(yield* set.joinNext(), { id, value: undefined });
      assertEquals(yield* set.joinNext(), undefined);
    });
  });

  it("throws what a task threw, and goes on with the others", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      set.spawn(throws, NO);
      set.spawn(value, 2);
      let thrown: unknown;
      try {
        yield* set.joinNext();
      } catch (error) {
        thrown = error;
      }
      assertStrictEquals(thrown, NO);
      assertEquals((yield* set.joinNext())?.value, 2);
      assert(set.isEmpty);
    });
  });

  it("tells by joinNextSettled which task failed, and how", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      const bad = set.spawn(throws, NO);
      assertEquals(yield* set.joinNextSettled(), { id: bad.id, status: "rejected", reason: NO });
      const good = set.spawn(value, 1);
      assertEquals(yield* set.joinNextSettled(), { id: good.id, status: "fulfilled", value: 1 });
      assertEquals(yield* set.joinNextSettled(), undefined);
    });
  });

  it("tells by tryJoinNext what has ended, without a wait, and more than a budget", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      const start = new Leaf<void>();
      const started = start.shared();
      function* body(i: number): Coroutine<number> {
        yield* started;
        return i;
      }
      const ids = new Set(Array.from({ length: 1_000 }, (_, i) => set.spawn(body, i).id));
      assertEquals(set.tryJoinNext(), undefined);
      yield* yieldNow();
      assertEquals(set.tryJoinNext(), undefined);
      start.finish();
      for (let i = 0; i < 3; i++) yield* yieldNow();
      const joined = new Set<number>();
      for (let next = set.tryJoinNext(); next !== undefined; next = set.tryJoinNext()) joined.add(next.id);
      assertEquals(joined, ids);
    });
  });

  it("throws by tryJoinNext what a task threw", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<never>();
      set.spawn(throws, NO);
      for (let i = 0; i < 3; i++) yield* yieldNow();
      assertStrictEquals(assertThrows(() => set.tryJoinNext(), Error), NO);
      assert(set.isEmpty);
    });
  });

  it("gives way by joinNext once the budget is spent", async () => {
    const { yields } = coop;
    let count = 0;
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      for (let i = 0; i < 1_000; i++) set.spawn(value, i);
      for (let i = 0; i < 5; i++) yield* yieldNow();
      while ((yield* set.joinNext()) !== undefined) count++;
    });
    assertEquals(count, 1_000);
    assert(coop.yields - yields >= 7);
  });

  it("gives all values by joinAll, in the order in which the tasks ended", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      const leaves = [new Leaf<number>(), new Leaf<number>(), new Leaf<number>()];
      for (const leaf of leaves) set.spawn(leafs, leaf);
      yield* yieldNow();
      for (const i of [2, 0, 1]) leaves[i].finish(i);
      assertEquals(yield* set.joinAll(), [2, 0, 1]);
      assertEquals(yield* new JoinSet<number>().joinAll(), []);
    });
  });

  it("fails by joinAll with the first failure, and aborts the others", async () => {
    const ended: string[] = [];
    await run(async () => {
      const set = new JoinSet<never>();
      set.spawn(waits, ended);
      set.spawn(throws, NO);
      assertStrictEquals(await assertRejects(() => set.joinAll(), Error), NO);
      assertEquals([ended, set.size], [["ended"], 0]);
    });
  });

  it("loses no task where joinNext is dropped, before and after it was woken", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      const leaf = new Leaf<number>();
      set.spawn(leafs, leaf);
      yield* yieldNow();
      const [a, b] = [new Probe(), new Probe()];
      const [first, second] = [set.joinNext(), set.joinNext()];
      assert(a.isPending(first) && b.isPending(second));
      leaf.finish(1);
      yield* yieldNow();
      assertEquals([a.wakes, b.wakes], [1, 0]);
      first.drop();
      first.drop();
      assertEquals(b.wakes, 1);
      const joined = b.poll(second);
      assert(typeof joined === "object" && joined.value === 1);
      assertThrows(() => b.poll(second), Error, "again: its value was taken");
    });
  });

  it("may be joined by many at once: each task goes to one, and all hear that none is left", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      function* worker(): Coroutine<number[]> {
        const values: number[] = [];
        for (let next = yield* set.joinNext(); next !== undefined; next = yield* set.joinNext()) {
          values.push(next.value);
          yield* yieldNow();
        }
        return values;
      }
      for (let i = 0; i < 100; i++) set.spawn(value, i);
      const taken = yield* joinAll([worker(), worker(), worker()]);
      assertEquals(taken.flat().sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
      assert(taken.every(({ length }) => length > 10));
    });
  });

  it("is iterated in an async function: values, then what a task threw", async () => {
    await run(async () => {
      const set = new JoinSet<number>();
      for (let i = 0; i < 3; i++) set.spawn(value, i);
      const values: number[] = [];
      for await (const value of set) values.push(value);
      assertEquals(values, [0, 1, 2]);
      set.spawn(throws, NO);
      set.spawn(value, 4);
      const error = await assertRejects(async () => {
        for await (const value of set) values.push(value);
      }, Error);
      assertStrictEquals(error, NO);
      assertEquals((await set.joinNext())?.value, 4);
    });
  });

  it("takes in a task that was spawned, also one that has ended", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      const ended = spawn(value, 1);
      for (let i = 0; i < 3; i++) yield* yieldNow();
      assert(ended.isFinished);
      set.add(ended);
      set.add(spawn(value, 2));
      assertEquals([set.size, set.tryJoinNext()?.value], [2, 1]);
      assertEquals((yield* set.joinNext())?.value, 2);
    });
  });

  it("refuses a task that somebody waits for already", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<never>();
      const handle = spawn(waits, []);
      assert(new Probe().isPending(handle));
      assertThrows(() => set.add(handle), Error, "another task waits for it already");
      assert(set.isEmpty);
      yield* yieldNow();
    });
  });

  it("fails with the runtime's end where that ended before its tasks", async () => {
    const set = new JoinSet<never>();
    await run(function* (): Coroutine<void> {
      set.spawn(waits, []);
      yield* yieldNow();
    });
    await assertRejects(() => run(() => set.joinNext()), DOMException, "the runtime ended before the task");
  });

  it("takes ten thousand tasks, and polls one for each that ends", async () => {
    const count = 10_000;
    const leaves = Array.from({ length: count }, () => new Leaf<number>());
    let polls = 0;
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      for (const leaf of leaves) set.spawn(leafs, leaf);
      yield* yieldNow();
      for (const [i, leaf] of leaves.entries()) {
        leaf.finish(i);
        const next = set.joinNext();
        const joined = yield* pollFn((context) => {
          polls++;
          return next.poll(context);
        });
        assertEquals(joined?.value, i);
      }
    });
    assert(polls <= 2.1 * count, `${polls} polls for ${count} tasks`);
    assert(leaves.every((leaf) => leaf.polls === 2));
  });

  it("has the value of a task that needs one turn, given after spawn is back", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      let turns = 0;
      // deno-lint-ignore require-yield
      function* atOnce(): Coroutine<number> {
        return ++turns;
      }
      // deno-lint-ignore require-yield
      function* fails(): Coroutine<number> {
        throw NO;
      }
      set.spawn(atOnce);
      set.spawn(fails);
      assertEquals(turns, 0);
      assertEquals((yield* set.joinNext())?.value, 1);
      assertEquals((yield* set.joinNextSettled())?.status, "rejected");
    });
  });
});
