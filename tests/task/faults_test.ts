import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import {
  type Context,
  type Coroutine,
  Future,
  type JoinHandle,
  never,
  Pending,
  run,
  Scope,
  scope,
  sleep,
  spawn,
  type Waker,
} from "../../lib/task/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { Semaphore } from "../../lib/task/sync.ts";
import { tiered } from "../tier.ts";

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
