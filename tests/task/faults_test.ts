import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
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
import { moduleUrl, outputOf, runChild } from "../child.ts";
import { type Pair, pair } from "../io/pair.ts";
import { skipping } from "../skip.ts";
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

const keptByErrors = skipping(
  hostName === "deno" &&
    "Deno's errors keep their frames, and by them the task's handle, for as long as they live",
);

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

  it("is reported when its handle is collected, in a runtime that goes on", { skip: keptByErrors }, () => {
    const output = outputOf(`${THROWS}
      import v8 from "node:v8";
      import vm from "node:vm";
      const gc = globalThis.Bun ? () => Bun.gc(true) : (v8.setFlagsFromString("--expose-gc"), vm.runInNewContext("gc"));
      const alive = setInterval(() => {}, 1000);
      (() => { for (let i = 0; i < 20; i++) spawn(async () => { throw new Error("collected"); }); })();
      await sleep(1);
      for (let i = 0; i < 20 && reported.length === 0; i++) { await turn(); gc(); }
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
