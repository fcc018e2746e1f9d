import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type Coroutine, type Future, type JoinHandle, run, sleep, spawn, Task } from "../../lib/task/mod.ts";
import { ended, Parked } from "./parked.ts";

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
