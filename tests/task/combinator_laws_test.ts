import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  type Future,
  join,
  joinAll,
  lazy,
  Pending,
  pollFn,
  race,
  ready,
  run,
  select,
  timeout,
  tryJoin,
  tryJoinAll,
} from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

/** Each method of one future that gives a future, by its name. */
const METHODS: Record<string, (future: Future<number>) => Future<unknown>> = {
  map: (future) => future.map((value) => value),
  andThen: (future) => future.andThen((value) => ready(value)),
  orElse: (future) => future.orElse(() => ready(0)),
  inspect: (future) => future.inspect(() => {}),
  finally: (future) => future.finally(() => {}),
  settled: (future) => future.settled(),
  fuse: (future) => future.fuse(),
  shared: (future) => future.shared(),
  timeout: (future) => future.timeout(1e6),
  abortable: (future) => future.abortable(new AbortController().signal),
  join: (future) => join(future),
  "join of two": (future) => join(ready(1), future),
  tryJoin: (future) => tryJoin(future),
  "tryJoin of two": (future) => tryJoin(future, ready(1)),
  joinAll: (future) => joinAll([future]),
  tryJoinAll: (future) => tryJoinAll([future]),
  select: (future) => select({ future }),
  race: (future) => race([future]),
  "function timeout": (future) => timeout(1e6, future),
  coroutine: (future) =>
    joinAll([function* (): Coroutine<number> {
      return yield* future;
    }()]),
};

/** Polls while the future wakes itself, within a runtime. */
async function withProbe(test: (probe: Probe) => void): Promise<void> {
  await run(() =>
    pollFn(() => {
      test(new Probe());
    })
  );
}

describe("each combinator", () => {
  for (const [name, make] of Object.entries(METHODS)) {
    it(`${name} does nothing before its first poll`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>().finish(1);
        const future = make(leaf);
        assertEquals([leaf.polls, leaf.drops, leaf.waker], [0, 0, null]);
        assert(!probe.isPending(future));
        assertEquals(leaf.polls, 1);
      });
    });

    // What a coroutine would wait for is not its own before it has begun.
    if (name !== "coroutine") {
      it(`${name} drops what it waits for, once, where it is dropped before its first poll`, () => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        future.drop();
        future.drop();
        assertEquals([leaf.polls, leaf.drops], [0, 1]);
      });
    }

    it(`${name} drops what it waits for, once, where it is dropped while it waits`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        for (let i = 0; i < 3; i++) assert(probe.isPending(future));
        future.drop();
        future.drop();
        assertEquals(leaf.drops, 1);
      });
    });

    it(`${name} drops nothing that has ended`, async () => {
      await withProbe((probe) => {
        for (const leaf of [new Leaf<number>().finish(1), new Leaf<number>().fail(NO)]) {
          const future = make(leaf);
          try {
            probe.poll(future);
          } catch (error) {
            assertStrictEquals(error, NO);
          }
          future.drop();
          assertEquals([leaf.polls, leaf.drops], [1, 0]);
        }
      });
    });

    it(`${name} is woken by what it waits for`, async () => {
      await withProbe((probe) => {
        const leaf = new Leaf<number>();
        const future = make(leaf);
        assert(probe.isPending(future));
        assertEquals(probe.wakes, 0);
        leaf.finish(1);
        assertEquals(probe.wakes, 1);
        assert(!probe.isPending(future));
      });
    });

    // It is one task's at a time, and says so.
    if (name !== "shared") {
      it(`${name} wakes the task that polled it last`, async () => {
        await withProbe((before) => {
          const leaf = new Leaf<number>();
          const future = make(leaf);
          const after = new Probe();
          assert(before.isPending(future));
          leaf.waker?.wake();
          assert(after.isPending(future));
          // A timer tells who is replaced, once: it may still wait.
          const { wakes } = before;
          leaf.finish(1);
          assertEquals([before.wakes, after.wakes], [wakes, 1]);
        });
      });
    }

    if (name !== "fuse" && name !== "shared") {
      it(`${name} throws where it is polled after its end`, async () => {
        await withProbe((probe) => {
          const future = make(new Leaf<number>().finish(1));
          probe.poll(future);
          for (let i = 0; i < 2; i++) {
            assertThrows(() => probe.poll(future), Error, "again: its value was taken");
          }
          const failed = make(new Leaf<number>().fail(NO));
          probe.poll(failed.borrow().settled());
          assertThrows(() => probe.poll(failed), Error, "again: its value was taken");
        });
      });

      it(`${name} throws where it is polled after it was dropped`, async () => {
        await withProbe((probe) => {
          const future = make(new Leaf<number>());
          assert(probe.isPending(future));
          future.drop();
          assertThrows(() => probe.poll(future), Error, "again: its value was taken");
        });
      });
    }

    it(`${name} throws what dropping throws`, async () => {
      await withProbe((probe) => {
        const future = make(new Leaf<number>().throwAtDrop(NO));
        assert(probe.isPending(future));
        assertStrictEquals(assertThrows(() => future.drop(), Error), NO);
        future.drop();
      });
    });
  }

  it("lends what it borrows: dropping it drops nothing", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    const borrowed = leaf.borrow();
    assert(probe.isPending(borrowed));
    borrowed.drop();
    assertThrows(() => probe.poll(borrowed), Error, "cannot wait for a borrowed future again");
    const again = leaf.borrow();
    leaf.finish(3);
    assertEquals(probe.poll(again), 3);
    assertEquals([leaf.polls, leaf.drops], [2, 0]);
    assertThrows(() => probe.poll(again), Error, "cannot wait for a borrowed future again");
    const failing = new Leaf<number>().fail(NO).borrow();
    assertThrows(() => probe.poll(failing), Error, "no");
    assertThrows(() => probe.poll(failing), Error, "cannot wait for a borrowed future again");
  });
});

describe("a combinator that is dropped by what it polls", () => {
  it("calls no function for a value or a failure that comes after", () => {
    let calls = 0;
    function next(): Future<number> {
      calls++;
      return ready(2);
    }
    const mapped: Future<unknown> = lazy(() => mapped.drop()).map(next);
    const going: Future<unknown> = lazy(() => going.drop()).andThen(next);
    for (const future of [mapped, going]) assert(new Probe().isPending(future));
    const failing: Future<unknown> = lazy(() => {
      failing.drop();
      throw NO;
    }).orElse(next);
    assertStrictEquals(assertThrows(() => new Probe().poll(failing), Error), NO);
    assertEquals(calls, 0);
  });

  for (const [name, make] of Object.entries(METHODS)) {
    it(`${name} drops it, once, and is not polled again`, async () => {
      await withProbe((probe) => {
        let drops = 0;
        let polls = 0;
        const future = make(pollFn<number>(() => {
          polls++;
          future.drop();
          return Pending;
        }, () => drops++));
        assert(probe.isPending(future));
        future.drop();
        assertEquals([polls, drops], [1, 1]);
      });
    });
  }
});
