import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  failed,
  join,
  lazy,
  never,
  Pending,
  pollFn,
  ready,
  run,
  select,
  sleep,
  spawn,
} from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

describe("a shared future", () => {
  it("gives each of a thousand readers the same value, and is polled for one", async () => {
    const leaf = new Leaf<object>();
    const shared = leaf.shared();
    const value = {};
    await run(function* (): Coroutine<void> {
      const readers = Array.from({ length: 1_000 }, () => spawn(() => shared.clone()));
      yield* sleep(0);
      leaf.finish(value);
      for (const reader of readers) assertStrictEquals(yield* reader, value);
      assertStrictEquals(yield* shared, value);
    });
    assertEquals([leaf.polls, leaf.drops], [2, 0]);
  });

  it("is awaited and yielded again and again, by many at once", async () => {
    await run(async () => {
      const task = spawn(async () => {
        await sleep(1);
        return "done";
      }).shared();
      function* waits(): Coroutine<string> {
        return yield* task;
      }
      const handles = [spawn(waits), spawn(waits)];
      assertEquals(await Promise.all([task, task, ...handles]), ["done", "done", "done", "done"]);
      assertEquals([await task, await task], ["done", "done"]);
    });
  });

  it("throws the same error to all, again and again", async () => {
    const shared = failed(NO).shared();
    const probe = new Probe();
    for (const reader of [shared, shared.clone(), shared, shared.clone()]) {
      assertStrictEquals(assertThrows(() => probe.poll(reader), Error), NO);
    }
    await run(async () => {
      assertStrictEquals(await assertRejects(() => shared.toPromise(), Error), NO);
    });
  });

  it("may have a value that is undefined", () => {
    const probe = new Probe();
    const shared = ready(undefined).shared();
    for (let i = 0; i < 2; i++) assertEquals(probe.poll(shared), undefined);
  });

  it("is not dropped while one of its readers is not", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    const first = leaf.shared();
    const second = first.clone();
    const race = select({ first, other: ready(1) });
    assert(!probe.isPending(race));
    assertEquals(leaf.drops, 0);
    assertThrows(() => first.clone(), Error, "this clone of it was dropped");
    assert(probe.isPending(second));
    leaf.finish(42);
    assertEquals(probe.poll(second), 42);
    second.drop();
    assertEquals(leaf.drops, 0);
  });

  it("is dropped with the last of its readers, once", () => {
    const probe = new Probe();
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
      const leaf = new Leaf<number>();
      const first = leaf.shared();
      const readers = [first, first.clone(), first.clone()];
      for (const reader of readers.slice(1)) assert(probe.isPending(reader));
      for (const [count, i] of order.entries()) {
        assertEquals(leaf.drops, 0);
        readers[i].drop();
        readers[i].drop();
        assertEquals(leaf.drops, count === 2 ? 1 : 0);
      }
      assertThrows(() => probe.poll(first), Error, "this clone of it was dropped");
    }
  });

  it("that a coroutine waits for outlasts the coroutine", async () => {
    const leaf = new Leaf<number>();
    const shared = leaf.shared();
    function* waits(): Coroutine<number> {
      return yield* shared;
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(waits);
      yield* sleep(0);
      handle.abort();
      assertEquals([leaf.polls, leaf.drops], [1, 0]);
      leaf.finish(3);
      assertEquals(yield* waits(), 3);
    });
  });

  it("wakes each of its readers, whoever polls it, also where the first never does", () => {
    const leaf = new Leaf<number>();
    const first = leaf.shared();
    const second = first.clone();
    const [a, b] = [new Probe(), new Probe()];
    assert(a.isPending(first));
    assert(b.isPending(second));
    assertEquals(leaf.polls, 1);
    leaf.finish(1);
    assertEquals([a.wakes, b.wakes], [1, 1]);
    assertEquals(b.poll(second), 1);
    assertEquals(a.poll(first), 1);
  });

  it("does not wake a reader that was dropped", () => {
    const leaf = new Leaf<number>();
    const first = leaf.shared();
    const second = first.clone();
    const third = first.clone();
    const probes = [new Probe(), new Probe(), new Probe()];
    for (const [i, reader] of [first, second, third].entries()) assert(probes[i].isPending(reader));
    second.drop();
    leaf.finish(1);
    assertEquals(probes.map(({ wakes }) => wakes), [1, 0, 1]);
  });

  it("that wakes itself is polled again, and lets the others go first", async () => {
    let mayEnd = false;
    const shared = pollFn(({ waker }) => {
      if (mayEnd) return "ended";
      waker.wake();
      return Pending;
    }).shared();
    const both = join(shared, lazy(() => mayEnd = true));
    assertEquals(await run(() => both), ["ended", true]);
  });

  it("may lose a reader in its own poll", () => {
    const shared = lazy(() => {
      reader.drop();
      return 1;
    }).shared();
    const reader = shared.clone();
    assertEquals(new Probe().poll(shared), 1);
  });

  it("may be read in its own poll, which finds nothing yet", () => {
    const probe = new Probe();
    let inner: unknown;
    const shared = lazy(() => {
      inner = probe.poll(reader);
      return 1;
    }).shared();
    const reader = shared.clone();
    assertEquals(probe.poll(shared), 1);
    assertStrictEquals(inner, Pending);
    assertEquals(probe.wakes, 1);
    assertEquals(probe.poll(reader), 1);
  });

  it("says so where two tasks wait for the same reader", () => {
    const shared = never().shared();
    const [a, b] = [new Probe(), new Probe()];
    assert(a.isPending(shared));
    assert(a.isPending(shared));
    assertThrows(() => b.poll(shared), Error, "another task waits for it; give each a clone()");
  });
});
