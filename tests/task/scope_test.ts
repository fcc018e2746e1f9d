import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Coroutine, type Future, run, Scope, scope, sleep, spawn, Task } from "../../lib/task/mod.ts";

function* worker(log: string[], name: string, ms: number): Coroutine<string> {
  try {
    yield* sleep(ms);
    log.push(`${name} done`);
    return name;
  } finally {
    log.push(`${name} ended`);
  }
}

function* failing(ms: number): Coroutine<void> {
  yield* sleep(ms);
  throw new Error("a child failed");
}

describe("scope", () => {
  it("gives its body's value once all its tasks have ended", async () => {
    const log: string[] = [];
    const value = await run(() =>
      scope(function* (s): Coroutine<string> {
        s.spawn(worker, log, "slow", 10);
        const quick = s.spawn(worker, log, "quick", 1);
        assertEquals(s.size, 2);
        return `body after ${yield* quick}`;
      })
    );
    assertEquals(value, "body after quick");
    assertEquals(log, ["quick done", "quick ended", "slow done", "slow ended"]);
  });

  it("takes an async body, and tasks that spawn more", async () => {
    const log: string[] = [];
    await run(async () => {
      await scope(async (s) => {
        s.spawn(async () => {
          await sleep(1);
          s.spawn(worker, log, "grandchild", 1);
        });
        await sleep(0);
      });
      log.push("after");
    });
    assertEquals(log, ["grandchild done", "grandchild ended", "after"]);
  });

  it("drops the body and the others where a task fails, and throws its error", async () => {
    const log: string[] = [];
    await run(function* (): Coroutine<void> {
      const outcome = spawn(() =>
        scope(function* (s): Coroutine<void> {
          s.spawn(worker, log, "other", 1e9);
          s.spawn(failing, 1);
          try {
            yield* sleep(1e9);
          } finally {
            log.push("body ended");
          }
        })
      );
      try {
        yield* outcome;
      } catch (error) {
        log.push(`${error}`);
      }
    });
    assertEquals(log, ["other ended", "body ended", "Error: a child failed"]);
  });

  it("drops its tasks where the body throws, before or after its first wait", async () => {
    for (const ms of [0, 1]) {
      const log: string[] = [];
      await assertRejects(
        () =>
          run(() =>
            scope(function* (s): Coroutine<void> {
              s.spawn(worker, log, "a", 1e9);
              yield* sleep(ms);
              throw new Error("the body");
            })
          ),
        Error,
        "the body",
      );
      assertEquals(log, ["a ended"]);
    }
    await assertRejects(
      () =>
        run(() =>
          scope((): Future<void> => {
            throw new Error("at once");
          })
        ),
      Error,
      "at once",
    );
  });

  it("tells async functions by their signal, and waits for them", async () => {
    const log: string[] = [];
    await assertRejects(
      () =>
        run(() =>
          scope(async (s) => {
            s.spawn(async () => {
              const signal = Task.signal();
              while (!signal.aborted) await sleep(1);
              await sleep(3);
              log.push(`heard: ${signal.reason}`);
            });
            s.signal.addEventListener("abort", () => log.push("the scope's signal"));
            await sleep(2);
            s.spawn(failing, 0);
            await sleep(10);
            log.push("the body went on to its end");
          })
        ),
      Error,
      "a child failed",
    );
    assertEquals(log.sort(), [
      "heard: Error: a child failed",
      "the body went on to its end",
      "the scope's signal",
    ]);
  });

  it("is not failed by a task that was aborted alone", async () => {
    await run(() =>
      scope(function* (s): Coroutine<void> {
        const child = s.spawn(() => sleep(1e9));
        yield* sleep(0);
        child.abort();
      })
    );
  });

  it("is cancelled with a reason", async () => {
    const log: string[] = [];
    await assertRejects(
      () =>
        run(() =>
          scope(function* (s): Coroutine<void> {
            s.spawn(worker, log, "a", 1e9);
            yield* sleep(0);
            s.cancel(new Error("enough"));
            s.cancel(new Error("again"));
            assertThrows(() => s.spawn(() => sleep(0)), Error, "cannot spawn in a scope that was cancelled");
            log.push("cancelled");
            yield* sleep(1e9);
          })
        ),
      Error,
      "enough",
    );
    assertEquals(log, ["a ended", "cancelled"]);
  });

  it("drops all when it is dropped", async () => {
    const log: string[] = [];
    await run(function* (): Coroutine<void> {
      const handle = spawn(() =>
        scope(function* (s): Coroutine<void> {
          s.spawn(worker, log, "child", 1e9);
          try {
            yield* sleep(1e9);
          } finally {
            log.push("body ended");
          }
        })
      );
      yield* sleep(1);
      handle.abort();
      assertEquals(log, ["body ended", "child ended"]);
    });
  });

  it("does nothing before its first poll, and is waited for once", async () => {
    let calls = 0;
    const make = () =>
      scope(() => {
        calls++;
        return sleep(0);
      });
    make().drop();
    await run(function* (): Coroutine<void> {
      yield* sleep(1);
      assertEquals(calls, 0);
      const future = make();
      yield* future;
      assertEquals(calls, 1);
      let message = "none";
      try {
        yield* future;
      } catch (error) {
        message = `${error}`;
      }
      assert(message.includes("cannot wait for a scope again"));
    });
    assertThrows(() => Reflect.apply(scope, undefined, [5]), TypeError, "body is no function");
  });

  it("lets no task begin once it was left", async () => {
    let left: Scope | undefined;
    await run(async () => {
      await scope((s) => {
        left = s;
        return sleep(0);
      });
      assertThrows(() => left?.spawn(() => sleep(0)), Error, "cannot spawn in a scope that was left");
    });
  });
});

describe("Scope", () => {
  it("joins its tasks at the end of await using", async () => {
    const log: string[] = [];
    await run(async () => {
      {
        await using s = new Scope();
        s.spawn(worker, log, "a", 5);
      }
      log.push("after");
    });
    assertEquals(log, ["a done", "a ended", "after"]);
  });

  it("cancels them instead where that was asked for", async () => {
    const log: string[] = [];
    await run(async () => {
      {
        await using s = new Scope({ onExit: "cancel" });
        s.spawn(worker, log, "a", 1e9);
        await sleep(1);
      }
      log.push("after");
    });
    assertEquals(log, ["a ended", "after"]);
    assertThrows(() => Reflect.construct(Scope, [{ onExit: "leave" }]), TypeError, "onExit is leave");
  });

  it("throws a task's failure at the end of await using", async () => {
    await assertRejects(
      () =>
        run(async () => {
          await using s = new Scope();
          s.spawn(failing, 1);
          await sleep(5);
        }),
      Error,
      "a child failed",
    );
  });

  it("drops what is left at the end of using", async () => {
    const log: string[] = [];
    await run(function* (): Coroutine<void> {
      {
        using s = new Scope();
        s.spawn(worker, log, "a", 1e9);
        yield* sleep(1);
      }
      log.push("after");
    });
    assertEquals(log, ["a ended", "after"]);
  });

  it("tells all who wait for its end", async () => {
    await run(function* (): Coroutine<void> {
      using s = new Scope();
      s.spawn(worker, [], "a", 5);
      const waiting = [spawn(() => s.join()), spawn(() => s.join())];
      const dropped = s.join().timeout(1);
      assertEquals((yield* dropped.settled()).status, "rejected");
      for (const each of waiting) yield* each.timeout(5_000);
    }, { clock: "paused" });
  });

  it("whose async body waits for its end tells it so, though the scope's task was woken meanwhile", async () => {
    await run(function* (): Coroutine<void> {
      let task: Task | undefined;
      const joining = spawn(() =>
        scope(async (s): Promise<string> => {
          task = Task.current();
          s.spawn(worker, [], "a", 10);
          await s.join();
          return "joined";
        })
      );
      yield* sleep(1);
      task?.wake();
      assertEquals(yield* joining.timeout(5_000), "joined");
    });
  });
});
