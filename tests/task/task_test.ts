import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Context,
  type Coroutine,
  Future,
  Pending,
  run,
  sleep,
  spawn,
  Task,
  yieldNow,
} from "../../lib/task/mod.ts";
import { ended, Parked } from "./parked.ts";

describe("a task", () => {
  it("is polled once for any number of wakes", async () => {
    await run(async () => {
      const future = new Parked();
      const handle = spawn(() => future);
      await ended();
      assertEquals(future.polls, 1);
      for (let i = 0; i < 10; i++) future.waker?.wake();
      await ended();
      assertEquals(future.polls, 2);
      future.finish("there");
      assertEquals(await handle, "there");
      assertEquals(future.polls, 3);
    });
  });

  it("keeps its place in the queue, and the others theirs, when it is woken again", async () => {
    await run(async () => {
      const futures = [new Parked(), new Parked(), new Parked()];
      const handles = futures.map((future) => spawn(() => future));
      await ended();
      const order: number[] = [];
      for (const [i, future] of futures.entries()) future.poll = () => order.push(i) > 0 ? "there" : Pending;
      for (const i of [1, 0, 1, 2, 0, 1]) futures[i].waker?.wake();
      for (const handle of handles) assertEquals(await handle, "there");
      assertEquals(order, [1, 0, 2]);
    });
  });

  it("is not polled any more once it has finished", async () => {
    await run(async () => {
      const future = new Parked();
      const handle = spawn(() => future);
      await ended();
      future.finish("there");
      await handle;
      future.waker?.wake();
      await ended();
      assertEquals(future.polls, 2);
    });
  });

  it("is not polled any more once it was aborted, though it was woken before", async () => {
    await run(async () => {
      const future = new Parked();
      const handle = spawn(() => future);
      await ended();
      future.waker?.wake();
      handle.abort();
      await ended();
      assertEquals(future.polls, 1);
    });
  });

  it("may be woken in its own turn", async () => {
    class Twice extends Future<number> {
      polls = 0;
      override poll(context: Context): number | Pending {
        context.waker.wake();
        context.waker.wake();
        return ++this.polls === 5 ? this.polls : Pending;
      }
    }
    assertEquals(await run(() => new Twice()), 5);
  });

  it("keeps its error to itself", async () => {
    function* failing(): Coroutine<void> {
      yield* sleep(0);
      throw new Error("nobody asks");
    }
    async function asyncFailing(): Promise<void> {
      await sleep(0);
      throw new Error("nobody asks either");
    }
    class Failing extends Future<void> {
      override poll(): void {
        throw new Error("at its first poll");
      }
    }
    await run(async () => {
      const handles = [spawn(failing), spawn(asyncFailing), spawn(() => new Failing())];
      await sleep(20);
      assertEquals(handles.map((handle) => handle.isFinished), [true, true, true]);
      await assertRejects(() => handles[0], Error, "nobody asks");
      await assertRejects(() => handles[1], Error, "nobody asks either");
      await assertRejects(() => handles[2], Error, "at its first poll");
    });
  });

  it("may throw what is no error", async () => {
    function* body(value: unknown): Coroutine<void> {
      yield* sleep(0);
      throw value;
    }
    await run(async () => {
      for (const value of [undefined, null, 0, "text"]) {
        const outcome = await spawn(body, value).then(() => "none", (reason) => [reason]);
        assertEquals(outcome, [value]);
      }
    });
  });
});

describe("Task.current", () => {
  it("is the task that has its turn, in futures, coroutines and what they poll", async () => {
    class Ask extends Future<number> {
      override poll(): number {
        return Task.current().id;
      }
    }
    function* ask(): Coroutine<number[]> {
      const before = Task.current().id;
      yield* yieldNow();
      return [before, Task.current().id, yield* new Ask()];
    }
    await run(async () => {
      const coroutine = spawn(ask);
      assertEquals(await coroutine, Array(3).fill(coroutine.id));
      const future = spawn(() => new Ask());
      assertEquals(await future, future.id);
    });
    assertThrows(() => Task.current(), Error, "no task has its turn");
  });

  it("is an async function's own up to its first await, and may be returned", async () => {
    await run(async () => {
      const handle = spawn(async () => {
        const task = Task.current();
        await sleep(0);
        assertThrows(() => Task.current(), Error, "no task has its turn");
        return task;
      });
      const task = await handle;
      assertEquals([task.id, task.name, task.isFinished, task.polls], [handle.id, "", true, 2]);
    });
  });

  it("wakes the task, whoever keeps it", async () => {
    let task: Task | undefined;
    let woken = 0;
    await run(async () => {
      const handle = spawn(() =>
        new class extends Future<void> {
          override poll(): void | Pending {
            task = Task.current();
            if (woken++ === 0) return Pending;
          }
        }()
      );
      await ended();
      task?.wake();
      await handle;
    });
    assertEquals(woken, 2);
    task?.wake();
    assertEquals(woken, 2);
  });
});

describe("await", () => {
  it("passes values and errors through then", async () => {
    await run(async () => {
      const good = () => spawn(async () => await 1);
      const bad = () => spawn(async () => await Promise.reject(new Error("bad")));
      assertEquals(await good().then(), 1);
      assertEquals(await good().then(null, null), 1);
      assertEquals(await good().then((value) => value + 1), 2);
      assertEquals(await bad().then(() => 1, (error) => `${error}`), "Error: bad");
      await assertRejects(() => bad().then(() => 1), Error, "bad");
      await assertRejects(() => bad().then(), Error, "bad");
    });
  });
});
