import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { NativeBuffer } from "../../lib/io/mod.ts";
import { type Coroutine, never, run, sleep, spawn, Task, yieldNow } from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { pair } from "../io/pair.ts";
import { tiered } from "../tier.ts";
import { everything, newWorld } from "./programs.ts";

describe("a runtime that ends", () => {
  it("at each turn of a program drops all of it", async () => {
    using ends = pair();
    let done = false;
    for (let turns = 0; !done; turns++) {
      const world = newWorld(ends);
      const { runtime } = await run(function* (): Coroutine<{ runtime: ReturnType<typeof currentRuntime> }> {
        const handle = spawn(everything, world);
        for (let i = 0; i < turns && !handle.isFinished; i++) yield* yieldNow();
        done = handle.isFinished;
        return { runtime: currentRuntime() };
      });
      assertEquals([runtime.executor.live, world.begun - world.ended], [0, 0]);
      assertEquals([world.permits.availablePermits, world.lock.isLocked, world.local.isSet], [
        3,
        false,
        false,
      ]);
      assertEquals(runtime.reactor.registrations, 0);
      while (ends.client.read(new NativeBuffer(64)) > 0);
    }
    assert(done);
  });

  it("drops thousands of tasks, each once", async () => {
    let dropped = 0;
    function* waits(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        dropped++;
      }
    }
    const count = tiered({ quick: 10_000, full: 100_000, soak: 100_000 });
    await run(function* (): Coroutine<void> {
      for (let i = 0; i < count; i++) spawn(waits);
      yield* sleep(1);
    });
    assertEquals(dropped, count);
  });

  it("rejects what async functions await, which go on, and their handles fail", async () => {
    const log: string[] = [];
    const { handles } = await run(async () => {
      const waits = spawn(async () => {
        try {
          await sleep(1e9);
        } catch (error) {
          log.push(`${error}`);
        }
        await new Promise<void>((resolve) => setTimeout(resolve, 1));
        log.push("went on");
      });
      const told = spawn(async () => {
        const signal = Task.signal();
        signal.addEventListener("abort", () => log.push("told"));
        await new Promise(() => {});
      });
      const aborted = spawn(async () => await new Promise(() => {}));
      await sleep(1);
      aborted.abort("before");
      return { handles: [waits, told, aborted] };
    });
    assertEquals(handles.map(({ isFinished }) => isFinished), [true, true, true]);
    const reasons: string[] = [];
    for (const handle of handles) reasons.push(await handle.then(() => "none", (reason) => `${reason}`));
    const over = "AbortError: the runtime ended before the task";
    assertEquals(reasons, [over, over, "before"]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(log, ["told", over, "went on"]);
  });

  it("drops at once what finally blocks spawn and await", async () => {
    const log: string[] = [];
    function* late(): Coroutine<void> {
      log.push("never");
      yield* sleep(0);
    }
    function* left(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        const handle = spawn(late);
        log.push(`${handle.isFinished}`);
        sleep(1).then(() => log.push("slept"), (error) => log.push(`${error}`));
      }
    }
    await run(async () => {
      spawn(left);
      await sleep(1);
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(log, ["true", "AbortError: the runtime ended before the task"]);
  });

  it("gives those that are left until the deadline, and no longer than they want", async () => {
    const log: string[] = [];
    function* quick(): Coroutine<void> {
      yield* sleep(5);
      log.push("ended by itself");
    }
    function* slow(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push("dropped");
      }
    }
    const main = async (): Promise<string> => {
      spawn(quick);
      spawn(slow);
      await sleep(0);
      return "main";
    };
    assertEquals(await run(main, { deadline: 50 }), "main");
    assertEquals(log, ["ended by itself", "dropped"]);
    log.length = 0;
    assertEquals(await run(main), "main");
    assertEquals(log, ["dropped"]);
    log.length = 0;
    await run(async () => {
      spawn(quick);
      await sleep(0);
    }, { deadline: Infinity });
    assertEquals(log, ["ended by itself"]);
    for (const deadline of [-1, NaN]) {
      await assertRejects(() => run(main, { deadline }), RangeError, "cannot run: deadline is");
    }
  });
});
