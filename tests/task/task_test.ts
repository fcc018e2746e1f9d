import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { shown } from "../../lib/io/arguments.ts";
import {
  type Context,
  type Coroutine,
  Future,
  type JoinHandle,
  Pending,
  run,
  sleep,
  spawn,
  spawnWith,
  Task,
  type Waker,
  yieldNow,
} from "../../lib/task/mod.ts";

/** Never there by itself; keeps the waker that it was last polled with. */
class Parked extends Future<string> {
  waker: Waker | null = null;
  polls = 0;
  value: string | null = null;

  override poll(context: Context): string | Pending {
    this.polls++;
    this.waker = context.waker;
    return this.value ?? Pending;
  }

  finish(value: string): void {
    this.value = value;
    this.waker?.wake();
  }
}

async function ended(): Promise<void> {
  await sleep(0);
  await sleep(0);
}

describe("spawn", () => {
  it("makes a task of a future, a coroutine and an async function", async () => {
    class Three extends Future<number> {
      override poll(): number {
        return 3;
      }
    }
    function* four(by: number): Coroutine<number> {
      yield* sleep(0);
      return 4 * by;
    }
    async function five(by: number): Promise<number> {
      await sleep(0);
      return 5 * by;
    }
    await run(async () => {
      const handles = [spawn(() => new Three()), spawn(four, 10), spawn(five, 100), spawn(() => sleep(0))];
      const values: unknown[] = [];
      for (const handle of handles) values.push(await handle);
      assertEquals(values, [3, 40, 500, undefined]);
    });
  });

  it("calls the function in the task's first turn, with its arguments", async () => {
    const log: string[] = [];
    function* coroutine(name: string): Coroutine<void> {
      log.push(`${name} polled`);
      yield* yieldNow();
      log.push(`${name} polled again`);
    }
    async function promised(name: string): Promise<void> {
      log.push(`${name} polled`);
      await yieldNow();
      log.push(`${name} polled again`);
    }
    class Named extends Future<void> {
      #name: string;
      #polls = 0;
      constructor(name: string) {
        super();
        log.push(`${name} made`);
        this.#name = name;
      }
      override poll(context: Context): void | Pending {
        if (this.#polls++ === 1) return;
        log.push(`${this.#name} polled`);
        context.waker.wake();
        return Pending;
      }
    }
    await run(function* (): Coroutine<void> {
      const handles = [
        spawn(coroutine, "a"),
        spawn(promised, "b"),
        spawn((name: string) => new Named(name), "c"),
      ];
      log.push("spawned");
      for (const handle of handles) yield* handle;
    });
    assertEquals(log, [
      "spawned",
      "a polled",
      "b polled",
      "c made",
      "c polled",
      "a polled again",
      "b polled again",
    ]);
  });

  it("keeps what the function throws for who waits", async () => {
    await run(async () => {
      const handle = spawn((): Future<void> => {
        throw new Error("at its call");
      });
      await assertRejects(() => handle, Error, "at its call");
    });
  });

  it("refuses what is no function at once, and what gives no task in its turn", async () => {
    await run(async () => {
      for (const value of [5, "text", undefined, null, true]) {
        assertThrows(() => Reflect.apply(spawn, undefined, [value]), TypeError, "cannot spawn: fn is");
        const handle: JoinHandle<unknown> = Reflect.apply(spawn, undefined, [() => value]);
        await assertRejects(
          () => handle,
          TypeError,
          `cannot make a task of ${shown(value)}: it is no future, coroutine or promise`,
        );
      }
    });
  });

  it("takes ten thousand tasks", async () => {
    function* body(i: number): Coroutine<number> {
      if (i % 3 === 0) yield* sleep(i % 7);
      return i;
    }
    await run(function* (): Coroutine<void> {
      const handles = Array.from({ length: 10_000 }, (_, i) => spawn(body, i));
      let sum = 0;
      for (const handle of handles) sum += yield* handle;
      assertEquals(sum, 49_995_000);
    });
  });
});

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

describe("a JoinHandle", () => {
  it("gives its value once", async () => {
    const sentence = "its value was taken; share it with shared()";
    await run(async () => {
      const handle = spawn(async () => await 42);
      assertEquals([await handle, handle.isFinished], [42, true]);
      await assertRejects(() => handle, Error, sentence);
      const failed = spawn(async () => await Promise.reject(new Error("no")));
      await assertRejects(() => failed, Error, "no");
      await assertRejects(() => failed, Error, sentence);
    });
    function* twice(handle: JoinHandle<number>): Coroutine<void> {
      yield* handle;
      yield* handle;
    }
    const handle = await run(async () => [spawn(async () => await 1)].slice(0, await 1));
    await assertRejects(() => run(() => twice(handle[0])), Error, "cannot wait for a task again");
  });

  it("is not awaited twice at once", async () => {
    await run(async () => {
      const handle = spawn(() => sleep(1));
      const [first, second] = await Promise.allSettled([handle, handle]);
      assertEquals([first.status, second.status], ["fulfilled", "rejected"]);
    });
  });

  it("is waited for by one task at a time, and says so to the second", async () => {
    function* join(handle: Future<number>): Coroutine<number> {
      return yield* handle;
    }
    await run(async () => {
      const handle = spawn(async () => {
        await sleep(5);
        return 1;
      });
      const first = spawn(join, handle);
      const second = spawn(join, handle);
      const sentence = "cannot wait for a task: another task waits for it already";
      await assertRejects(() => second, Error, sentence);
      assertEquals(await first, 1);
    });
  });

  it("is free again for another when the one that waited was aborted", async () => {
    function* join(handle: Future<number>): Coroutine<number> {
      return yield* handle;
    }
    await run(async () => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      const handle = spawn(async () => {
        await gate;
        return 1;
      });
      const first = spawn(join, handle);
      await ended();
      first.abort();
      open();
      assertEquals(await spawn(join, handle), 1);
    });
  });

  it("does not abort its task when it is dropped, or nobody waits for it", async () => {
    let done = 0;
    function* body(): Coroutine<void> {
      yield* sleep(1);
      done++;
    }
    await run(async () => {
      spawn(body);
      spawn(body).drop();
      await sleep(20);
    });
    assertEquals(done, 2);
  });

  it("fails with an AbortError after abort, or with the reason that was given", async () => {
    await run(async () => {
      const plain = spawn(() => sleep(1e9));
      plain.abort();
      const error = await assertRejects(() => plain, DOMException, "the task was aborted");
      assertEquals([error.name, plain.isFinished], ["AbortError", true]);
      for (const reason of [new TypeError("mine"), "text", undefined, null]) {
        const handle = spawn(() => new Parked());
        await ended();
        if (reason === undefined) handle.abort(undefined);
        else handle.abort(reason);
        const thrown: unknown = await handle.then(() => "none", (reason) => reason);
        if (reason === undefined) assert(thrown instanceof DOMException);
        else assertStrictEquals(thrown, reason);
      }
    });
  });

  it("wakes who waits for it when it is aborted", async () => {
    await run(async () => {
      const handle = spawn(() => sleep(1e9));
      const joiner = spawn(async () => await handle);
      await ended();
      handle.abort(new Error("enough"));
      await assertRejects(() => joiner, Error, "enough");
    });
  });

  it("of an async function tells it by its signal, and ends when it does", async () => {
    const log: string[] = [];
    await run(async () => {
      const handle = spawn(async () => {
        const signal = Task.signal();
        signal.addEventListener("abort", () => log.push(`told: ${signal.reason}`));
        while (!signal.aborted) await sleep(1);
        await sleep(1);
        log.push("went on");
        signal.throwIfAborted();
      });
      await ended();
      handle.abort("enough");
      handle.abort("again");
      assertEquals(handle.isFinished, false);
      assertEquals(await handle.then(() => "none", (reason) => reason), "enough");
    });
    assertEquals(log, ["told: enough", "went on"]);
  });

  it("of an async function that does not listen gives its value, and is never called where it has not begun", async () => {
    await run(async () => {
      const deaf = spawn(async () => {
        await sleep(1);
        return 5;
      });
      await ended();
      deaf.abort();
      assertEquals(await deaf, 5);
      let calls = 0;
      const early = spawn(async () => {
        await sleep(0);
        calls++;
      });
      early.abort("too early");
      assertEquals([await early.then(() => "none", (reason) => reason), calls], ["too early", 0]);
    });
  });
});

describe("spawnWith", () => {
  it("names the task", async () => {
    await run(async () => {
      const handle = spawnWith({ name: "mine" }, async () => {
        await sleep(0);
        return 1;
      });
      assertEquals([handle.name, await handle], ["mine", 1]);
    });
  });

  it("aborts the task with its signal, and lets go of the signal at its end", async () => {
    await run(async () => {
      const controller = new AbortController();
      const handle = spawnWith({ signal: controller.signal }, (ms: number) => sleep(ms), 1e9);
      await ended();
      controller.abort("stop");
      assertEquals(await handle.then(() => "none", (reason) => reason), "stop");
      const late = spawnWith({ signal: controller.signal }, () => new Parked());
      assertEquals([late.isFinished, await late.then(() => "none", (reason) => reason)], [true, "stop"]);

      let listeners = 0;
      const { signal } = new AbortController();
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (...args: Parameters<AbortSignal["addEventListener"]>) => {
        listeners++;
        addEventListener.apply(signal, args);
      };
      signal.removeEventListener = (...args: Parameters<AbortSignal["removeEventListener"]>) => {
        listeners--;
        removeEventListener.apply(signal, args);
      };
      const tasks = Array.from({ length: 10 }, () => spawnWith({ signal }, () => sleep(0)));
      assertEquals(listeners, 1);
      for (const task of tasks) await task;
      assertEquals(listeners, 0);
    });
  });

  it("refuses wrong options by name", async () => {
    await run(async () => {
      await sleep(0);
      const call = (options: unknown) => Reflect.apply(spawnWith, undefined, [options, () => sleep(0)]);
      assertThrows(() => call({ nome: "x" }), TypeError, 'there is no option "nome"');
      assertThrows(() => call({ name: 5 }), TypeError, "name is no string");
      assertThrows(() => call({ signal: {} }), TypeError, "signal is no AbortSignal");
      assertThrows(() => call(undefined), TypeError, "options are no object");
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
