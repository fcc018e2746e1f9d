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
  join,
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
  timeout,
  tryJoin,
  tryJoinAll,
} from "../../lib/task/mod.ts";
import { coop } from "../../lib/task/runtime/coop.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

function throws(): never {
  throw NO;
}

/** Each method of one future that gives a future, by its name. */
const METHODS: Record<string, (future: Future<number>) => Future<unknown>> = {
  map: (future) => future.map((value) => value),
  andThen: (future) => future.andThen((value) => ready(value)),
  orElse: (future) => future.orElse(() => ready(0)),
  inspect: (future) => future.inspect(() => {}),
  finally: (future) => future.finally(() => {}),
  settled: (future) => future.settled(),
  fuse: (future) => future.fuse(),
  shared: (future) => future.shared(),
  timeout: (future) => future.timeout(1e6),
  abortable: (future) => future.abortable(new AbortController().signal),
  join: (future) => join(future),
  "join of two": (future) => join(ready(1), future),
  tryJoin: (future) => tryJoin(future),
  "tryJoin of two": (future) => tryJoin(future, ready(1)),
  joinAll: (future) => joinAll([future]),
  tryJoinAll: (future) => tryJoinAll([future]),
  select: (future) => select({ future }),
  race: (future) => race([future]),
  "function timeout": (future) => timeout(1e6, future),
  coroutine: (future) =>
    joinAll([function* (): Coroutine<number> {
      return yield* future;
    }()]),
};

/** Polls while the future wakes itself, within a runtime. */
async function withProbe(test: (probe: Probe) => void): Promise<void> {
  await run(() =>
    pollFn(() => {
      test(new Probe());
    })
  );
}

describe("each combinator", () => {
  for (const [name, make] of Object.entries(METHODS)) {
    it(`${name} does nothing before its first poll`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>().finish(1);
        const future = make(leaf);
        assertEquals([leaf.polls, leaf.drops, leaf.waker], [0, 0, null]);
        assert(!probe.isPending(future));
        assertEquals(leaf.polls, 1);
      });
    });

    // What a coroutine would wait for is not its own before it has begun.
    if (name !== "coroutine") {
      it(`${name} drops what it waits for, once, where it is dropped before its first poll`, () => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        future.drop();
        future.drop();
        assertEquals([leaf.polls, leaf.drops], [0, 1]);
      });
    }

    it(`${name} drops what it waits for, once, where it is dropped while it waits`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        for (let i = 0; i < 3; i++) assert(probe.isPending(future));
        future.drop();
        future.drop();
        assertEquals(leaf.drops, 1);
      });
    });

    it(`${name} drops nothing that has ended`, async () => {
      await withProbe((probe) => {
        for (const leaf of [new Leaf<number>().finish(1), new Leaf<number>().fail(NO)]) {
          const future = make(leaf);
          try {
            probe.poll(future);
          } catch (error) {
            assertStrictEquals(error, NO);
          }
          future.drop();
          assertEquals([leaf.polls, leaf.drops], [1, 0]);
        }
      });
    });

    it(`${name} is woken by what it waits for`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        assert(probe.isPending(future));
        assertEquals(probe.wakes, 0);
        leaf.finish(1);
        assertEquals(probe.wakes, 1);
        assert(!probe.isPending(future));
      });
    });

    // It is one task's at a time, and says so.
    if (name !== "shared") {
      it(`${name} wakes the task that polled it last`, async () => {
        await withProbe((before) => {
          const leaf = new Leaf<number>();
          const future = make(leaf);
          const after = new Probe();
          assert(before.isPending(future));
          leaf.waker?.wake();
          assert(after.isPending(future));
          // A timer tells who is replaced, once: it may still wait.
          const { wakes } = before;
          leaf.finish(1);
          assertEquals([before.wakes, after.wakes], [wakes, 1]);
        });
      });
    }

    if (name !== "fuse" && name !== "shared") {
      it(`${name} throws where it is polled after its end`, async () => {
        await withProbe((probe) => {
          const future = make(new Leaf<number>().finish(1));
          probe.poll(future);
          for (let i = 0; i < 2; i++) {
            assertThrows(() => probe.poll(future), Error, "again: its value was taken");
          }
          const failed = make(new Leaf<number>().fail(NO));
          probe.poll(failed.borrow().settled());
          assertThrows(() => probe.poll(failed), Error, "again: its value was taken");
        });
      });

      it(`${name} throws where it is polled after it was dropped`, async () => {
        await withProbe((probe) => {
          const future = make(new Leaf<number>());
          assert(probe.isPending(future));
          future.drop();
          assertThrows(() => probe.poll(future), Error, "again: its value was taken");
        });
      });
    }

    it(`${name} throws what dropping throws`, async () => {
      await withProbe((probe) => {
        const future = make(new Leaf<number>().throwAtDrop(NO));
        assert(probe.isPending(future));
        assertStrictEquals(assertThrows(() => future.drop(), Error), NO);
        future.drop();
      });
    });
  }

  it("lends what it borrows: dropping it drops nothing", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    const borrowed = leaf.borrow();
    assert(probe.isPending(borrowed));
    borrowed.drop();
    assertThrows(() => probe.poll(borrowed), Error, "cannot wait for a borrowed future again");
    const again = leaf.borrow();
    leaf.finish(3);
    assertEquals(probe.poll(again), 3);
    assertEquals([leaf.polls, leaf.drops], [2, 0]);
    assertThrows(() => probe.poll(again), Error, "cannot wait for a borrowed future again");
    const failing = new Leaf<number>().fail(NO).borrow();
    assertThrows(() => probe.poll(failing), Error, "no");
    assertThrows(() => probe.poll(failing), Error, "cannot wait for a borrowed future again");
  });
});

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

describe("a throw in a callback", () => {
  const positions: Record<string, (leaf: Future<number>) => Future<unknown>> = {
    map: (leaf) => leaf.map(throws),
    inspect: (leaf) => leaf.inspect(throws),
    andThen: (leaf) => leaf.andThen(throws),
    finally: (leaf) => leaf.finally(throws),
  };
  for (const [name, make] of Object.entries(positions)) {
    it(`of ${name} is what the future fails with, once`, () => {
      const probe = new Probe();
      const leaf = new Leaf<number>().finish(1);
      const future = make(leaf);
      assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
      assertThrows(() => probe.poll(future), Error, "again: its value was taken");
      future.drop();
      assertEquals([leaf.polls, leaf.drops], [1, 0]);
    });

    it(`of ${name} drops the others where the failure ends them`, () => {
      const probe = new Probe();
      const combined: ((a: Future<unknown>, b: Future<unknown>) => Future<unknown>)[] = [
        (a, b) => tryJoin(a, b),
        (a, b) => tryJoin(a, b, ready(1)),
        (a, b) => tryJoinAll([a, b]),
        (a, b) => select({ a, b }),
        (a, b) => race([a, b]),
      ];
      for (const combine of combined) {
        const other = new Leaf<number>();
        const future = combine(make(new Leaf<number>().finish(1)), other);
        assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
        assertEquals(other.drops, 1);
        future.drop();
        assertEquals(other.drops, 1);
      }
    });
  }

  it("of orElse is what the future fails with", () => {
    const future = failed(new Error("first")).orElse(throws);
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertThrows(() => new Probe().poll(future), Error, "again: its value was taken");
  });

  it("of finally takes the place of the failure, and of what dropping throws", () => {
    const probe = new Probe();
    const failing = failed(new Error("first")).finally(throws);
    assertStrictEquals(assertThrows(() => probe.poll(failing), Error), NO);
    const dropped = new Leaf<number>().throwAtDrop(new Error("dropping")).finally(throws);
    assert(probe.isPending(dropped));
    assertStrictEquals(assertThrows(() => dropped.drop(), Error), NO);
    dropped.drop();
  });

  it("of pollFn and of lazy is what the future fails with, and they are not called again", () => {
    const probe = new Probe();
    let calls = 0;
    function counts(): never {
      calls++;
      throw NO;
    }
    for (const future of [pollFn(counts, counts), lazy(counts)]) {
      assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
      assertThrows(() => probe.poll(future), Error, "again: its value was taken");
      future.drop();
    }
    assertEquals(calls, 2);
  });

  it("of a coroutine's finally block ends in the one that dropped it, once all are dropped", () => {
    const probe = new Probe();
    const leaves = [new Leaf<number>(), new Leaf<number>(), new Leaf<number>()];
    function* body(leaf: Leaf<number>): Coroutine<void> {
      try {
        yield* leaf;
      } finally {
        throws();
      }
    }
    const all = joinAll(leaves.map(body));
    assert(probe.isPending(all));
    const error = assertThrows(() => all.drop(), SuppressedError);
    assertStrictEquals(error.error, NO);
    assertInstanceOf(error.suppressed, SuppressedError);
    assertStrictEquals(error.suppressed.suppressed, NO);
    assertEquals(leaves.map(({ drops }) => drops), [1, 1, 1]);
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

describe("timeout", () => {
  it("fails with a TimeoutError and drops what was late", async () => {
    for (const make of [(leaf: Leaf<number>) => leaf.timeout(2), (leaf: Leaf<number>) => timeout(2, leaf)]) {
      const leaf = new Leaf<number>();
      const error = await assertRejects(() => run(() => make(leaf)), DOMException, "not there within 2 ms");
      assertEquals(error.name, "TimeoutError");
      assertEquals(leaf.drops, 1);
    }
  });

  it("counts from the first poll", async () => {
    await run(async () => {
      const future = sleep(1).timeout(30);
      await sleep(40);
      await future;
    });
  });

  it("gives a value that is there, whatever the time", async () => {
    assertEquals(await run(() => ready(1).timeout(0)), 1);
    assertEquals(await run(() => ready(1).timeout(Infinity)), 1);
  });

  it("expires where what it waits for spends the whole budget at each poll", async () => {
    await run(() =>
      pollFn<never>(({ waker }) => {
        coop.left = 0;
        waker.wake();
        return Pending;
      }).timeout(3).orElse((error) => ready(error)).map((error) => assertInstanceOf(error, DOMException))
    );
  });

  it("takes a coroutine, and ends it", async () => {
    const log: string[] = [];
    function* slow(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        log.push("ended");
      }
    }
    await assertRejects(() => run(() => timeout(1, slow())), DOMException);
    assertEquals(log, ["ended"]);
  });

  it("refuses what is no count of milliseconds, where it is called", () => {
    for (const ms of [-1, NaN]) assertThrows(() => ready(1).timeout(ms), RangeError, `ms is ${ms}`);
  });
});

describe("abortable", () => {
  it("fails with the signal's reason and drops what it waits for", async () => {
    const controller = new AbortController();
    const leaf = new Leaf<number>();
    const probe = new Probe();
    const future = leaf.abortable(controller.signal);
    assert(probe.isPending(future));
    controller.abort(NO);
    assertEquals([probe.wakes, leaf.drops], [1, 0]);
    assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
    assertEquals(leaf.drops, 1);
    await assertRejects(() => run(() => never().abortable(AbortSignal.timeout(1))), DOMException);
  });

  it("does not begin where the signal is aborted already", () => {
    const leaf = new Leaf<number>().finish(1);
    const future = leaf.abortable(AbortSignal.abort(NO));
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertEquals([leaf.polls, leaf.drops], [0, 1]);
  });

  it("fails where its own poll aborts the signal", () => {
    const controller = new AbortController();
    let drops = 0;
    const future = pollFn(() => {
      controller.abort(NO);
      return Pending;
    }, () => drops++).abortable(controller.signal);
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertEquals(drops, 1);
  });

  it("listens to the signal from the first poll to its end, and not longer", () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      Reflect.apply(removeEventListener, signal, args);
    };
    const probe = new Probe();
    const ends: ((leaf: Leaf<number>, future: Future<number>) => void)[] = [
      (leaf, future) => probe.poll((leaf.finish(1), future)),
      (leaf, future) => assertThrows(() => probe.poll((leaf.fail(NO), future)), Error, "no"),
      (_, future) => future.drop(),
    ];
    for (const end of ends) {
      const leaf = new Leaf<number>();
      const future = leaf.abortable(signal);
      assertEquals(listeners, 0);
      for (let i = 0; i < 3; i++) assert(probe.isPending(future));
      assertEquals(listeners, 1);
      end(leaf, future);
      assertEquals(listeners, 0);
    }
  });

  it("listens once to a signal, however many wait for it, and wakes all of them", () => {
    const controller = new AbortController();
    const { signal } = controller;
    let added = 0;
    const { addEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      added++;
      Reflect.apply(addEventListener, signal, args);
    };
    const waits = Array.from(
      { length: 4 },
      () => ({ probe: new Probe(), future: never().abortable(signal) }),
    );
    for (const { probe, future } of waits) assert(probe.isPending(future));
    waits[1].future.drop();
    controller.abort(NO);
    assertEquals(added, 1);
    assertEquals(waits.map(({ probe }) => probe.wakes), [1, 0, 1, 1]);
    assertStrictEquals(assertThrows(() => waits[3].probe.poll(waits[3].future), Error), NO);
  });

  it("refuses what is no signal, where it is called", () => {
    for (const signal of [undefined, null, {}, new AbortController()]) {
      assertThrows(() => Reflect.apply(ready(1).abortable, ready(1), [signal]), TypeError, "no AbortSignal");
    }
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

describe("a combinator that is dropped by what it polls", () => {
  it("calls no function for a value or a failure that comes after", () => {
    let calls = 0;
    function next(): Future<number> {
      calls++;
      return ready(2);
    }
    const mapped: Future<unknown> = lazy(() => mapped.drop()).map(next);
    const going: Future<unknown> = lazy(() => going.drop()).andThen(next);
    for (const future of [mapped, going]) assert(new Probe().isPending(future));
    const failing: Future<unknown> = lazy(() => {
      failing.drop();
      throw NO;
    }).orElse(next);
    assertStrictEquals(assertThrows(() => new Probe().poll(failing), Error), NO);
    assertEquals(calls, 0);
  });

  for (const [name, make] of Object.entries(METHODS)) {
    it(`${name} drops it, once, and is not polled again`, async () => {
      await withProbe((probe) => {
        let drops = 0;
        let polls = 0;
        const future = make(pollFn<number>(() => {
          polls++;
          future.drop();
          return Pending;
        }, () => drops++));
        assert(probe.isPending(future));
        future.drop();
        assertEquals([polls, drops], [1, 1]);
      });
    });
  }
});
