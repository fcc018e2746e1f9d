import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
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
  yieldNow,
} from "../../lib/task/mod.ts";
import { ended, Parked } from "./parked.ts";

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
