import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Context,
  type Coroutine,
  Future,
  Pending,
  run,
  sleep,
  spawn,
  type Waker,
  yieldNow,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/current.ts";

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

  it("calls the function at once, and polls what it gives in its turn", async () => {
    const log: string[] = [];
    function* body(name: string): Coroutine<void> {
      log.push(`${name} polled`);
      yield* yieldNow();
      log.push(`${name} polled again`);
    }
    await run(function* (): Coroutine<void> {
      const handles = ["a", "b", "c"].map((name) => spawn(body, name));
      log.push("spawned");
      for (const handle of handles) yield* handle;
    });
    assertEquals(log, [
      "spawned",
      ...["a", "b", "c"].map((name) => `${name} polled`),
      ...["a", "b", "c"].map((name) => `${name} polled again`),
    ]);
  });

  it("throws what the function throws, and makes no task", async () => {
    await run(async () => {
      const { live } = currentRuntime().executor;
      assertThrows(
        () =>
          spawn((): Future<void> => {
            throw new Error("at once");
          }),
        Error,
        "at once",
      );
      assertEquals(currentRuntime().executor.live, live);
      await sleep(0);
    });
  });

  it("refuses what is no task", async () => {
    await run(async () => {
      for (const value of [5, "text", undefined, null, true]) {
        assertThrows(
          () => Reflect.apply(spawn, undefined, [() => value]),
          TypeError,
          `cannot make a task of ${value}: it is no future, coroutine or promise`,
        );
      }
      await sleep(0);
    });
  });

  it("throws where no runtime runs", () => {
    assertThrows(() => spawn(() => sleep(1)), Error, "no runtime runs on this thread; call run(main)");
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
  it("gives its value again and again", async () => {
    await run(async () => {
      const handle = spawn(async () => await 42);
      assertEquals([await handle, await handle, handle.isFinished], [42, 42, true]);
      const failed = spawn(async () => await Promise.reject(new Error("no")));
      await assertRejects(() => failed, Error, "no");
      await assertRejects(() => failed, Error, "no");
    });
  });

  it("may be awaited twice at once", async () => {
    await run(async () => {
      const handle = spawn(async () => {
        await sleep(1);
        return { value: 1 };
      });
      const [a, b, c] = await Promise.all([handle, handle, handle.then((value) => value)]);
      assertStrictEquals(a, b);
      assertStrictEquals(a, c);
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
      assertEquals(await spawn(join, handle), 1);
    });
  });

  it("is free again for another when the one that waited was aborted", async () => {
    function* join(handle: Future<number>): Coroutine<number> {
      return yield* handle;
    }
    await run(async () => {
      const handle = spawn(async () => {
        await sleep(10);
        return 1;
      });
      const first = spawn(join, handle);
      await ended();
      first.abort();
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

  it("of an async function only lets go of it, which goes on", async () => {
    const log: string[] = [];
    await run(async () => {
      const handle = spawn(async () => {
        await sleep(5);
        log.push("went on");
      });
      handle.abort();
      await assertRejects(() => handle, DOMException, "aborted");
      await sleep(30);
    });
    assertEquals(log, ["went on"]);
  });
});

describe("await", () => {
  it("outside of run rejects with a sentence, and the future stays good", async () => {
    const future = sleep(1);
    await assertRejects(() => future, Error, "no runtime runs on this thread; call run(main)");
    assertEquals(await run(async () => `${await future}`), "undefined");
  });

  it("of one future twice at once polls it in one task", async () => {
    await run(async () => {
      const future = new Parked();
      const both = Promise.all([future, future]);
      await ended();
      assertEquals(future.polls, 1);
      future.finish("there");
      assertEquals(await both, ["there", "there"]);
      assertEquals(future.polls, 2);
      assertEquals(await future, "there");
      assertEquals(future.polls, 3);
    });
  });

  it("of a sleep in two races does not lose it", async () => {
    await run(async () => {
      const timeout = sleep(20).then(() => "timeout");
      const future = sleep(20);
      assertEquals(await Promise.race([future.then(() => "sleep"), sleep(0).then(() => "turn")]), "turn");
      assertEquals(await Promise.race([future.then(() => "sleep"), sleep(500).then(() => "late")]), "sleep");
      assertEquals(await timeout, "timeout");
    });
  });

  it("passes values and errors through then", async () => {
    await run(async () => {
      const good = spawn(async () => await 1);
      const bad = spawn(async () => await Promise.reject(new Error("bad")));
      assertEquals(await good.then(), 1);
      assertEquals(await good.then(null, null), 1);
      assertEquals(await good.then((value) => value + 1), 2);
      assertEquals(await bad.then(() => 1, (error) => `${error}`), "Error: bad");
      await assertRejects(() => bad.then(() => 1), Error, "bad");
      await assertRejects(() => bad.then(), Error, "bad");
    });
  });
});
