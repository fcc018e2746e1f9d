import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Coroutine, Future, lazy, Pending, run, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { OnceCell } from "../../../lib/task/sync.ts";
import { abortedEverywhere, ready, waiting } from "./by_hand.ts";

/** There when it is told so; tells how often it was dropped. */
class Slow<T> extends Future<T> {
  result: { value: T } | { error: Error } | undefined;
  drops = 0;

  override poll(): T | Pending {
    if (this.result === undefined) return Pending;
    if ("error" in this.result) throw this.result.error;
    return this.result.value;
  }

  override drop(): void {
    this.drops++;
  }
}

function* five(): Coroutine<number> {
  yield* yieldNow();
  return 5;
}

function* failing(): Coroutine<never> {
  yield* yieldNow();
  throw new Error("no value");
}

function never(): Future<never> {
  throw new Error("called, and should not be");
}

describe("a OnceCell", () => {
  it("is empty at first", () => {
    const cell = new OnceCell<number>();
    assertEquals([cell.get(), cell.isInitialized], [undefined, false]);
  });

  it("may be made with its value", () => {
    const cell = OnceCell.of(2);
    assertEquals([cell.get(), cell.isInitialized, ready(cell.getOrInit(five))], [2, true, 2]);
  });

  it("has what was set", async () => {
    const cell = new OnceCell<number>();
    await run(async () => {
      function* set(): Coroutine<void> {
        yield* yieldNow();
        cell.set(5);
      }
      await spawn(set);
      assertEquals(cell.get(), 5);
    });
  });

  it("is set once", () => {
    const cell = new OnceCell<number>();
    cell.set(5);
    assertThrows(() => cell.set(6), Error, "cannot set a OnceCell: it has its value");
    assertEquals(cell.get(), 5);
  });

  it("may have undefined for its value", () => {
    const cell = new OnceCell<undefined>();
    cell.set(undefined);
    assertEquals([cell.get(), cell.isInitialized], [undefined, true]);
    assertEquals(ready(cell.getOrInit(never)), undefined);
  });

  it("is not set while its value is made", () => {
    const cell = new OnceCell<number>();
    const slow = new Slow<number>();
    const future = cell.getOrInit(() => slow);
    waiting(future);
    assertThrows(() => cell.set(10), Error, "cannot set a OnceCell: its value is being made");
    slow.result = { value: 5 };
    assertEquals([ready(future), cell.get()], [5, 5]);
  });

  it("has its value made once, by the first who asks", async () => {
    const cell = new OnceCell<number>();
    let made = 0;
    function* ten(): Coroutine<number> {
      made++;
      yield* sleep(1);
      return 10;
    }
    const values = await run(async () => {
      const tasks = [five, ten, ten].map((init) => spawn(() => cell.getOrInit(init)));
      const values: number[] = [];
      for (const task of tasks) values.push(await task);
      return values;
    });
    assertEquals([values, made], [[5, 5, 5], 0]);
  });

  it("is made by a future, a coroutine or an async function", async () => {
    const promised = new OnceCell<string>();
    const future = new Slow<string>();
    future.result = { value: "future" };
    assertEquals(ready(new OnceCell<string>().getOrInit(() => future)), "future");
    await run(async () => {
      assertEquals(await promised.getOrInit(async () => await Promise.resolve("promise")), "promise");
    });
  });

  it("is made by the next who waits where it fails", async () => {
    const cell = new OnceCell<number>();
    await run(async () => {
      const [bad, good] = [spawn(() => cell.getOrInit(failing)), spawn(() => cell.getOrInit(five))];
      await assertRejects(() => bad, Error, "no value");
      assertEquals(cell.isInitialized, false);
      assertEquals(await good, 5);
    });
    assertEquals(cell.get(), 5);
  });

  it("is made by the next who waits where the function itself throws", () => {
    const cell = new OnceCell<number>();
    const future = cell.getOrInit(() => {
      throw new Error("at once");
    });
    assertThrows(() => ready(future), Error, "at once");
    assertThrows(() => ready(future), Error, "cannot wait for getOrInit() again");
    cell.set(1);
    assertEquals(cell.get(), 1);
  });

  it("does not call what nobody needs, though it would have failed", async () => {
    const cell = new OnceCell<number>();
    await run(async () => {
      const [good, bad] = [spawn(() => cell.getOrInit(five)), spawn(() => cell.getOrInit(failing))];
      assertEquals([await good, await bad], [5, 5]);
    });
  });

  it("calls nothing before the first poll", () => {
    const cell = new OnceCell<number>();
    const future = cell.getOrInit(never);
    future.drop();
    cell.set(1);
    assertEquals(cell.get(), 1);
    assertThrows(() => ready(future), Error, "again");
  });

  it("hands over where who makes the value is dropped, and drops what made it", () => {
    const cell = new OnceCell<string>();
    const [abandoned, slow] = [new Slow<string>(), new Slow<string>()];
    const [first, second, third] = [abandoned, slow, slow].map((init) => cell.getOrInit(() => init));
    waiting(first);
    const [two, three] = [waiting(second), waiting(third)];
    first.drop();
    first.drop();
    assertEquals([abandoned.drops, two.wakes, three.wakes], [1, 1, 0]);
    waiting(second);
    slow.result = { value: "second" };
    assertEquals(ready(second), "second");
    assertEquals(slow.drops, 0);
    assertEquals([three.wakes, ready(third), cell.get()], [1, "second", "second"]);
    assertThrows(() => ready(second), Error, "again");
  });

  it("hands over where who was to make the value next is dropped", () => {
    const cell = new OnceCell<string>();
    const failed = new Slow<string>();
    const futures = [failed, new Slow<string>(), new Slow<string>()].map((init) =>
      cell.getOrInit(() => init)
    );
    const probes = futures.map((future) => waiting(future));
    failed.result = { error: new Error("failed") };
    assertThrows(() => ready(futures[0]), Error, "failed");
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 0]);
    futures[1].drop();
    assertEquals(probes[2].wakes, 1);
    futures[2].drop();
    cell.set("set");
    assertEquals(cell.get(), "set");
  });

  it("wakes all who wait at once when there is a value", () => {
    const cell = new OnceCell<string>();
    const slow = new Slow<string>();
    const first = cell.getOrInit(() => slow);
    waiting(first);
    const others = Array.from({ length: 5 }, () => cell.getOrInit(() => slow));
    const probes = others.map((future) => waiting(future));
    slow.result = { value: "made" };
    ready(first);
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1, 1, 1, 1]);
    others[0].drop();
    assertEquals(others.slice(1).map((future) => ready(future)), Array(4).fill("made"));
  });

  it("hands over though what made the value throws when it is dropped", async () => {
    const cell = new OnceCell<number>();
    function refuse(): void {
      throw new Error("thrown in finally");
    }
    function* stubborn(): Coroutine<number> {
      try {
        yield* sleep(100_000);
        return 0;
      } finally {
        refuse();
      }
    }
    await run(async () => {
      const [first, second] = [spawn(() => cell.getOrInit(stubborn)), spawn(() => cell.getOrInit(five))];
      await yieldNow();
      first.abort();
      await assertRejects(() => first, Error, "thrown in finally");
      assertEquals(await second, 5);
    });
  });

  it("is made by the next where who makes it drops it meanwhile, be it in the function or in what that gave", () => {
    for (const inFunction of [true, false]) {
      const cell = new OnceCell<number>();
      const first: Future<number> = cell.getOrInit(() => {
        if (inFunction) first.drop();
        return lazy(() => {
          first.drop();
          return 1;
        });
      });
      waiting(first);
      const second = cell.getOrInit(() => lazy(() => 2));
      assertEquals(ready(second), 2);
      assertEquals(cell.get(), 2);
    }
  });

  it("refuses what is no function", () => {
    const cell = new OnceCell<number>();
    // @ts-expect-error: a value is no function
    assertThrows(() => cell.getOrInit(5), TypeError, "cannot wait for a OnceCell: init is no function");
  });

  it("has its value at the end wherever one of three tasks is aborted", async () => {
    await abortedEverywhere(() => {
      const cell = new OnceCell<number>();
      let making = 0;
      function* make(): Coroutine<number> {
        assertEquals(++making, 1);
        try {
          for (let turn = 0; turn < 3; turn++) yield* yieldNow();
        } finally {
          making--;
        }
        return 5;
      }
      return {
        *body(index) {
          for (let turn = 1; turn < index * 2; turn++) yield* yieldNow();
          assertEquals(yield* cell.getOrInit(make), 5);
        },
        check: () => assertEquals([cell.get(), making], [5, 0]),
      };
    });
  });
});
