import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  type Future,
  join,
  joinAll,
  Pending,
  pollFn,
  ready,
  run,
  sleep,
  tryJoin,
  tryJoinAll,
  yieldNow,
} from "../../lib/task/mod.ts";
import { BUDGET, coop, proceed } from "../../lib/task/runtime/coop.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";
import { tiered } from "../tier.ts";

const NO = new Error("no");

/** Takes one of the budget, as a message or a permit does. */
function operation(): Future<void> {
  return pollFn((context): void | Pending => {
    if (!proceed(context)) return Pending;
    coop.left--;
  });
}

function leaves(count: number): Leaf<number>[] {
  return Array.from({ length: count }, () => new Leaf<number>());
}

describe("join and tryJoin", () => {
  it("give the values of any number, each of its type", async () => {
    const none: [] = await run(() => join());
    const one: [number] = await run(() => join(ready(1)));
    const two: [number, string] = await run(() => tryJoin(ready(1), ready("a")));
    const three: [number, string, boolean] = await run(() => join(ready(1), ready("a"), ready(true)));
    assertEquals([none, one, two, three], [[], [1], [1, "a"], [1, "a", true]]);
    assertEquals(await run(() => tryJoin()), []);
  });

  it("take futures, coroutines and promises alike", async () => {
    function* coroutine(): Coroutine<string> {
      yield* sleep(0);
      return "coroutine";
    }
    const all: [string, string, string] = await run(() =>
      join(coroutine(), Promise.resolve("promise"), ready("future"))
    );
    assertEquals(all, ["coroutine", "promise", "future"]);
  });

  it("are there with the last, in the order of their arguments", () => {
    for (const make of [join, tryJoin]) {
      const [a, b] = [new Leaf<string>(), new Leaf<number>()];
      const probe = new Probe();
      const joined = make(a, b);
      assert(probe.isPending(joined));
      b.finish(123);
      assertEquals(probe.wakes, 1);
      assert(probe.isPending(joined));
      a.finish("hello");
      assertEquals(probe.wakes, 2);
      assertEquals(probe.poll(joined), ["hello", 123]);
      assertEquals([a.polls, b.polls], [3, 2]);
    }
  });

  it("have values that are undefined, and failures that are", () => {
    const probe = new Probe();
    const value = undefined;
    assertEquals(probe.poll(join(ready(value), ready(value))), [value, value]);
    for (const make of [join, tryJoin]) {
      const failing = make(new Leaf<number>().fail(undefined), ready(1)).settled();
      assertEquals(probe.poll(failing), { status: "rejected", reason: undefined });
    }
  });

  it("poll another one first each time", async () => {
    for (const make of [join, tryJoin]) {
      const order: number[] = [];
      const body = function* (name: number): Coroutine<void> {
        for (let i = 0; i < 4; i++) {
          order.push(name);
          yield* yieldNow();
        }
      };
      await run(() => make(body(1), body(2), body(3)));
      assertEquals(order, [1, 2, 3, 2, 3, 1, 3, 1, 2, 1, 2, 3]);
      order.length = 0;
      await run(() => make(body(1), body(2)));
      assertEquals(order, [1, 2, 2, 1, 1, 2, 2, 1]);
    }
  });

  it("do not starve one beside another that always spends the budget", async () => {
    for (const make of [join, tryJoin]) {
      const order: string[] = [];
      const greedy = function* (): Coroutine<void> {
        for (let i = 0; i < 5; i++) {
          for (let n = 0; n < BUDGET; n++) yield* operation();
          order.push("greedy");
        }
      };
      const modest = function* (): Coroutine<void> {
        for (let i = 0; i < 5; i++) yield* operation();
        order.push("modest");
      };
      await run(() => make(greedy(), modest()));
      assert(order.indexOf("modest") < 3, `the modest one was the ${order.indexOf("modest")}th to end`);
    }
  });

  it("of a coroutine that throws at once fails with that", () => {
    function* throws(): Coroutine<number> {
      if (coop.left >= 0) throw NO;
      return yield* ready(1);
    }
    for (const make of [join, tryJoin]) {
      const error = assertThrows(() => new Probe().poll(make(throws(), ready(1))), Error);
      assertStrictEquals(error, NO);
    }
  });

  it("refuse what is no future, coroutine or promise, and drop what they were given before", () => {
    for (const value of [5, undefined, null, "text", true, {}, [], () => {}]) {
      for (const make of [join, tryJoin]) {
        const leaf = new Leaf<number>();
        const error = assertThrows(() => Reflect.apply(make, undefined, [leaf, value]), TypeError);
        assert(error.message.includes("it is no future, coroutine or promise"));
        assertEquals(leaf.drops, 1);
      }
    }
  });
});

describe("join", () => {
  it("waits for all where one fails, then throws the first failure", () => {
    for (const count of [2, 3]) {
      const probe = new Probe();
      const all = leaves(count);
      const joined = join(...all);
      assert(probe.isPending(joined));
      all[1].fail(NO);
      assert(probe.isPending(joined));
      for (const leaf of all) if (leaf !== all[1]) leaf.fail(new Error("later"));
      assertStrictEquals(assertThrows(() => probe.poll(joined), Error), NO);
      assertEquals(all.map(({ drops }) => drops), new Array(count).fill(0));
    }
  });

  it("drops those that are not there, and forgets those that are", () => {
    for (const count of [2, 3]) {
      const probe = new Probe();
      const all = leaves(count);
      const joined = join(...all);
      all[0].finish(1);
      assert(probe.isPending(joined));
      joined.drop();
      assertEquals(all.map(({ drops }) => drops), [0, 1, 1].slice(0, count));
    }
  });
});

describe("tryJoin", () => {
  it("fails with the first failure, and drops those that are not there", () => {
    for (const count of [2, 3, 4]) {
      const probe = new Probe();
      const all = leaves(count);
      const joined = tryJoin(...all);
      assert(probe.isPending(joined));
      all[count - 1].finish(123);
      assertEquals(probe.wakes, 1);
      assert(probe.isPending(joined));
      all[0].fail(NO);
      assertEquals(probe.wakes, 2);
      assertStrictEquals(assertThrows(() => probe.poll(joined), Error), NO);
      assertEquals(all.map(({ drops }) => drops), [0, 1, 1, 1].slice(0, count - 1).concat(0));
    }
  });

  it("does not poll those after the one that has failed", () => {
    const probe = new Probe();
    const [first, last] = [new Leaf<number>(), new Leaf<number>()];
    assertThrows(() => probe.poll(tryJoin(first, new Leaf<number>().fail(NO), last)), Error, "no");
    assertEquals([first.polls, first.drops, last.polls, last.drops], [1, 1, 0, 1]);
  });

  it("tells the failure, and what dropping the others threw, where both are", () => {
    const [first, second] = [new Error("first"), new Error("second")];
    for (
      const make of [
        (...all: Future<number>[]) => tryJoin(...all),
        (...all: Future<number>[]) => tryJoinAll(all),
      ]
    ) {
      for (const count of [1, 2]) {
        const failing = new Leaf<number>().fail(NO);
        const others = [first, second].slice(0, count).map((error) => new Leaf<number>().throwAtDrop(error));
        const error = assertThrows(() => new Probe().poll(make(failing, ...others)), SuppressedError);
        assertStrictEquals(error.suppressed, NO);
        if (count === 1) assertStrictEquals(error.error, first);
        else {
          assertInstanceOf(error.error, SuppressedError);
          assertStrictEquals(error.error.error, second);
        }
        assertEquals(others.map(({ drops }) => drops), new Array(count).fill(1));
      }
    }
  });
});

describe("joinAll and tryJoinAll", () => {
  it("give the values of an array, a set and a generator in their order", async () => {
    function* five(): Generator<Future<number>> {
      for (let i = 0; i < 5; i++) yield sleep(5 - i).map(() => i);
    }
    for (const make of [joinAll, tryJoinAll]) {
      assertEquals(await run(() => make([ready(1), ready(2)])), [1, 2]);
      assertEquals(await run(() => make(new Set([ready("a")]))), ["a"]);
      assertEquals(await run(() => make(five())), [0, 1, 2, 3, 4]);
      assertEquals(await run(() => make([])), []);
    }
  });

  it("poll only the one that was woken", () => {
    for (const make of [joinAll, tryJoinAll]) {
      const probe = new Probe();
      const all = leaves(100);
      const joined = make(all);
      assert(probe.isPending(joined));
      for (const i of [50, 7, 99, 0]) {
        all[i].waker?.wake();
        assert(probe.isPending(joined));
      }
      assertEquals(all.map(({ polls }) => polls), all.map((_, i) => [50, 7, 99, 0].includes(i) ? 2 : 1));
      for (let i = 0; i < 5; i++) assert(probe.isPending(joined));
      assertEquals(all.reduce((sum, { polls }) => sum + polls, 0), 104);
    }
  });

  it("wake their task once for any number that were woken, and poll these in the order of their wakes", () => {
    const probe = new Probe();
    const order: number[] = [];
    const all = Array.from({ length: 8 }, (_, i) => {
      const leaf = new Leaf<number>();
      return { leaf, future: leaf.inspect(() => order.push(i)) };
    });
    const joined = joinAll(all.map(({ future }) => future));
    assert(probe.isPending(joined));
    for (const i of [5, 2, 7, 0]) all[i].leaf.finish(i);
    assertEquals(probe.wakes, 1);
    assert(probe.isPending(joined));
    assertEquals(order, [5, 2, 7, 0]);
    for (const i of [6, 1, 3, 4]) all[i].leaf.finish(i);
    assertEquals(probe.wakes, 2);
    assertEquals(probe.poll(joined), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("poll one that wakes itself once a turn", () => {
    const probe = new Probe();
    let polls = 0;
    const busy = pollFn<number>(({ waker }) => {
      polls++;
      waker.wake();
      return Pending;
    });
    const joined = joinAll([busy, new Leaf<number>()]);
    for (let turn = 1; turn <= 5; turn++) {
      assert(probe.isPending(joined));
      assertEquals([polls, probe.wakes], [turn, turn]);
    }
  });

  it("give way once the budget is spent, and go on where they were", async () => {
    const count = 10 * BUDGET;
    let polls = 0;
    function counted(): Future<void> {
      const inner = operation();
      return pollFn((context) => {
        polls++;
        return inner.poll(context);
      });
    }
    const { yields } = coop;
    await run(() => joinAll(Array.from({ length: count }, counted)));
    assert(coop.yields - yields >= 9);
    assertEquals(polls, count);
  });

  it("ignore a wake of one that has ended, and of one that was dropped", () => {
    const probe = new Probe();
    const all = leaves(3);
    const joined = joinAll(all);
    assert(probe.isPending(joined));
    all[0].finish(0);
    assert(probe.isPending(joined));
    all[0].waker?.wake();
    assertEquals(probe.wakes, 1);
    joined.drop();
    for (const leaf of all) leaf.waker?.wake();
    assertEquals(probe.wakes, 1);
  });

  it("wait for all, or drop the others, where one fails", () => {
    const probe = new Probe();
    const [waited, dropped] = [leaves(5), leaves(5)];
    const [waits, drops] = [joinAll(waited), tryJoinAll(dropped)];
    assert(probe.isPending(waits));
    assert(probe.isPending(drops));
    waited[3].fail(NO);
    dropped[3].fail(NO);
    assert(probe.isPending(waits));
    assertStrictEquals(assertThrows(() => probe.poll(drops), Error), NO);
    for (const leaf of waited) leaf.fail(new Error("later"));
    assertStrictEquals(assertThrows(() => probe.poll(waits), Error), NO);
    assertEquals(waited.map(({ drops }) => drops), [0, 0, 0, 0, 0]);
    assertEquals(dropped.map(({ drops }) => drops), [1, 1, 1, 0, 1]);
  });

  it("drop what an iteration gave before it failed", () => {
    const all = leaves(3);
    function* fails(): Generator<Future<number>> {
      yield* all;
      throw NO;
    }
    for (const make of [joinAll, tryJoinAll]) {
      const before = all.map(({ drops }) => drops);
      assertStrictEquals(assertThrows(() => make(fails()), Error), NO);
      assertEquals(all.map(({ drops }, i) => drops - before[i]), [1, 1, 1]);
    }
  });

  it("come to their end with ten thousand that are woken in any order", async () => {
    const count = tiered({ quick: 10_000, full: 100_000, soak: 1_000_000 });
    const all = leaves(count);
    const values = await run(() =>
      join(
        joinAll(all),
        function* (): Coroutine<void> {
          for (let i = 0; i < count; i++) {
            all[(i * 7919) % count].finish((i * 7919) % count);
            if (i % 1000 === 0) yield* yieldNow();
          }
        }(),
      ).map(([values]) => values)
    );
    assertEquals(values.length, count);
    assert(values.every((value, i) => value === i));
    assert(all.every(({ polls, drops }) => polls <= 2 && drops === 0));
  });

  it("are dropped with ten thousand, each once", () => {
    const all = leaves(10_000);
    const joined = joinAll(all);
    coop.left = BUDGET;
    assert(new Probe().isPending(joined));
    joined.drop();
    joined.drop();
    assert(all.every(({ drops }) => drops === 1));
  });
});
