import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, JoinSet, never, run, select, sleep, yieldNow } from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { value, waits } from "./members.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

describe("a JoinSet", () => {
  it("aborts single tasks by their handles", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<number>();
      for (let i = 0; i < 16; i++) {
        const handle = set.spawn(value, i);
        if (i % 2 === 1) handle.abort();
      }
      let [completed, aborted] = [0, 0];
      for (let next = yield* set.joinNextSettled(); next !== undefined; next = yield* set.joinNextSettled()) {
        if (next.status === "fulfilled") {
          completed++;
          assertEquals(next.value % 2, 0);
        } else {
          aborted++;
          assertEquals(next.reason.name, "AbortError");
        }
      }
      assertEquals([completed, aborted], [8, 8]);
    });
  });

  it("aborts all that run, which stay in it until they are joined, and keeps what had ended", async () => {
    const ended: string[] = [];
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<unknown>();
      for (let i = 0; i < 5; i++) set.spawn(waits, ended);
      for (let i = 0; i < 5; i++) set.spawn(value, i);
      for (let i = 0; i < 3; i++) yield* yieldNow();
      set.abortAll(NO);
      assertEquals([set.size, ended.length], [10, 5]);
      const outcomes: unknown[] = [];
      for (let next = yield* set.joinNextSettled(); next !== undefined; next = yield* set.joinNextSettled()) {
        outcomes.push(next.status === "fulfilled" ? next.value : next.reason);
      }
      assertEquals(outcomes, [0, 1, 2, 3, 4, NO, NO, NO, NO, NO]);
    });
  });

  it("aborts all also where one aborts another in its finally block", async () => {
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<void>();
      function* body(i: number): Coroutine<void> {
        try {
          yield* never();
        } finally {
          handles[(i + 1) % 3].abort();
          handles[(i + 2) % 3].abort();
        }
      }
      const handles = [set.spawn(body, 0), set.spawn(body, 1), set.spawn(body, 2)];
      yield* yieldNow();
      set.abortAll();
      assertEquals(handles.map(({ isFinished }) => isFinished), [true, true, true]);
      yield* set.shutdown();
      assert(set.isEmpty);
    });
  });

  it("aborts its tasks and forgets them where it is disposed", async () => {
    const ended: string[] = [];
    await run(function* (): Coroutine<void> {
      {
        using set = new JoinSet<never>();
        for (let i = 0; i < 8; i++) set.spawn(waits, ended, `${i}`);
        yield* yieldNow();
        assertEquals(set.tryJoinNext(), undefined);
      }
      assertEquals(ended, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    });
  });

  it("that is disposed before its tasks had a turn begins none of them", async () => {
    const ended: string[] = [];
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<never>();
      const handle = set.spawn(waits, ended);
      set[Symbol.dispose]();
      assert(handle.isFinished && set.isEmpty);
      yield* yieldNow();
    });
    assertEquals(ended, []);
  });

  it("shuts down: all are aborted, and an async function is waited for", async () => {
    const log: string[] = [];
    let hear = (): void => {};
    const heard = new Promise<void>((resolve) => hear = resolve);
    await run(async () => {
      const set = new JoinSet<unknown>();
      for (let i = 0; i < 3; i++) set.spawn(waits, log, "coroutine");
      set.spawn(async () => {
        await heard;
        log.push("async");
      });
      await yieldNow();
      const down = set.shutdown();
      assertEquals(log, []);
      const ended = down.toPromise().then(() => log.push("down"));
      await yieldNow();
      assertEquals(log, ["coroutine", "coroutine", "coroutine"]);
      hear();
      await ended;
      assert(set.isEmpty);
    });
    assertEquals(log.slice(3), ["async", "down"]);
  });

  it("is waited for at the end of its block by await using", async () => {
    const log: string[] = [];
    await run(async () => {
      {
        await using set = new JoinSet<never>();
        set.spawn(waits, log);
        await yieldNow();
      }
      log.push("after");
    });
    assertEquals(log, ["ended", "after"]);
  });

  it("lets its tasks go on where they are detached", async () => {
    const leaf = new Leaf<number>();
    let finished = 0;
    function* body(): Coroutine<void> {
      yield* leaf;
      finished++;
    }
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<void>();
      set.spawn(body);
      yield* yieldNow();
      const next = set.joinNext();
      const probe = new Probe();
      assert(probe.isPending(next));
      set.detachAll();
      assertEquals([set.size, probe.wakes], [0, 1]);
      assertEquals(probe.poll(next), undefined);
      leaf.finish(1);
      yield* yieldNow();
      assertEquals([finished, set.tryJoinNext()], [1, undefined]);
    });
  });

  it("aborts its tasks where joinAll is dropped", async () => {
    const ended: string[] = [];
    await run(function* (): Coroutine<void> {
      const set = new JoinSet<never>();
      set.spawn(waits, ended);
      const { key } = yield* select({ all: set.joinAll(), other: sleep(1) });
      assertEquals([key, ended, set.size], ["other", ["ended"], 0]);
    });
  });
});
