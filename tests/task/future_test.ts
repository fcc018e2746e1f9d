import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type Context,
  type Coroutine,
  failed,
  fromPromise,
  Future,
  joinAll,
  lazy,
  never,
  Pending,
  pending,
  pollFn,
  race,
  ready,
  run,
  select,
  sleep,
} from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

describe("a chain of combinators", () => {
  it("gives what functions would, one after the other", async () => {
    const seen: unknown[] = [];
    const value = await run(() =>
      sleep(0).map(() => 20)
        .andThen((n) => sleep(1).map(() => n + 1))
        .inspect((n) => seen.push(n))
        .map((n) => 2 * n)
        .finally(() => seen.push("ended"))
        .andThen((n) => Promise.resolve(`${n}`))
        .andThen(function* (text): Coroutine<string> {
          yield* sleep(0);
          return `${text}!`;
        })
    );
    assertEquals(value, "42!");
    assertEquals(seen, [21, "ended"]);
  });

  it("passes a failure by what is for values, and a value by what is for failures", async () => {
    const log: string[] = [];
    const future = failed(NO)
      .map(() => log.push("map"))
      .inspect(() => log.push("inspect"))
      .andThen(() => ready(log.push("andThen")))
      .finally(() => log.push("finally"))
      .orElse((error) => ready(error === NO ? "mended" : "another"))
      .orElse(() => ready(log.push("orElse")));
    assertEquals(await run(() => future), "mended");
    assertEquals(log, ["finally"]);
  });

  it("says how it ended by settled()", () => {
    const probe = new Probe();
    assertEquals(probe.poll(ready(1).settled()), { status: "fulfilled", value: 1 });
    assertEquals(probe.poll(failed(NO).settled()), { status: "rejected", reason: NO });
  });

  it("is awaited once, like each of its parts", async () => {
    await run(async () => {
      const future = ready(1).map((n) => n + 1);
      assertEquals(await future, 2);
      await assertRejects(() => future.toPromise(), Error, "cannot wait for a future again");
      await assertRejects(() => future.then(), Error, "cannot wait for a future again");
    });
  });

  it("of a thousand links is polled to its end, and dropped", () => {
    const probe = new Probe();
    const [waits, drops] = [new Leaf<number>(), new Leaf<number>()];
    let [first, second]: Future<number>[] = [waits, drops];
    for (let i = 0; i < 1_000; i++) {
      first = first.map((n) => n + 1);
      second = second.andThen((n) => ready(n + 1));
    }
    assert(probe.isPending(first));
    waits.finish(0);
    assertEquals(probe.poll(first), 1_000);
    assert(probe.isPending(second));
    second.drop();
    assertEquals(drops.drops, 1);
  });
});

describe("map, inspect, andThen, orElse, finally", () => {
  it("refuse what is no function, where they are called", () => {
    for (const name of ["map", "inspect", "andThen", "orElse", "finally"] as const) {
      assertThrows(() => Reflect.apply(ready(1)[name], ready(1), [5]), TypeError, "f is no function");
    }
  });

  it("poll no function before the value is there", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    let calls = 0;
    const future = leaf.map(() => calls++).inspect(() => calls++).andThen(() => ready(calls++));
    for (let i = 0; i < 5; i++) assert(probe.isPending(future));
    assertEquals(calls, 0);
    leaf.finish(1);
    probe.poll(future);
    assertEquals(calls, 3);
  });

  it("drop what andThen and orElse wait for now, and not what is over", () => {
    const probe = new Probe();
    for (const [first, link] of [[ready(1), "andThen"], [failed(NO), "orElse"]] as const) {
      const second = new Leaf<number>();
      const future = first[link](() => second);
      assert(probe.isPending(future));
      future.drop();
      assertEquals(second.drops, 1);
    }
  });

  it("take nothing else from f than a future, a coroutine or a promise", () => {
    const probe = new Probe();
    for (const value of [5, null, undefined, "text", {}, []]) {
      const future = Reflect.apply(ready(1).andThen, ready(1), [() => value]);
      assertInstanceOf(future, Future);
      assertThrows(() => probe.poll(future), TypeError, "it is no future, coroutine or promise");
    }
  });
});

describe("finally", () => {
  it("calls its function once at the value, the failure or the drop, and not where it never began", () => {
    const probe = new Probe();
    const log: string[] = [];
    probe.poll(ready(1).finally(() => log.push("value")));
    assertThrows(() => probe.poll(failed(NO).finally(() => log.push("failure"))), Error, "no");
    const waiting = new Leaf<number>().finally(() => log.push("drop"));
    assert(probe.isPending(waiting));
    waiting.drop();
    waiting.drop();
    new Leaf<number>().finally(() => log.push("never begun")).drop();
    assertEquals(log, ["value", "failure", "drop"]);
  });

  it("calls its function after what it waits for was dropped", () => {
    const log: string[] = [];
    const inner = pollFn(() => Pending, () => log.push("dropped"));
    const future = inner.finally(() => log.push("finally"));
    new Probe().poll(future);
    future.drop();
    assertEquals(log, ["dropped", "finally"]);
  });
});

describe("fuse", () => {
  it("pends for ever after the value, the failure and the drop, and says so", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    const fused = leaf.fuse();
    assert(probe.isPending(fused));
    assertEquals(fused.isTerminated, false);
    leaf.finish(1);
    assertEquals(probe.poll(fused), 1);
    assertEquals(fused.isTerminated, true);
    assert(probe.isPending(fused));
    const failing = failed(NO).fuse();
    assertThrows(() => probe.poll(failing), Error, "no");
    assert(probe.isPending(failing) && failing.isTerminated);
    const dropped = new Leaf<number>().fuse();
    dropped.drop();
    assert(probe.isPending(dropped) && dropped.isTerminated);
  });
});

describe("select, race, joinAll", () => {
  it("refuse wrong arguments by name", () => {
    const cases: [call: unknown, args: unknown[], message: string][] = [
      [select, [null], "cannot select: branches is null"],
      [select, [{ a: ready(1) }, null], "cannot select: options are no object"],
      [select, [{ a: ready(1) }, { biassed: true }], 'cannot select: there is no option "biassed"'],
      [select, [{ a: ready(1) }, { biased: "no" }], 'cannot select: biased is "no"'],
      [race, [42], "cannot wait for all of 42: it is not iterable"],
      [joinAll, [undefined], "cannot wait for all of undefined: it is not iterable"],
    ];
    for (const [call, args, message] of cases) {
      assertThrows(
        () => typeof call === "function" && Reflect.apply(call, undefined, args),
        TypeError,
        message,
      );
    }
  });
});

describe("ready, failed, lazy, never, pending, pollFn", () => {
  it("give their value once, whatever it is", () => {
    const probe = new Probe();
    for (const value of [1, undefined, null, "", NaN]) {
      for (const future of [ready(value), lazy(() => value), pollFn(() => value)]) {
        assertStrictEquals(probe.poll(future), value);
        assertThrows(() => probe.poll(future), Error, "again: its value was taken");
      }
    }
    const failing = failed(NO);
    assertStrictEquals(assertThrows(() => probe.poll(failing), Error), NO);
    assertThrows(() => probe.poll(failing), Error, "again: its value was taken");
  });

  it("give nothing once they were dropped", () => {
    let calls = 0;
    for (const future of [ready(1), lazy(() => calls++), failed(NO), pollFn(() => calls++)]) {
      future.drop();
      assertThrows(() => new Probe().poll(future), Error, "again: its value was taken");
    }
    assertEquals(calls, 0);
  });

  it("begin at their first poll, and not before", () => {
    let calls = 0;
    const futures = [lazy(() => calls++), pollFn(() => calls++), fromPromise(() => Promise.resolve(calls++))];
    assertEquals([calls, futures.length], [0, 3]);
    assertEquals(new Probe().poll(futures[0]), 0);
    assertEquals(calls, 1);
  });

  it("are never there, where they are called so", () => {
    for (const future of [never(), pending()]) {
      for (let i = 0; i < 3; i++) assert(new Probe().isPending(future));
      future.drop();
    }
  });

  it("call pollFn's drop once, between its first poll and its end", () => {
    const probe = new Probe();
    let drops = 0;
    function make(poll: (context: Context) => number | Pending): Future<number> {
      return pollFn(poll, () => drops++);
    }
    make(() => 1).drop();
    const ended = make(() => 1);
    probe.poll(ended);
    ended.drop();
    assertEquals(drops, 0);
    const waiting = make(() => Pending);
    assert(probe.isPending(waiting));
    waiting.drop();
    waiting.drop();
    assertEquals(drops, 1);
  });

  it("refuse what is no function", () => {
    for (const make of [lazy, pollFn]) {
      assertThrows(() => Reflect.apply(make, undefined, [5]), TypeError, "is no function");
    }
  });
});
