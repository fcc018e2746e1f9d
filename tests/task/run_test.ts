import { describe, it } from "node:test";
import { promises as fs } from "node:fs";
import { createServer } from "node:http";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { shown } from "../../lib/io/arguments.ts";
import {
  AsyncFd,
  type Context,
  type Coroutine,
  fromPromise,
  Future,
  Pending,
  run,
  sleep,
  spawn,
  yieldNow,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { EventFd, NativeBuffer } from "../../lib/io/mod.ts";
import { pair } from "../io/pair.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { listening } from "../host_port.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** Wakes itself for ever. */
class Spin extends Future<never> {
  polls = 0;

  override poll(context: Context): Pending {
    this.polls++;
    context.waker.wake();
    return Pending;
  }
}

describe("run", () => {
  it("gives what main comes to, in each of the three styles", async () => {
    function* coroutine(): Coroutine<string> {
      yield* sleep(0);
      return "coroutine";
    }
    assertEquals(await run(() => coroutine()), "coroutine");
    assertEquals(await run(async () => `async ${await sleep(0)}`), "async undefined");
    assertEquals(await run(() => sleep(1)), undefined);
    assertEquals(await run(() => Promise.resolve(3)), 3);
    const thenable = { then: (resolve: (value: number) => void) => resolve(4) };
    assertEquals(await Reflect.apply(run, undefined, [() => thenable]), 4);
  });

  it("throws what main throws, at once or later", async () => {
    const main = (): Future<void> => {
      throw new RangeError("at once");
    };
    await assertRejects(() => run(main), RangeError, "at once");
    await assertRejects(() => run(() => Promise.reject(new RangeError("later"))), RangeError, "later");
    await assertRejects(
      () =>
        run(function* (): Coroutine<void> {
          yield* sleep(0);
          throw new RangeError("in a coroutine");
        }),
      RangeError,
      "in a coroutine",
    );
    const outcome = await run(() => Promise.reject(undefined)).then(() => "none", (reason) => [reason]);
    assertEquals(outcome, [undefined]);
  });

  it("refuses a main that is no task", async () => {
    for (const value of [5, undefined, null, "text"]) {
      await assertRejects(
        () => Reflect.apply(run, undefined, [() => value]),
        TypeError,
        `cannot make a task of ${shown(value)}`,
      );
    }
    assertEquals(await run(async () => await 1), 1);
  });

  it("is one on a thread at a time, and the first goes on", async () => {
    const sentence = "cannot run a runtime here: another one runs on this thread";
    const first = run(async () => {
      await sleep(1);
      await assertRejects(() => run(async () => await 2), Error, sentence);
      await sleep(1);
      return 1;
    });
    await assertRejects(() => run(async () => await 3), Error, sentence);
    assertEquals(await first, 1);
    assertEquals(await run(async () => await 4), 4);
  });

  it("closes what it opened, however it ends", async () => {
    await run(async () => await 1);
    const before = descriptors();
    for (let i = 0; i < 100; i++) {
      await run(() => sleep(0));
      await run(() => Promise.reject(new Error("no"))).catch(() => {});
      await Reflect.apply(run, undefined, [() => 5]).catch(() => {});
    }
    assert(openedSince(before).length < 50);
  });

  it("is over at once when main is, whatever else was to happen", async () => {
    const spin = new Spin();
    const value = await run(async () => {
      spawn(() => spin);
      spawn(() => sleep(1e9));
      spawn(() => new Promise(() => {}));
      await sleep(1);
      return "over";
    });
    const { polls } = spin;
    assertEquals(value, "over");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertStrictEquals(spin.polls, polls);
  });

  it("drops the tasks that are left, each where it stands", async () => {
    const log: string[] = [];
    function* left(name: string): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push(name);
      }
    }
    function* throwing(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push("throwing");
        spawn(left, "never");
      }
    }
    const handles = await run(async () => {
      const handles = [spawn(left, "a"), spawn(throwing), spawn(left, "b"), spawn(() => sleep(1e9))];
      await sleep(1);
      return { handles };
    });
    assertEquals(log.sort(), ["a", "b", "throwing"]);
    assertEquals(handles.handles.map(({ isFinished }) => isFinished), [true, true, true, true]);
    const outcomes: string[] = [];
    for (const handle of handles.handles) {
      outcomes.push(await run(async () => await handle.then(() => "none", (reason) => `${reason}`)));
    }
    assertEquals(outcomes, Array(4).fill("AbortError: the runtime ended before the task"));
  });

  it("ends the process by itself, with nothing left to keep it alive", () => {
    const source = `
      import { run, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      await run(async () => { spawn(() => sleep(1e9)); await sleep(1); });
      console.log("over");
    `;
    assertEquals(outputOf(source), "over");
  });
});

describe("promises on the runtime", () => {
  it("become futures by fromPromise", async () => {
    function* main(): Coroutine<string> {
      const value = yield* fromPromise(Promise.resolve("now"));
      const later = yield* fromPromise(new Promise<string>((resolve) => setTimeout(resolve, 5, "later")));
      try {
        yield* fromPromise(Promise.reject(new Error("never")));
      } catch (error) {
        return `${value} ${later} ${error}`;
      }
      return "not reached";
    }
    assertEquals(await run(() => main()), "now later Error: never");
  });

  it("are let go of when their task is aborted", async () => {
    function* body(): Coroutine<void> {
      yield* fromPromise(Promise.reject(new Error("nobody hears")));
    }
    await run(async () => {
      const handle = spawn(body);
      handle.abort();
      const waiting = spawn(() => fromPromise(new Promise(() => {})));
      await sleep(1);
      waiting.abort();
      await sleep(5);
      assertEquals([handle.isFinished, waiting.isFinished], [true, true]);
    });
  });

  it("advance in long chains while the runtime owns the thread", async () => {
    async function chain(depth: number): Promise<number> {
      await null;
      return depth === 0 ? 0 : 1 + await chain(depth - 1);
    }
    assertEquals(await run(() => chain(1_000)), 1_000);
  });

  it("interleave with futures, task by task", async () => {
    const log: number[] = [];
    async function body(start: number): Promise<void> {
      for (let i = 0; i < 3; i++) {
        log.push(start + i);
        await yieldNow();
      }
    }
    await run(async () => {
      const handles = [10, 20, 30].map((start) => spawn(body, start));
      for (const handle of handles) await handle;
    });
    assertEquals(log.filter((n) => n % 10 === 0), [10, 20, 30]);
    for (const start of [10, 20, 30]) {
      assertEquals(log.filter((n) => n >= start && n < start + 10), [start, start + 1, start + 2]);
    }
    assert(log.indexOf(30) < log.indexOf(12), `${log} is one after another`);
  });

  it("of the host's timers, files and messages come to their end", async () => {
    const done = await run(async () => {
      const ticks = await new Promise<number>((resolve) => {
        let count = 0;
        const interval = setInterval(() => {
          if (++count < 3) return;
          clearInterval(interval);
          resolve(count);
        }, 2);
      });
      await new Promise<void>((resolve) => queueMicrotask(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      const text = await fs.readFile(new URL(import.meta.url), "utf8");
      const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(10));
      const { port1, port2 } = new MessageChannel();
      const message = new Promise((resolve) => port2.onmessage = ({ data }) => resolve(data));
      port1.postMessage("hello");
      const heard = await message;
      port1.close();
      port2.close();
      return [ticks, text.includes("come to their end"), digest.byteLength, heard];
    });
    assertEquals(done, [3, true, 32, "hello"]);
  });

  it("of the host's own server and fetch come to their end, beside our tasks", async () => {
    function* ticks(): Coroutine<void> {
      for (;;) yield* sleep(20);
    }
    const server = createServer((_, response) => response.end("from the host"));
    const port = await listening(server);
    const texts = await run(async () => {
      const ours = spawn(ticks);
      const texts: string[] = [];
      for (let i = 0; i < 3; i++) {
        const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
        texts.push(await response.text());
      }
      ours.abort();
      return texts;
    });
    await new Promise((resolve) => server.close(resolve));
    assertEquals(texts, new Array(3).fill("from the host"));
  });

  it("of a main that awaits nothing of ours still find us awake", async () => {
    let woken = 0;
    function* ticks(): Coroutine<void> {
      for (;;) {
        yield* sleep(1);
        woken++;
      }
    }
    await run(async () => {
      spawn(ticks);
      while (woken < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    });
    assert(woken >= 3);
  });
});

describe("a task that wakes itself for ever", () => {
  it("does not starve sleeps, host timers, promises and other tasks", async () => {
    await run(async () => {
      const spin = new Spin();
      const handle = spawn(() => spin);
      await sleep(2);
      await new Promise((resolve) => setTimeout(resolve, 2));
      await fs.stat("/");
      assertEquals(await spawn(async () => await Promise.resolve(1)), 1);
      assert(spin.polls > 0);
      handle.abort();
    });
  });

  it("does not starve the sockets", async () => {
    using ends = pair();
    await run(async () => {
      const handle = spawn(() => new Spin());
      const { reactor } = currentRuntime();
      const io = reactor.register(ends.server.fd);
      io.clearReadable();
      class Readable extends Future<void> {
        override poll(context: Context): void | Pending {
          if (io.isReadable) return;
          io.waitReadable(context.waker);
          return Pending;
        }
      }
      const waiting = spawn(() => new Readable());
      await sleep(1);
      ends.client.write(new NativeBuffer(1));
      await waiting;
      assertEquals(io.isReadable, true);
      reactor.deregister(io);
      handle.abort();
    });
  });

  it("is one of many that all get their turns", async () => {
    await run(async () => {
      const spins = Array.from({ length: 1_000 }, () => new Spin());
      const handles = spins.map((spin) => spawn(() => spin));
      await sleep(5);
      const polls = spins.map((spin) => spin.polls);
      assert(Math.max(...polls) - Math.min(...polls) <= 1, "some were polled more often than others");
      assert(Math.min(...polls) >= 1);
      for (const handle of handles) handle.abort();
    });
  });
});

describe("yieldNow", () => {
  it("lets everything else go first", async () => {
    const log: string[] = [];
    function* polite(): Coroutine<void> {
      log.push("polite begins");
      yield* yieldNow();
      log.push("polite ends");
    }
    function* other(): Coroutine<void> {
      log.push("other");
      yield* spawnedLast();
    }
    function* spawnedLast(): Coroutine<void> {
      yield* spawn(last);
    }
    function* last(): Coroutine<void> {
      log.push("last");
      yield* sleep(0);
    }
    await run(function* (): Coroutine<void> {
      const handles = [spawn(polite), spawn(other)];
      for (const handle of handles) yield* handle;
    });
    assertEquals(log, ["polite begins", "other", "last", "polite ends"]);
  });

  it("may be done for ever, beside a timer", async () => {
    let turns = 0;
    function* busy(): Coroutine<void> {
      for (;;) {
        yield* yieldNow();
        turns++;
      }
    }
    await run(async () => {
      const handle = spawn(busy);
      await sleep(3);
      handle.abort();
      assert(turns > 0);
    });
  });

  it("of the host's own server is heard, though main is a coroutine and never idle", () => {
    const output = outputOf(`
      import { createServer } from "node:http";
      import { Worker } from "node:worker_threads";
      import process from "node:process";
      import { run, sleep } from "${moduleUrl("lib/task/mod.ts")}";
      function serve() {
        if (globalThis.Deno) {
          const onListen = () => {};
          const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen }, () => new Response("heard"));
          return server.addr.port;
        }
        const server = createServer((_, response) => response.end("heard"));
        return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
      }
      const port = await serve();
      const source = \`
        const { parentPort, workerData } = require("node:worker_threads");
        (async () => {
          let text = "";
          for (let i = 0; i < 30; i++) text += await (await fetch("http://127.0.0.1:" + workerData)).text();
          parentPort.postMessage(text);
        })();
      \`;
      const worker = new Worker(source, { eval: true, workerData: port });
      let text;
      worker.on("message", (message) => text = message);
      await run(function* () {
        const start = performance.now();
        while (text === undefined && performance.now() - start < 20_000) yield* sleep(3);
      });
      console.log(text);
      process.exit(0);
    `);
    assertEquals(output, "heard".repeat(30));
  });

  it("gives a task that is waited for its turn where it is next, and never before others", async () => {
    const log: string[] = [];
    // deno-lint-ignore require-yield
    function* logs(name: string): Coroutine<void> {
      log.push(name);
    }
    await run(function* (): Coroutine<void> {
      yield* spawn(logs, "alone");
      spawn(logs, "first");
      const second = spawn(logs, "second");
      yield* second;
    });
    assertEquals(log, ["alone", "first", "second"]);
  });

  it("has a descriptor's readiness give way, though it is always ready", async () => {
    await run(function* (): Coroutine<void> {
      using event = new EventFd({ initial: 1 });
      using watched = new AsyncFd(event.fd);
      let others = 0;
      // deno-lint-ignore require-yield
      function* other(): Coroutine<void> {
        others++;
      }
      spawn(other);
      for (let i = 0; i < 1000 && others === 0; i++) yield* watched.readable();
      for (let i = 0; i < 1000 && others === 0; i++) yield* watched.writable();
      assertEquals(others, 1);
    });
  });

  it("leaves who waits for a descriptor there, where another wait that was never polled is dropped", async () => {
    await run(function* (): Coroutine<void> {
      using event = new EventFd();
      using watched = new AsyncFd(event.fd);
      watched.clearReadable();
      const waiting = spawn(() => watched.readable());
      yield* sleep(1);
      watched.readable().drop();
      event.write();
      yield* waiting.timeout(5_000);
    });
  });

  it("refuses to watch what is no Fd, whoever asks the kernel", async () => {
    for (const poller of ["epoll", "poll"] as const) {
      await run(() => {
        for (const fd of [null, 5, { number: 1 }]) {
          assertThrows(() => Reflect.construct(AsyncFd, [fd]), TypeError, "fd is no Fd");
        }
        return Promise.resolve();
      }, { poller });
    }
  });
});
