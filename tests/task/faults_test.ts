import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { NativeBuffer } from "../../lib/io/mod.ts";
import { mpsc, oneshot } from "../../lib/task/channel.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import {
  AsyncFd,
  type Context,
  type Coroutine,
  Future,
  interval,
  join,
  type JoinHandle,
  JoinSet,
  never,
  Pending,
  run,
  Scope,
  scope,
  select,
  sleep,
  spawn,
  Task,
  TaskLocal,
  timeout,
  type Waker,
  yieldNow,
} from "../../lib/task/mod.ts";
import { Mutex, Semaphore } from "../../lib/task/sync.ts";
import { type Pair, pair } from "../io/pair.ts";
import { tiered } from "../tier.ts";

/** What the programs share, and must find again as it was. */
interface World {
  readonly ends: Pair;
  readonly permits: Semaphore;
  readonly lock: Mutex<number>;
  readonly local: TaskLocal<number>;
  ended: number;
  begun: number;
}

function* counted(world: World, body: Coroutine<void>): Coroutine<void> {
  world.begun++;
  try {
    yield* body;
  } finally {
    world.ended++;
  }
}

function* sleeps(world: World): Coroutine<void> {
  yield* sleep(0);
  yield* timeout(50, counted(world, naps()));
  yield* select({ short: sleep(0), long: sleep(1e9) });
  const ticks = interval(1);
  yield* ticks.tick();
  yield* ticks.tick();
}

function* naps(): Coroutine<void> {
  yield* join(sleep(0), sleep(1));
}

function* socket({ ends }: World): Coroutine<void> {
  const byte = new NativeBuffer(1);
  using watched = new AsyncFd(ends.client.fd);
  using peer = new AsyncFd(ends.server.fd);
  for (let i = 0; i < 3; i++) {
    const reading = spawn(() => watched.read(() => ends.client.read(byte)));
    try {
      yield* sleep(0);
      yield* peer.write(() => ends.server.write(byte));
      yield* reading;
    } finally {
      reading.abort();
    }
  }
}

function* locks({ permits, lock }: World): Coroutine<void> {
  const permit = yield* permits.acquireMany(2);
  try {
    const guard = yield* lock.lock();
    try {
      yield* yieldNow();
      guard.value++;
    } finally {
      guard.release();
    }
  } finally {
    permit.release();
  }
}

function* channels(): Coroutine<void> {
  const [tx, rx] = mpsc<number>(1);
  const [once, answer] = oneshot<number>();
  function* produce(): Coroutine<void> {
    for (let i = 0; i < 4; i++) yield* tx.send(i);
    tx.close();
    once.send(1);
  }
  yield* scope(function* (s): Coroutine<void> {
    s.spawn(produce);
    for (let i = 0; i < 4; i++) yield* rx.recv();
    yield* answer;
  });
}

function* tree(world: World, depth: number): Coroutine<void> {
  yield* scope(function* (s): Coroutine<void> {
    for (let i = 0; depth > 0 && i < 2; i++) s.spawn(counted, world, tree(world, depth - 1));
    yield* sleep(0);
    yield* world.local.scope(depth, () => yieldNow());
    s.spawn(locks, world);
  });
}

function* sets(): Coroutine<void> {
  using set = new JoinSet<void>();
  for (let i = 0; i < 4; i++) set.spawn(() => sleep(i % 2));
  while (set.size > 0) yield* set.joinNext();
}

function* everything(world: World): Coroutine<void> {
  yield* scope(function* (s): Coroutine<void> {
    s.spawn(sleeps, world);
    s.spawn(socket, world);
    s.spawn(channels);
    s.spawn(tree, world, 2);
    yield* sets();
    yield* locks(world);
  });
}

/** Polls its future so often, then drops it. */
class Cut extends Future<boolean> {
  #future: Future<void>;
  #left: number;

  constructor(future: Future<void>, polls: number) {
    super();
    this.#future = future;
    this.#left = polls;
  }

  override poll(context: Context): boolean | Pending {
    if (this.#left-- === 0) {
      this.#future.drop();
      return false;
    }
    return this.#future.poll(context) === Pending ? Pending : true;
  }

  override drop(): void {
    this.#future.drop();
  }
}

/** Cuts the program after each number of polls that it takes. Returns that number. */
async function cutEverywhere(
  program: (world: World) => Coroutine<void>,
  abort: boolean,
  poller: "epoll" | "poll",
): Promise<number> {
  using ends = pair();
  const world: World = {
    ends,
    permits: new Semaphore(3),
    lock: new Mutex(0),
    local: new TaskLocal(),
    ended: 0,
    begun: 0,
  };
  function* main(): Coroutine<number> {
    const { executor, reactor, timers } = currentRuntime();
    // Turns are quick and sleeps take their time: after some hundred each, ever more.
    for (let polls = 0;; polls = polls < 300 ? polls + 1 : Math.ceil(polls * 1.5)) {
      const handle = spawn(() => new Cut(scope(() => program(world)), abort ? Infinity : polls));
      if (abort) {
        for (let i = 0; i < polls && !handle.isFinished; i++) yield* yieldNow();
        handle.abort();
      }
      const outcome = yield* handle.settled();
      // Who was dropped in a scope's end has ended by now, and who was woken has nothing to do.
      yield* yieldNow();
      const found = {
        polls,
        live: executor.live,
        registrations: reactor.registrations,
        next: timers.next,
        permits: world.permits.availablePermits,
        isLocked: world.lock.isLocked,
        isSet: world.local.isSet,
        left: world.begun - world.ended,
      };
      assertEquals(found, {
        polls,
        live: 1,
        registrations: 0,
        next: Infinity,
        permits: 3,
        isLocked: false,
        isSet: false,
        left: 0,
      });
      if (outcome.status === "fulfilled" && outcome.value) return polls;
      while (ends.client.read(new NativeBuffer(64)) > 0);
      if (polls > 100_000_000) throw new Error("the program does not come to its end");
    }
  }
  return await run(main, { poller });
}

describe("a program that is dropped after its nth poll, for every n", () => {
  for (
    const program of [
      sleeps,
      socket,
      locks,
      channels,
      (world: World) => tree(world, 2),
      sets,
      everything,
    ]
  ) {
    const name = program.name || "a tree of scopes";
    it(`leaves nothing behind: ${name}`, async () => {
      assert(await cutEverywhere(program, false, "epoll") > 0);
      assert(await cutEverywhere(program, true, "epoll") > 0);
    });
  }

  it("leaves nothing behind on poll(2)", async () => {
    for (const program of [socket, everything]) assert(await cutEverywhere(program, false, "poll") > 1);
  });
});

describe("a runtime that ends", () => {
  it("at each turn of a program drops all of it", async () => {
    using ends = pair();
    let done = false;
    for (let turns = 0; !done; turns++) {
      const world: World = {
        ends,
        permits: new Semaphore(3),
        lock: new Mutex(0),
        local: new TaskLocal(),
        ended: 0,
        begun: 0,
      };
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

describe("abort", () => {
  it("in the drop of what it drops comes to nothing", async () => {
    const log: string[] = [];
    await run(async () => {
      const handles: JoinHandle<never>[] = [];
      class AbortsAll extends Future<never> {
        override poll(): Pending {
          return Pending;
        }
        override drop(): void {
          log.push("dropped");
          for (const handle of handles) handle.abort("again");
        }
      }
      for (let i = 0; i < 3; i++) handles.push(spawn(() => new AbortsAll()));
      await sleep(0);
      handles[0].abort("first");
      const reasons: unknown[] = [];
      for (const handle of handles) reasons.push(await handle.then(() => "none", (reason) => reason));
      assertEquals(reasons, ["first", "again", "again"]);
    });
    assertEquals(log, ["dropped", "dropped", "dropped"]);
  });

  it("leaves in the scope what a child's finally block throws", async () => {
    function* throwing(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        // deno-lint-ignore no-unsafe-finally
        throw new Error("in a finally block");
      }
    }
    await assertRejects(
      () =>
        run(() =>
          scope(function* (s): Coroutine<void> {
            const child = s.spawn(throwing);
            yield* sleep(0);
            child.abort();
            yield* never();
          })
        ),
      Error,
      "in a finally block",
    );
  });

  it("reaches through nested scopes, from the inside out", async () => {
    const log: string[] = [];
    function* nested(depth: number): Coroutine<void> {
      try {
        if (depth === 0) yield* never();
        yield* scope(function* (s): Coroutine<void> {
          s.spawn(nested, depth - 1);
          yield* never();
        });
      } finally {
        log.push(`${depth}`);
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(nested, 4);
      yield* sleep(1);
      handle.abort();
      assertEquals(currentRuntime().executor.live, 1);
    });
    assertEquals(log, ["0", "1", "2", "3", "4"]);
  });
});

describe("a waker that outlives", () => {
  class Keeps extends Future<void> {
    waker: Waker | null = null;
    override poll(context: Context): Pending {
      this.waker = context.waker;
      return Pending;
    }
  }

  it("its task wakes nobody, though another has its key", async () => {
    let polls = 0;
    class Counts extends Future<never> {
      override poll(): Pending {
        polls++;
        return Pending;
      }
    }
    await run(async () => {
      const keeps = new Keeps();
      const handle = spawn(() => keeps);
      await sleep(0);
      await sleep(0);
      handle.abort();
      spawn(() => new Counts());
      await sleep(1);
      for (let i = 0; i < 100; i++) keeps.waker?.wake();
      await sleep(1);
      assertEquals(polls, 1);
    });
  });

  it("its runtime wakes nobody, nor the next one", async () => {
    const keeps = new Keeps();
    await run(async () => {
      spawn(() => keeps);
      await sleep(1);
    });
    for (let i = 0; i < 1_000; i++) keeps.waker?.wake();
    await run(async () => {
      keeps.waker?.wake();
      await sleep(1);
      assertEquals(currentRuntime().executor.live, 1);
    });
  });
});

describe("a scope", () => {
  it("is joined by several, and by one that is dropped", async () => {
    await run(async () => {
      const shared = new Scope();
      shared.spawn(() => sleep(3));
      const joins = [0, 1, 2].map(() => spawn(() => shared.join()));
      await sleep(0);
      joins[0].abort();
      await joins[1];
      await joins[2];
      assertEquals(shared.size, 0);
    });
  });

  it("of another's runtime is told of its tasks' ends there", async () => {
    const kept = new Scope();
    await run(async () => {
      kept.spawn(() => sleep(1e9));
      await sleep(1);
    });
    assertEquals(kept.size, 0);
    await run(() => kept.join());
  });
});

describe("a million tasks", () => {
  it("wait, are woken and end, and leave the slab as they found it", async () => {
    const count = tiered({ quick: 10_000, full: 1_000_000, soak: 1_000_000 });
    function* body(semaphore: Semaphore): Coroutine<number> {
      (yield* semaphore.acquire()).release();
      return 1;
    }
    const sum = await run(function* (): Coroutine<number> {
      const semaphore = new Semaphore(0);
      const handles: JoinHandle<number>[] = [];
      for (let i = 0; i < count; i++) handles.push(spawn(body, semaphore));
      yield* sleep(1);
      assertEquals(currentRuntime().executor.live, count + 1);
      semaphore.addPermits(1);
      let sum = 0;
      for (const handle of handles) sum += yield* handle;
      assertEquals(currentRuntime().executor.live, 1);
      return sum;
    });
    assertEquals(sum, count);
  });
});
