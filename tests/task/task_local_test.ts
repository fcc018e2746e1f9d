import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Coroutine, run, sleep, spawn, TaskLocal } from "../../lib/task/mod.ts";

describe("TaskLocal", () => {
  it("is seen by what is polled in its scope, each its own, between the turns of others", async () => {
    const local = new TaskLocal<string>();
    const log: string[] = [];
    function* body(): Coroutine<void> {
      for (let i = 0; i < 3; i++) {
        log.push(local.get());
        yield* sleep(1);
      }
    }
    await run(function* (): Coroutine<void> {
      const a = spawn(() => local.scope("a", body));
      const b = spawn(() => local.scope("b", body));
      yield* a;
      yield* b;
      assertEquals(local.isSet, false);
    });
    assertEquals(log.sort(), ["a", "a", "a", "b", "b", "b"]);
  });

  it("is hidden by an inner scope, and seen again after it", async () => {
    const local = new TaskLocal<number>();
    function* inner(): Coroutine<number> {
      yield* sleep(0);
      return local.get();
    }
    function* outer(): Coroutine<number[]> {
      const before = local.get();
      const within = yield* local.scope(2, inner);
      return [before, within, local.get(), local.sync(3, () => local.get()), local.get()];
    }
    assertEquals(await run(() => local.scope(1, outer)), [1, 2, 1, 3, 1]);
  });

  it("is not handed on to spawned tasks", async () => {
    const local = new TaskLocal<number>();
    function* child(): Coroutine<boolean> {
      yield* sleep(0);
      return local.isSet;
    }
    function* parent(): Coroutine<boolean> {
      return yield* spawn(child);
    }
    assertEquals(await run(() => local.scope(1, parent)), false);
  });

  it("is seen in finally blocks of what is dropped", async () => {
    const local = new TaskLocal<number>();
    let seen = 0;
    function* body(): Coroutine<void> {
      try {
        yield* sleep(1e9);
      } finally {
        seen = local.get();
      }
    }
    await run(function* (): Coroutine<void> {
      const handle = spawn(() => local.scope(5, body));
      yield* sleep(0);
      handle.abort();
      assertEquals([seen, local.isSet], [5, false]);
    });
  });

  it("throws where it is not set, and is put back where its function throws", async () => {
    const local = new TaskLocal<undefined>();
    assertThrows(() => local.get(), Error, "no scope has set it");
    assertThrows(
      () =>
        local.sync(undefined, () => {
          throw new Error("inside");
        }),
      Error,
      "inside",
    );
    assertEquals(local.isSet, false);
    assertEquals(local.sync(undefined, () => local.isSet), true);
    await assertRejects(
      () =>
        run(() =>
          local.scope(undefined, () => {
            throw new Error("at its call");
          })
        ),
      Error,
      "at its call",
    );
    assertEquals(local.isSet, false);
    assertThrows(() => Reflect.apply(local.scope, local, [1, 2]), TypeError, "fn is no function");
  });
});
