import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { EventFd } from "../../lib/io/mod.ts";
import { mpsc, oneshot } from "../../lib/task/channel.ts";
import { Mutex } from "../../lib/task/sync.ts";
import {
  AsyncFd,
  type Coroutine,
  Future,
  join,
  never,
  Pending,
  pollFn,
  ready,
  run,
  Runtime,
  type RuntimeMetrics,
  select,
  sleep,
  spawn,
  spawnWith,
  Task,
  timeout,
  yieldNow,
} from "../../lib/task/mod.ts";
import { moduleUrl, runChild } from "../child.ts";

const STANDING = { clock: "paused", slowPoll: false } as const;

function* waitFor(future: Future<unknown>): Coroutine<void> {
  yield* future;
}

function* waitDeep(future: Future<unknown>): Coroutine<void> {
  yield* waitFor(future);
}

/** What a task that waits for what `make` gives says that it waits for. */
async function waitsFor(make: () => Future<unknown>): Promise<string> {
  return await run(function* (): Coroutine<string> {
    const task = spawn(waitFor, make());
    yield* yieldNow();
    const { tasks } = Runtime.current().dump();
    task.abort();
    return tasks[tasks.length - 1].waitsFor;
  }, STANDING);
}

describe("a dump", () => {
  it("names each task, its turns and what it waits for, in the order of their ids", async () => {
    const { tasks, awaits } = await run(function* main(): Coroutine<
      ReturnType<Runtime["dump"]>
    > {
      spawn(waitDeep, sleep(1000));
      spawnWith({ name: "drain" }, waitFor, never());
      spawn(() => never());
      yield* sleep(40);
      spawn(waitFor, never());
      return Runtime.current().dump();
    }, STANDING);
    const rows = tasks.map(({ id, name, age, polls, state, waitsFor }) => [
      id,
      name,
      age,
      polls,
      state,
      waitsFor,
    ]);
    assertEquals(rows, [
      [1, "main", 40, 2, "running", ""],
      [2, "waitDeep", 40, 1, "waiting", "sleep, 960 ms left"],
      [3, "drain", 40, 1, "waiting", "never()"],
      [4, "anonymous", 40, 1, "waiting", "never()"],
      [5, "waitFor", 0, 0, "queued", ""],
    ]);
    assertEquals(awaits, []);
  });

  it("tells a sleep's time, a channel, a lock, a task, a descriptor and its direction", async () => {
    assertEquals(await waitsFor(() => sleep(Infinity)), "sleep");
    assertEquals(await waitsFor(() => mpsc(1)[1].recv()), "recv() of an mpsc channel");
    assertEquals(await waitsFor(() => oneshot()[1]), "a oneshot");
    assertEquals(
      await waitsFor(() => {
        const [tx] = mpsc<number>(1);
        tx.trySend(1);
        return tx.send(2);
      }),
      "send() to an mpsc channel of 1",
    );
    assertEquals(
      await waitsFor(() => {
        const mutex = new Mutex(0);
        mutex.tryLock();
        return mutex.lock();
      }),
      "lock()",
    );
    assertEquals(await waitsFor(() => spawn(waitFor, never())), "task 2 (waitFor)");
    using event = new EventFd();
    const number = event.fd.number;
    const io = await waitsFor(() => {
      const watched = new AsyncFd(event.fd);
      watched.clearReadable();
      return watched.readable();
    });
    assertEquals(io, `descriptor ${number} to read`);
  });

  it("tells what combinators are left with", async () => {
    assertEquals(await waitsFor(() => join(sleep(5), never())), "join(sleep, 5 ms left, never())");
    assertEquals(
      await waitsFor(() => join(never(), never(), yieldNow())),
      "join(never(), never(), yieldNow())",
    );
    assertEquals(
      await waitsFor(() => select({ a: never(), b: waitDeep(sleep(7)) })),
      "select(never(), sleep, 7 ms left)",
    );
    assertEquals(await waitsFor(() => timeout(9, never())), "never() (timeout: sleep, 9 ms left)");
    assertEquals(await waitsFor(() => never().map((x) => x)), "never()");
  });

  it("tells the class of a future that says nothing else, and what it says where it does", async () => {
    class Gate extends Future<void> {
      override poll(): Pending {
        return Pending;
      }
    }
    class Door extends Gate {
      override describe(): string {
        return "the door to open";
      }
    }
    assertEquals(await waitsFor(() => new Gate()), "Gate");
    assertEquals(await waitsFor(() => new Door()), "the door to open");
    assertEquals(
      await waitsFor(() =>
        pollFn(function doorbell() {
          return Pending;
        })
      ),
      "doorbell",
    );
  });

  it("neither resumes nor polls what it looks at", async () => {
    let steps = 0;
    let polls = 0;
    function* parksByHand(): Coroutine<void> {
      steps++;
      yield Pending;
      steps++;
    }
    const counted = pollFn(() => {
      polls++;
      return Pending;
    });
    await run(function* (): Coroutine<void> {
      const tasks = [spawn(parksByHand), spawn(waitDeep, counted), spawn(waitFor, join(waitDeep(never())))];
      yield* yieldNow();
      const runtime = Runtime.current();
      const before = runtime.metrics();
      for (let i = 0; i < 3; i++) {
        const { tasks: [, byHand, deep] } = runtime.dump();
        assertEquals([byHand.waitsFor, deep.waitsFor], ["a yield of its own", "pollFn()"]);
      }
      assertEquals(runtime.metrics(), before);
      assertEquals([steps, polls], [1, 1]);
      for (const task of tasks) task.abort();
    }, STANDING);
    assertEquals([steps, polls], [1, 1]);
  });

  it("leaves the waiting coroutines to go on as if nobody had looked", async () => {
    const [tx, rx] = oneshot<number>();
    function* add(): Coroutine<number> {
      try {
        return 1 + (yield* rx);
      } finally {
        yield* sleep(1);
      }
    }
    const sum = await run(function* (): Coroutine<number> {
      const task = spawn(add);
      yield* yieldNow();
      assertEquals(Runtime.current().dump().tasks[1].waitsFor, "a oneshot");
      tx.send(41);
      assertEquals(Runtime.current().dump().tasks[1].state, "queued");
      return yield* task;
    }, STANDING);
    assertEquals(sum, 42);
  });

  it("tells an async function's await where the host carries whose it is, and apart from it otherwise", async () => {
    async function late(): Promise<void> {
      await sleep(1);
      await sleep(500);
    }
    for (const asyncContext of [false, true]) {
      const { tasks, awaits } = await run(function* (): Coroutine<ReturnType<Runtime["dump"]>> {
        const task = spawn(late);
        yield* sleep(100);
        const dump = Runtime.current().dump();
        task.abort();
        return dump;
      }, { ...STANDING, asyncContext });
      const [, { name, waitsFor }] = tasks;
      const told = [name, waitsFor, ...awaits];
      if (asyncContext) assertMatch(told.join(), /^late,sleep, 40[01] ms left$/);
      else assertMatch(told.join(), /^late,a promise,sleep, 40[01] ms left$/);
    }
  });

  it("is a table for people", async () => {
    const text = await run(function* main(): Coroutine<string> {
      spawn(waitFor, never());
      yield* sleep(3);
      return String(Runtime.current().dump());
    }, STANDING);
    assertEquals(text.split("\n"), [
      "task  name     age   polls  state    waits for",
      "1     main     3 ms  2      running",
      "2     waitFor  3 ms  1      waiting  never()",
    ]);
  });
});

describe("a runtime's handle", () => {
  it("is the one of the task that has its turn, and cannot be made", async () => {
    assertEquals(await run(() => Promise.resolve(Runtime.current() instanceof Runtime), STANDING), true);
    assertThrows(() => Reflect.construct(Runtime, [Symbol(), null]), TypeError, "call Runtime.current");
  });

  it("is refused where no runtime is", () => {
    const { code, stderr } = runChild(
      `import { Runtime } from "${moduleUrl("lib/task/mod.ts")}"; Runtime.current();`,
    );
    assert(code !== 0);
    assertMatch(stderr, /none is on this thread; call run\(main\) or attach\(\)/);
  });

  it("tells the counters of a runtime that has ended, and no task", async () => {
    const runtime = await run(function* (): Coroutine<Runtime> {
      spawn(waitFor, never());
      yield* yieldNow();
      return Runtime.current();
    }, STANDING);
    const { alive, spawned } = runtime.metrics();
    assertEquals([alive, spawned, runtime.dump().tasks.length], [0, 2, 0]);
  });
});

describe("the metrics", () => {
  it("count tasks, turns and wakes", async () => {
    await run(function* (): Coroutine<void> {
      const runtime = Runtime.current();
      const before = runtime.metrics();
      assertEquals([before.alive, before.spawned, before.polls, before.wakes], [1, 1, 1, 0]);
      const tasks: Task[] = [];
      function* park(): Coroutine<void> {
        tasks.push(Task.current());
        for (;;) yield Pending;
      }
      for (let i = 0; i < 3; i++) spawn(park);
      assertEquals(runtime.metrics().queued, 3);
      yield* yieldNow();
      for (const task of tasks) {
        task.wake();
        task.wake();
      }
      const woken = runtime.metrics();
      assertEquals([woken.queued, woken.wakes], [3, 4]);
      yield* yieldNow();
      const { alive, spawned, polls, wakes } = runtime.metrics();
      assertEquals([alive, spawned, polls, wakes], [4, 4, 9, 5]);
    }, STANDING);
  });

  it("tell what does not fit in the ring, and what has given way", async () => {
    function* nothing(): Coroutine<void> {}
    function* yields(): Coroutine<void> {
      yield* yieldNow();
    }
    const [full, given] = await run(function* (): Coroutine<RuntimeMetrics[]> {
      const runtime = Runtime.current();
      for (let i = 0; i < 300; i++) spawn(nothing);
      const full = runtime.metrics();
      yield* yieldNow();
      spawn(yields);
      spawn(yields);
      const last = spawn(() => ready(runtime).map((runtime) => runtime.metrics()));
      yield* sleep(1);
      return [full, yield* last];
    }, STANDING);
    assertEquals([full.queued, full.overflow], [300, 44]);
    assertEquals(given.deferred, 2);
  });

  it("count timers, descriptors and their edges, promises, budgets and parks", async () => {
    using event = new EventFd();
    const metrics = await run(function* (): Coroutine<RuntimeMetrics> {
      const runtime = Runtime.current();
      const before = runtime.metrics();
      assertEquals([before.timers, before.registrations, before.budgetYields], [0, 0, 0]);
      yield* sleep(20);
      using watched = new AsyncFd(event.fd);
      const [tx, rx] = mpsc<number>(1000);
      for (let i = 0; i < 300; i++) tx.trySend(i);
      for (let i = 0; i < 300; i++) yield* rx.recv();
      spawn(waitFor, sleep(60_000));
      spawn(waitFor, sleep(Infinity));
      spawn(async () => {
        await never();
      });
      yield* sleep(3);
      watched.clearReadable();
      event.write(1);
      yield* watched.readable();
      return runtime.metrics();
    }, { slowPoll: false });
    const { timers, registrations, budgetYields, promises, ioEdges, parks, hostSleeps } = metrics;
    assertEquals([timers, registrations, budgetYields, promises], [1, 1, 2, 1]);
    assert(ioEdges > 0, `${ioEdges} edges`);
    assert(parks + hostSleeps > 0, `${parks} parks, ${hostSleeps} sleeps`);
  });

  it("count the polls by the time that they took, where asked for", async () => {
    const metrics = await run(function* (): Coroutine<RuntimeMetrics> {
      const until = performance.now() + 4;
      while (performance.now() < until);
      for (let i = 0; i < 9; i++) yield* yieldNow();
      return Runtime.current().metrics();
    }, { pollTimes: true, slowPoll: false });
    const buckets = metrics.pollTimes ?? [];
    assertEquals(buckets.slice(0, 3).map(({ below }) => below), [0.001, 0.002, 0.004]);
    assertEquals(buckets.at(-1)?.below, Infinity);
    const sum = buckets.reduce((sum, { count }) => sum + count, 0);
    assertEquals(sum, metrics.polls - 1); // The one that goes on has not been timed.
    const long = buckets.filter(({ below }) => below > 4).reduce((sum, { count }) => sum + count, 0);
    assert(long >= 1, `${long} polls of 4 ms`);
    assertEquals(await run(() => Promise.resolve(Runtime.current().metrics().pollTimes), STANDING), null);
  });
});

/** What a program warns of whose clock goes on by what it holds the thread for: no machine is so busy. */
function warnings(program: string, options = ""): string[] {
  const { code, stdout, stderr } = runChild(`
    import { run, sleep, spawn, spawnWith, yieldNow } from "${moduleUrl("lib/task/mod.ts")}";
    console.warn = (text) => console.log(text);
    const now = performance.now.bind(performance);
    let held = 0;
    performance.now = () => now() + held;
    function hold(ms) {
      held += ms;
    }
    ${program}
    await run(main, { slowPoll: 10_000, ${options} });
  `);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trim().split("\n").filter((line) => line !== "");
}

describe("a poll that takes too long", () => {
  it("is warned of, with its task's name, once", () => {
    const lines = warnings(`
      function* greedy() {
        for (let i = 0; i < 3; i++) {
          yield* sleep(5);
          hold(i === 1 ? 0 : 12_000);
        }
      }
      async function main() { await spawn(greedy); }
    `);
    assertEquals(lines.length, 1);
    assertMatch(
      lines[0],
      /^oxbow: task 2 \(greedy\) held the thread for \d+ ms, .*yieldNow\(\), or set run's slowPoll$/,
    );
  });

  it("is named at its second time, where others had their turns beside it", () => {
    const lines = warnings(`
      function* quick() {}
      function* greedy() { hold(12_000); }
      function* main() {
        for (let i = 0; i < 2; i++) {
          spawn(quick);
          spawnWith({ name: "hash" }, greedy);
          spawn(quick);
          yield* sleep(5);
        }
      }
    `);
    assertEquals(lines.map((line) => line.slice(0, 20)), ["oxbow: task 6 (hash)"]);
  });

  it("is told of an async function after an await, once turns are timed", () => {
    const lines = warnings(`
      async function main() {
        for (let i = 0; i < 3; i++) {
          await sleep(5);
          hold(12_000);
        }
      }
    `);
    assertEquals(lines.length, 1);
    assertMatch(lines[0], /^oxbow: async functions held the thread for \d+ ms after an await/);
  });

  it("is not told where many short ones take as long together, on a clock that stands, or where not wanted", () => {
    const short = `
      function* short() { hold(1_000); }
      function* main() {
        for (let i = 0; i < 2; i++) {
          for (let j = 0; j < 20; j++) spawn(short);
          yield* sleep(5);
        }
      }
    `;
    assertEquals(warnings(short), []);
    const long = "function* main() { for (let i = 0; i < 2; i++) { hold(12_000); yield* sleep(5); } }";
    assertEquals(warnings(long, "slowPoll: false"), []);
    assertEquals(warnings(long, 'clock: "paused"'), []);
    assertEquals(warnings(long).length, 1);
  });

  it("has a limit that is a number of milliseconds", async () => {
    for (const slowPoll of [0, -1, NaN]) {
      await assertRejects(() => run(() => Promise.resolve(), { slowPoll }), RangeError, "slowPoll is");
    }
    await assertRejects(
      () => run(() => Promise.resolve(), JSON.parse('{ "marks": 1 }')),
      TypeError,
      "marks is 1",
    );
    await assertRejects(
      () => run(() => Promise.resolve(), JSON.parse('{ "pollTimes": 1 }')),
      TypeError,
      "pollTimes is 1",
    );
  });
});

describe("marks", () => {
  it("are measures of polls that an observer sees, by the tasks' names, where asked for", async () => {
    function* stepped(): Coroutine<void> {
      yield* yieldNow();
    }
    const seen: string[] = [];
    const ends = new Map<string, () => void>();
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        assert(entry.duration >= 0);
        seen.push(`${entry.name} ${JSON.stringify(Reflect.get(entry, "detail"))}`);
        ends.get(entry.name)?.();
      }
    });
    observer.observe({ entryTypes: ["measure"] });
    // The host tells the observer when it likes, but in order: of an own measure after all that came before.
    const told = (name: string) =>
      new Promise<void>((resolve) => {
        ends.set(name, resolve);
        performance.measure(name);
      });
    await run(() => spawn(stepped), { marks: true, slowPoll: false });
    await told("all marked");
    const marked = seen.length;
    await run(() => spawn(stepped), { slowPoll: false });
    await told("none marked");
    observer.disconnect();
    performance.clearMeasures();
    assertEquals(seen.filter((line) => line.startsWith("stepped")), [
      'stepped {"task":2,"poll":1,"isFinished":false}',
      'stepped {"task":2,"poll":2,"isFinished":true}',
    ]);
    assertEquals(seen.length, marked + 1);
  });
});
