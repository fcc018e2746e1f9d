import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { outputOf } from "../child.ts";
import { attach, type Coroutine, fromPromise, run, sleep, spawn } from "../../lib/task/mod.ts";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";

const moduleUrl = (path: string): string => new URL(`../../${path}`, import.meta.url).href;
const local = { hostname: "127.0.0.1", port: 0 };

function* echo(stream: TcpStream): Coroutine<number> {
  const bytes = new Uint8Array(64);
  let total = 0;
  for (;;) {
    const count = yield* stream.read(bytes);
    if (count === 0) break;
    yield* stream.writeAll(bytes.slice(0, count));
    total += count;
  }
  stream.close();
  return total;
}

function* serveOne(listener: TcpListener): Coroutine<number> {
  return yield* spawn(echo, (yield* listener.accept()).stream);
}

describe("a future awaited where no runtime runs", () => {
  it("lives in the host's loop, in each of the three forms", async () => {
    function* coroutine(): Coroutine<number> {
      yield* sleep(1);
      return 1;
    }
    await sleep(1);
    assertEquals(await spawn(coroutine), 1);
    assertEquals(await spawn(async () => (await sleep(1), 2)), 2);
    assertEquals(await fromPromise(Promise.resolve(3)), 3);
    await assertRejects(() => spawn(() => fromPromise(Promise.reject(new Error("no")))), Error, "no");
  });

  it("is beside the host's timers and promises", async () => {
    const log: string[] = [];
    await Promise.all([
      sleep(1).then(() => log.push("ours")),
      new Promise<void>((resolve) => setTimeout(resolve, 2)).then(() => log.push("the host's")),
    ]);
    assertEquals(log.sort(), ["ours", "the host's"]);
  });

  it("reads and writes sockets", async () => {
    using listener = TcpListener.bind(local);
    const server = spawn(serveOne, listener);
    using client = await TcpStream.connect(listener.address);
    const bytes = new Uint8Array(64);
    for (let i = 1; i <= 20; i++) {
      await client.writeAll(new Uint8Array(i));
      assertEquals(await client.read(bytes), i);
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    client.close();
    assertEquals(await server, 210);
  });

  it("goes on beside a run, and after it", async () => {
    const ticks: number[] = [];
    const ticking = (async () => {
      for (let i = 0; i < 5; i++) {
        await sleep(2);
        ticks.push(i);
      }
    })();
    // What is awaited meanwhile is the run's, and is rejected with it: it must not end before.
    assertEquals(await run(async () => (await ticking, "ran")), "ran");
    assertEquals(ticks, [0, 1, 2, 3, 4]);
    assertEquals(await sleep(2).map(() => "after"), "after");
  });
});

describe("attach", () => {
  it("is disposed of with its tasks, and is there again when it is wanted", async () => {
    const log: string[] = [];
    function* body(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        log.push("dropped");
      }
    }
    const attached = attach();
    const handle = spawn(body);
    await sleep(1);
    attached[Symbol.dispose]();
    attached[Symbol.dispose]();
    assertEquals(log, ["dropped"]);
    await assertRejects(() => handle, DOMException, "the runtime ended before the task");
    await sleep(1);
  });

  it("may be disposed of by one of its own tasks, which goes on to its next wait", async () => {
    const log: string[] = [];
    function* disposes(attached: Disposable): Coroutine<void> {
      try {
        yield* sleep(1);
        attached[Symbol.dispose]();
        log.push("went on");
        log.push(`${spawn(() => sleep(0)).isFinished}`);
        yield* sleep(1e9);
      } finally {
        log.push("dropped");
      }
    }
    const handle = spawn(disposes, attach());
    await assertRejects(() => handle, DOMException, "the runtime ended before the task");
    assertEquals(log, ["went on", "true", "dropped"]);
    await sleep(1);
  });

  it("keeps the process alive for a timer and a descriptor, and for nothing else", async () => {
    const output = await outputOf(`
      import { sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      import { TcpListener } from "${moduleUrl("lib/net/mod.ts")}";
      import { Future, Pending } from "${moduleUrl("lib/task/mod.ts")}";
      class Never extends Future { poll() { return Pending; } }
      spawn(() => new Never());
      sleep(30).then(() => console.log("a timer"));
      const listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
      spawn(async () => { await sleep(60); listener.close(); console.log("a descriptor"); });
    `);
    assertEquals(output.trim().split("\n"), ["a timer", "a descriptor"]);
  });

  it("lets the thread sleep while nothing happens", async () => {
    const output = await outputOf(`
      import { readFileSync } from "node:fs";
      import { spawn } from "${moduleUrl("lib/task/mod.ts")}";
      import { TcpListener } from "${moduleUrl("lib/net/mod.ts")}";
      const listener = TcpListener.bind({ hostname: "127.0.0.1", port: 0 });
      spawn(async () => { await listener.accept(); });
      await new Promise((resolve) => setTimeout(resolve, 100));
      // Of the main thread.
      const switches = () =>
        Number(/^voluntary_ctxt_switches:\\s*(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
      const before = switches();
      await new Promise((resolve) => setTimeout(resolve, 500));
      console.log(switches() - before);
      listener.close();
      process.exit();
    `);
    assertMatch(output.trim(), /^\d+$/);
    assert(Number(output) < 25, `the thread woke ${output.trim()} times in half a second`);
  });

  it("has the next one live on where a handle is disposed of again", async () => {
    const first = attach();
    first[Symbol.dispose]();
    using _second = attach();
    const handle = spawn(() => sleep(5).map(() => "alive"));
    first[Symbol.dispose]();
    assertEquals(await handle, "alive");
  });

  it("may be disposed of by one of its tasks, beside a descriptor that is watched", () => {
    const output = outputOf(`
      import process from "node:process";
      import { AsyncFd, attach, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      import { EventFd } from "${moduleUrl("lib/io/mod.ts")}";
      process.on("uncaughtException", (error) => console.log(error.message));
      const attached = attach();
      const event = new EventFd();
      const watched = new AsyncFd(event.fd);
      spawn(function* () {
        attached[Symbol.dispose]();
        yield* sleep(1);
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      watched[Symbol.dispose]();
      console.log(await spawn(() => sleep(1).map(() => "the next")));
    `);
    assertEquals(output, "the next");
  });

  it("sleeps anew where the host's callback sets a timer sooner, or drops the last", () => {
    const output = outputOf(`
      import { now, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      const start = performance.now();
      const moved = sleep(50_000);
      const waiting = moved.toPromise();
      setTimeout(() => moved.reset(now() + 5), 5);
      await waiting;
      const dropped = spawn(() => sleep(50_000));
      setTimeout(() => dropped.abort(), 5);
      process.on("exit", () => console.log(performance.now() - start < 40_000));
    `.replace("import", 'import process from "node:process";\n      import'));
    assertEquals(output, "true");
  });
});
