import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, Future, never, Pending, run, sleep, spawn } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf, runChild } from "../child.ts";

/** What each of these throws, in every place where we call what others wrote. */
const THROWS = `
  import process from "node:process";
  import { EventFd } from "${moduleUrl("lib/io/mod.ts")}";
  import {
    AsyncFd, attach, Future, never, Pending, run, Scope, scope, sleep, spawn, spawnWith, yieldNow,
  } from "${moduleUrl("lib/task/mod.ts")}";
  import { currentRuntime } from "${moduleUrl("lib/task/runtime/current.ts")}";
  const log = [];
  const reported = [];
  process.on("unhandledRejection", (error) => reported.push(error.message));
  const turn = async () => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const thrower = (name) => ({ waker: { wake() { throw new Error(name); } } });
`;

function lines(source: string): string[] {
  return outputOf(THROWS + source).split("\n");
}

describe("a throw", () => {
  it("of a waker takes nobody else's wake-up: of a task's end, a descriptor, a timer, a deferred turn", () => {
    const output = lines(`
      await run(async () => {
        const task = spawn(() => sleep(1));
        task.poll(thrower("a task's end"));
        using event = new EventFd();
        using watched = new AsyncFd(event.fd);
        watched.tryRead(() => event.read());
        const readable = watched.readable();
        readable.poll(thrower("a descriptor's edge"));
        const nap = sleep(1);
        nap.poll(thrower("a timer"));
        const politely = yieldNow();
        politely.poll(thrower("a deferred turn"));
        const others = [spawn(() => watched.read(() => event.read())), spawn(() => sleep(1)), spawn(() => yieldNow())];
        await sleep(2);
        event.write(7);
        for (const other of others) console.log(await other);
        await sleep(2);
        console.log(task.isFinished, currentRuntime().executor.live);
      });
      await turn();
      console.log(reported.sort().join());
    `);
    assertEquals(output, [
      "7",
      "undefined",
      "undefined",
      "true 1",
      "a deferred turn,a descriptor's edge,a task's end,a timer",
    ]);
  });

  it("of a start function, a poll, a drop, a finally block stays in the handle", async () => {
    class ThrowsAt extends Future<void> {
      #at: "poll" | "drop";
      constructor(at: "poll" | "drop") {
        super();
        this.#at = at;
      }
      override poll(): Pending {
        if (this.#at === "poll") throw new Error("in poll");
        return Pending;
      }
      override drop(): void {
        throw new Error("in drop");
      }
    }
    function* atEnd(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        // deno-lint-ignore no-unsafe-finally
        throw new Error("in finally");
      }
    }
    await run(async () => {
      const handles = [
        spawn((): Future<void> => {
          throw new Error("at the start");
        }),
        spawn(() => new ThrowsAt("poll")),
        spawn(() => new ThrowsAt("drop")),
        spawn(atEnd),
      ];
      await sleep(0);
      await sleep(0);
      for (const handle of handles) handle.abort();
      const messages: string[] = [];
      for (const handle of handles) {
        messages.push(await handle.then(() => "none", (error) => `${error}`));
      }
      assertEquals(messages, [
        "Error: at the start",
        "Error: in poll",
        "Error: in drop",
        "Error: in finally",
      ]);
      assertEquals(currentRuntime().executor.live, 1);
    });
  });

  it("of drops at the runtime's end leaves nobody undropped, and is reported", () => {
    const output = lines(`
      class Throws extends Future {
        poll() { return Pending; }
        drop() { log.push("dropped"); throw new Error("in drop"); }
      }
      const value = await run(async () => {
        for (let i = 0; i < 3; i++) spawn(() => new Throws());
        await sleep(1);
        return "main";
      });
      await turn();
      console.log(value, log.join(), reported.join());
      console.log(await run(async () => 5));
    `);
    assertEquals(output, ["main dropped,dropped,dropped in drop,in drop,in drop", "5"]);
  });
});

describe("a failure that nobody waits for", () => {
  it("ends the process as the host's own rejections do, with its message", () => {
    const { code, stderr } = failed(`
      await run(async () => {
        spawn(async () => { throw new Error("nobody saw this"); });
        await sleep(1);
      });
      await turn();
      console.log("not reached");
    `);
    assertEquals(code === 0, false);
    assert(stderr.includes("nobody saw this"), stderr);
  });

  it("is reported once, at the runtime's end, and not where it was seen or asked for", () => {
    const output = lines(`
      await run(async () => {
        function* fails(name) { yield* sleep(0); throw new Error(name); }
        const kept = spawn(fails, "kept");
        const seen = spawn(fails, "seen");
        const joined = spawn(fails, "joined");
        const joiner = spawn(function* () { yield* joined; });
        await joiner.then(() => {}, () => {});
        await sleep(2);
        await seen.then(() => {}, () => {});
        const aborted = spawn(() => never());
        aborted.abort();
        spawnWith({ signal: AbortSignal.abort(new Error("by its signal")) }, () => never());
        await scope((s) => { s.spawn(fails, "the scope's"); return never(); }).then(() => {}, () => {});
        const dropped = spawn(fails, "its joiner was dropped");
        const dropper = spawn(function* () { yield* dropped; });
        await sleep(0);
        dropper.abort();
        await sleep(3);
        log.push(reported.length);
        void kept;
      });
      await turn();
      console.log(log.join(), reported.sort().join());
    `);
    assertEquals(output, ["0 its joiner was dropped,kept"]);
  });

  it("is reported when its handle is collected, in a runtime that goes on", () => {
    const output = outputOf(`${THROWS}
      import { collect } from "${moduleUrl("tests/collector.ts")}";
      const alive = setInterval(() => {}, 1000);
      // Deno's errors keep their frames, and by them the task's handle, for as long as they live.
      (() => { for (let i = 0; i < 20; i++) spawn(async () => { throw { message: "collected" }; }); })();
      await sleep(1);
      await collect(() => reported.length > 0);
      console.log(reported[0]);
      clearInterval(alive);
      process.exit(0);
    `);
    assertEquals(output, "collected");
  });
});

function failed(source: string): { code: number | string; stderr: string } {
  return runChild(THROWS.replace(/^.*unhandledRejection.*$/m, "") + source);
}
