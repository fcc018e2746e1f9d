import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { oneshot } from "../../lib/task/channel.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { Executor } from "../../lib/task/runtime/executor.ts";
import {
  type Context,
  type Coroutine,
  Future,
  type JoinHandle,
  never,
  Pending,
  run,
  sleep,
  spawn,
  Task,
  type Waker,
  yieldNow,
} from "../../lib/task/mod.ts";

const quiet = { roused() {}, failed() {}, seen() {} };

/** Logs its turns, and does what it is told to in them. */
class Logged extends Future<void> {
  waker: Waker | null = null;
  #log: string[];
  #name: string;
  #inTurn: (turn: number) => void;
  #turns = 0;
  #last: number;

  constructor(log: string[], name: string, last: number, inTurn: (turn: number) => void = () => {}) {
    super();
    this.#log = log;
    this.#name = name;
    this.#last = last;
    this.#inTurn = inTurn;
  }

  override poll(context: Context): void | Pending {
    this.waker = context.waker;
    this.#log.push(this.#name);
    this.#inTurn(++this.#turns);
    if (this.#turns < this.#last) return Pending;
  }
}

describe("an executor", () => {
  it("gives no turn before it is asked to, and tells when nothing is to do", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    assertEquals([executor.isIdle, executor.run(256)], [true, 0]);
    executor.spawn(null, new Logged(log, "a", 1), null, { name: "" });
    assertEquals([executor.isIdle, executor.queued, executor.live, log.length], [false, 1, 1, 0]);
    assertEquals(executor.run(256), 1);
    assertEquals([executor.isIdle, executor.queued, executor.live, log.length], [true, 0, 0, 1]);
    assertEquals([executor.spawned, executor.polls], [1, 1]);
  });

  it("polls no future once more than it is woken", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const future = new Logged(log, "a", 2);
    executor.spawn(null, future, null, { name: "" });
    assertEquals([executor.run(256), executor.run(256)], [1, 0]);
    future.waker?.wake();
    assertEquals([executor.run(256), executor.run(256), log.length], [1, 0, 2]);
  });

  it("gives no more turns at once than it was asked for", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    for (const name of "abcde") executor.spawn(null, new Logged(log, name, 1), null, { name: "" });
    assertEquals([executor.run(2), log.join("")], [2, "ab"]);
    assertEquals([executor.run(2), log.join("")], [2, "abcd"]);
    assertEquals([executor.run(2), log.join("")], [1, "abcde"]);
  });

  it("has the first that a task wakes go next, and the others in their order", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const [b, c] = [new Logged(log, "b", 2), new Logged(log, "c", 2)];
    executor.spawn(null, b, null, { name: "" });
    executor.spawn(null, c, null, { name: "" });
    executor.run(256);
    executor.spawn(
      null,
      new Logged(log, "a", 1, () => {
        c.waker?.wake();
        b.waker?.wake();
      }),
      null,
      { name: "" },
    );
    executor.spawn(null, new Logged(log, "d", 1), null, { name: "" });
    executor.run(256);
    assertEquals(log.join(""), "bcacdb");
  });

  it("lets two that wake one another keep nobody from his turn", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const ping: Logged = new Logged(log, "i", 50, () => pong.waker?.wake());
    const pong: Logged = new Logged(log, "o", 50, () => ping.waker?.wake());
    executor.spawn(null, ping, null, { name: "" });
    executor.spawn(null, pong, null, { name: "" });
    executor.spawn(null, new Logged(log, "x", 1), null, { name: "" });
    executor.run(20);
    assert(log.indexOf("x") <= 6, `its turn came last: ${log.join("")}`);
  });

  it("queues one that wakes itself behind the others", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const self: Logged = new Logged(log, "s", 4, () => self.waker?.wake());
    executor.spawn(null, self, null, { name: "" });
    for (const name of "ab") executor.spawn(null, new Logged(log, name, 1), null, { name: "" });
    executor.run(256);
    assertEquals(log.join(""), "sabsss");
  });

  it("tells its host that there is work, once, where nobody looks", () => {
    let roused = 0;
    const executor = new Executor({ ...quiet, roused: () => roused++ });
    executor.spawn(null, new Logged([], "a", 1), null, { name: "" });
    assertEquals(roused, 0);
    executor.isAsleep = true;
    executor.spawn(null, new Logged([], "b", 1), null, { name: "" });
    executor.spawn(null, new Logged([], "c", 1), null, { name: "" });
    assertEquals([roused, executor.isAsleep], [1, false]);
  });

  it("keeps the deferred until they are asked for, and those that defer again for the next time", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const again: Logged = new Logged(log, "a", 3, () => executor.defer(again.waker ?? { wake() {} }));
    executor.spawn(null, again, null, { name: "" });
    assertEquals([executor.run(256), executor.run(256), executor.isIdle], [1, 0, false]);
    executor.wakeDeferred();
    assertEquals([executor.run(256), executor.run(256)], [1, 0]);
    executor.wakeDeferred();
    assertEquals([executor.run(256), log.length], [1, 3]);
  });

  it("that has ended polls nothing, and drops what is spawned on it at once", () => {
    const executor = new Executor(quiet);
    const log: string[] = [];
    const drops: string[] = [];
    class Dropped extends Future<void> {
      override poll(): Pending {
        log.push("polled");
        return Pending;
      }
      override drop(): void {
        drops.push("dropped");
        late = executor.spawn(null, new Logged(log, "late", 1), null, { name: "" });
      }
    }
    let late: JoinHandle<void> | undefined;
    const early = executor.spawn(null, new Dropped(), null, { name: "" });
    executor.end(new Error("over"));
    assertEquals([early.isFinished, late?.isFinished, drops, executor.live], [true, true, ["dropped"], 0]);
    executor.run(256);
    assertEquals(log, []);
    executor.end(new Error("over again"));
    assertEquals(drops, ["dropped"]);
  });
});

describe("many tasks", () => {
  it("each wake the next through a chain of oneshots", async () => {
    function* link(receive: Future<number>, send: (value: number) => void): Coroutine<void> {
      send(1 + (yield* receive));
    }
    const sum = await run(async () => {
      const [start, first] = oneshot<number>();
      let receiver: Future<number> = first;
      for (let i = 0; i < 1_000; i++) {
        const [sender, next] = oneshot<number>();
        spawn(link, receiver, (value) => sender.send(value));
        receiver = next;
      }
      start.send(0);
      return await receiver;
    });
    assertEquals(sum, 1_000);
  });

  it("spawn one another, each from the last one's turn", async () => {
    const ids: number[] = [];
    function* descend(depth: number): Coroutine<number> {
      ids.push(Task.current().id);
      return depth === 0 ? 0 : 1 + (yield* spawn(descend, depth - 1));
    }
    assertEquals(await run(() => descend(1_000)), 1_000);
    assertEquals(new Set(ids).size, 1_001);
  });

  it("are spawned by main and by tasks, and all come to their end", async () => {
    function* leaf(i: number): Coroutine<number> {
      yield* yieldNow();
      return i;
    }
    function* branch(i: number): Coroutine<number> {
      const leaves = Array.from({ length: 20 }, (_, j) => spawn(leaf, 20 * i + j));
      let sum = 0;
      for (const each of leaves) sum += yield* each;
      return sum;
    }
    const sum = await run(async () => {
      const branches = Array.from({ length: 50 }, (_, i) => spawn(branch, i));
      let sum = 0;
      for (const each of branches) sum += await each;
      return sum;
    });
    assertEquals(sum, 499_500);
  });

  it("that wake themselves for ever do not keep main or a task from its end", async () => {
    class Spin extends Future<never> {
      override poll(context: Context): Pending {
        context.waker.wake();
        return Pending;
      }
    }
    function* some(): Coroutine<string> {
      for (let i = 0; i < 10; i++) yield* yieldNow();
      return "a task";
    }
    const values = await run(async () => {
      for (let i = 0; i < 300; i++) spawn(() => new Spin());
      return [await spawn(some), await Promise.resolve("main")];
    });
    assertEquals(values, ["a task", "main"]);
  });

  it("are woken by one another's drop", async () => {
    let woken = 0;
    class OnDrop extends Future<never> {
      wake: Waker | null = null;
      override poll(): Pending {
        return Pending;
      }
      override drop(): void {
        this.wake?.wake();
      }
    }
    class Waits extends Future<void> {
      #by: OnDrop;
      constructor(by: OnDrop) {
        super();
        this.#by = by;
      }
      override poll(context: Context): void | Pending {
        if (woken++ === 1) return;
        this.#by.wake = context.waker;
        return Pending;
      }
    }
    await run(async () => {
      const by = new OnDrop();
      const dropped = spawn(() => by);
      const waits = spawn(() => new Waits(by));
      await sleep(0);
      dropped.abort();
      await waits;
    });
    assertEquals(woken, 2);
  });

  it("are woken by the drop of those that the runtime's end drops, and are not polled for it", async () => {
    const log: string[] = [];
    const wakers: Waker[] = [];
    class WakesAtDrop extends Future<never> {
      override poll(context: Context): Pending {
        wakers.push(context.waker);
        return Pending;
      }
      override drop(): void {
        log.push("dropped");
        for (const waker of wakers) waker.wake();
      }
    }
    await run(async () => {
      for (let i = 0; i < 10; i++) spawn(() => new WakesAtDrop());
      await sleep(0);
      await sleep(0);
    });
    assertEquals(log, new Array(10).fill("dropped"));
    for (const waker of wakers) waker.wake();
    assertEquals(await run(async () => await 1), 1);
  });
});

describe("a task's number", () => {
  it("is its handle's and its own, unique, and stays after its end", async () => {
    function* own(): Coroutine<number> {
      yield* yieldNow();
      return Task.current().id;
    }
    await run(function* (): Coroutine<void> {
      const handles = Array.from({ length: 500 }, () => spawn(own));
      const ids = new Set<number>();
      for (const handle of handles) {
        assertEquals(yield* handle, handle.id);
        ids.add(handle.id);
      }
      assertEquals([ids.size, ids.has(Task.current().id)], [500, false]);
    });
  });

  it("is the task's own in what its abortion or its end drops", async () => {
    const seen: number[] = [];
    function* aborted(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        seen.push(Task.current().id);
      }
    }
    class Dropped extends Future<never> {
      override poll(): Pending {
        return Pending;
      }
      override drop(): void {
        seen.push(Task.current().id);
      }
    }
    let left = 0;
    await run(async () => {
      const handles = [spawn(aborted), spawn(() => new Dropped())];
      await sleep(0);
      for (const handle of handles) handle.abort();
      function* inTask(): Coroutine<number> {
        const inner = spawn(aborted);
        yield* yieldNow();
        inner.abort();
        seen.push(inner.id);
        return Task.current().id;
      }
      const outer = spawn(inTask);
      assertEquals(seen, handles.map(({ id }) => id));
      assertEquals(await outer, outer.id);
      assertEquals(seen[2], seen[3]);
      left = spawn(aborted).id;
      await sleep(0);
    });
    assertEquals(seen[4], left);
    assertThrows(() => Task.current(), Error, "no task has its turn");
  });
});

describe("the thread's runtime", () => {
  it("lets nobody spawn from one that has ended, nor wait on it for ever", async () => {
    const inside = await run(async () => ({ runtime: await Promise.resolve(currentRuntime()) }));
    const handle = inside.runtime.executor.spawn(null, sleep(1), null, { name: "" });
    assertEquals(handle.isFinished, true);
    await assertRejects(() => handle, DOMException, "the runtime ended before the task");
    await assertRejects(
      () => inside.runtime.deliver(never()),
      DOMException,
      "the runtime ended before the task",
    );
  });
});
