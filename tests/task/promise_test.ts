import { describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type Coroutine,
  fromPromise,
  type Future,
  Pending,
  ready,
  run,
  select,
  sleep,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

/** A promise that tells whether anybody has asked for it. */
class Asked implements PromiseLike<number> {
  times = 0;
  settle: (value: number) => void = () => {};
  fail: (error: unknown) => void = () => {};

  then<A, B>(
    onFulfilled?: ((value: number) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.times++;
    this.settle = (value) => onFulfilled?.(value);
    this.fail = (error) => onRejected?.(error);
    return new Promise(() => {});
  }
}

describe("fromPromise", () => {
  it("gives the value of a promise, and throws what it rejects with", async () => {
    await run(async () => {
      assertEquals(await fromPromise(Promise.resolve(1)), 1);
      assertStrictEquals(await assertRejects(() => fromPromise(Promise.reject(NO)), Error), NO);
    });
  });

  it("needs no runtime and asks for nothing before the first poll", async () => {
    const promise = new Asked();
    let calls = 0;
    const futures = [
      fromPromise(promise),
      fromPromise(() => {
        calls++;
        return Promise.resolve(2);
      }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals([promise.times, calls], [0, 0]);
    assertEquals(await run(() => futures[1]), 2);
    assertEquals([promise.times, calls], [0, 1]);
  });

  it("asks once, however often it is polled, and wakes the task that polled last", async () => {
    await run(function* (): Coroutine<void> {
      yield* sleep(0);
      const promise = new Asked();
      const future = fromPromise(promise);
      const [before, last] = [new Probe(), new Probe()];
      assert(before.isPending(future) && last.isPending(future));
      promise.settle(1);
      assertEquals([promise.times, before.wakes, last.wakes], [1, 0, 1]);
      assertEquals(last.poll(future), 1);
    });
  });

  it("refuses what a function gives that is no promise, and waits for nothing then", async () => {
    for (const wrong of [undefined, 42, { then: 5 }, Object.create(null)]) {
      await run(function* (): Coroutine<void> {
        const future = fromPromise(Function.prototype.call.bind(() => wrong));
        const result = yield* future.timeout(1_000).settled();
        assertMatch(String(result.status === "rejected" && result.reason), /^TypeError: cannot wait for /);
        assertEquals(currentRuntime().promises, 0);
      });
    }
    assertThrows(() => fromPromise(Object.create(null)), TypeError, "cannot make a future of an object");
  });

  it("fails with what a thenable's then throws, and waits for nothing then", async () => {
    await run(function* (): Coroutine<void> {
      const future = fromPromise({
        then() {
          throw NO;
        },
      });
      assertEquals(yield* future.settled(), { status: "rejected", reason: NO });
      assertEquals(currentRuntime().promises, 0);
    });
  });

  it("is there at once where a thenable is", async () => {
    const thenable = new class extends Asked {
      override then<A, B>(onFulfilled?: ((value: number) => A | PromiseLike<A>) | null): Promise<A | B> {
        onFulfilled?.(5);
        return new Promise(() => {});
      }
    }();
    await run(function* (): Coroutine<void> {
      yield* sleep(0);
      assertEquals(new Probe().poll(fromPromise(thenable)), 5);
    });
  });

  it("hears nothing of a promise that was settled twice, or after it was dropped", async () => {
    await run(function* (): Coroutine<void> {
      yield* sleep(0);
      const { promises } = currentRuntime();
      const probe = new Probe();
      const [twice, dropped] = [new Asked(), new Asked()];
      const futures = [fromPromise(twice), fromPromise(dropped)];
      for (const future of futures) assert(probe.isPending(future));
      assertEquals(currentRuntime().promises, promises + 2);
      futures[1].drop();
      assertEquals(currentRuntime().promises, promises + 1);
      dropped.settle(1);
      dropped.fail(NO);
      twice.settle(1);
      twice.settle(2);
      twice.fail(NO);
      assertEquals([probe.wakes, currentRuntime().promises], [1, promises]);
      assertEquals(probe.poll(futures[0]), 1);
    });
  });

  it("throws where it is polled after its end, and after it was dropped", async () => {
    await run(function* (): Coroutine<void> {
      const probe = new Probe();
      const asked = [new Asked(), new Asked(), new Asked()];
      const futures = asked.map((promise) => fromPromise(promise));
      for (const future of futures) assert(probe.isPending(future));
      asked[0].settle(1);
      asked[1].fail(NO);
      assertEquals(probe.poll(futures[0]), 1);
      assertStrictEquals(assertThrows(() => probe.poll(futures[1]), Error), NO);
      futures[2].drop();
      const unpolled = fromPromise(Promise.resolve(1));
      unpolled.drop();
      for (const future of [...futures, unpolled]) {
        assertThrows(() => probe.poll(future), Error, "cannot wait for a promise again");
      }
      yield* sleep(0);
    });
  });

  it("fails with what the function throws", async () => {
    await assertRejects(
      () =>
        run(() =>
          fromPromise(() => {
            throw NO;
          })
        ),
      Error,
      "no",
    );
  });

  it("tells the function by its signal that the future was dropped, and not where it has ended", async () => {
    const signals: AbortSignal[] = [];
    function begin(settle: boolean): Future<number> {
      return fromPromise((signal) => {
        signals.push(signal);
        return new Promise<number>((resolve, reject) => {
          if (settle) resolve(1);
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      });
    }
    await run(function* (): Coroutine<void> {
      assertEquals(yield* begin(true), 1);
      const { key } = yield* select({ slow: begin(false), tick: sleep(1) });
      assertEquals(key, "tick");
      begin(false).drop();
    });
    assertEquals(signals.map(({ aborted }) => aborted), [false, true]);
    assertEquals(signals[1].reason.name, "AbortError");
  });

  it("gives a future as it is", () => {
    const future = ready(1);
    assertStrictEquals(fromPromise(future), future);
  });

  it("refuses what is no promise, where it is called", () => {
    for (const value of [5, undefined, null, {}, "text"]) {
      assertThrows(() => Reflect.apply(fromPromise, undefined, [value]), TypeError, "it is no promise");
    }
  });

  it("pends where the promise does", async () => {
    await run(function* (): Coroutine<void> {
      const future = fromPromise(new Promise<number>(() => {}));
      assertStrictEquals(new Probe().poll(future), Pending);
      yield* sleep(0);
      future.drop();
    });
  });
});
