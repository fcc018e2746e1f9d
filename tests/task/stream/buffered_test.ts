import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Context, type Coroutine, Future, Pending, ready, run, sleep } from "../../../lib/task/mod.ts";
import { Semaphore } from "../../../lib/task/sync.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { Leaf } from "../leaf.ts";
import { Probe } from "../probe.ts";
import { HandFed } from "./hand_fed.ts";

function leaves(count: number): Leaf<number>[] {
  return Array.from({ length: count }, () => new Leaf<number>());
}

/** What can be had without waiting. */
function available<T>(stream: Stream<T>, probe: Context): T[] {
  const items: T[] = [];
  for (;;) {
    coop.left = BUDGET;
    const item = stream.pollNext(probe);
    if (item === Pending || item === Ended) return items;
    items.push(item);
  }
}

describe("buffered()", () => {
  it("has at most n futures under way, and gives their values in order", () => {
    const probe = new Probe();
    const all = leaves(4);
    const stream = new HandFed(...all).end().buffered(2);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertEquals(all.map((leaf) => leaf.polls), [1, 1, 0, 0]);
    all[1].finish(1);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertEquals(all.map((leaf) => leaf.polls), [1, 2, 0, 0]);
    all[0].finish(0);
    assertEquals(available(stream, probe), [0, 1]);
    assertEquals(all.map((leaf) => leaf.polls), [2, 2, 1, 1]);
    all[3].finish(3);
    all[2].finish(2);
    assertEquals(available(stream, probe), [2, 3]);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("gives a future's failure in its place, then drops the rest and the source", () => {
    const probe = new Probe();
    const all = leaves(3);
    const source = new HandFed(...all);
    const stream = source.buffered(3);
    assertStrictEquals(stream.pollNext(probe), Pending);
    all[1].fail(new RangeError("broken"));
    assertStrictEquals(stream.pollNext(probe), Pending);
    all[0].finish(0);
    assertStrictEquals(stream.pollNext(probe), 0);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals([...all.map((leaf) => leaf.drops), source.drops], [0, 0, 1, 1]);
  });

  it("gives the source's failure behind the values of what came before, and drops the source at once", () => {
    const probe = new Probe();
    const [leaf] = leaves(1);
    const source = new HandFed(leaf).fail(new RangeError("broken"));
    const stream = source.buffered(3);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertEquals(source.drops, 1);
    leaf.finish(5);
    assertStrictEquals(stream.pollNext(probe), 5);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals([leaf.drops, source.drops], [0, 1]);
  });

  it("refuses what cannot be waited for, and drops the source", () => {
    const source = new HandFed<Leaf<number>>(JSON.parse("7"));
    const stream = source.buffered(1);
    assertThrows(() => stream.pollNext(new Probe()), TypeError, "cannot make a task of 7");
    assertEquals(source.drops, 1);
  });

  it("waits for coroutines and promises", async () => {
    function* later(n: number): Coroutine<number> {
      yield* sleep(1);
      return n;
    }
    const items = await run(() =>
      Stream.from([later(1), Promise.resolve(2), ready(3)]).buffered(2).collect()
    );
    assertEquals(items, [1, 2, 3]);
  });
});

describe("bufferedUnordered()", () => {
  it("gives the values as they come, and starts another future for each", () => {
    const probe = new Probe();
    const all = leaves(4);
    const stream = new HandFed(...all).end().bufferedUnordered(2);
    assertStrictEquals(stream.pollNext(probe), Pending);
    all[1].finish(1);
    assertEquals(available(stream, probe), [1]);
    assertEquals(all.map((leaf) => leaf.polls), [1, 2, 1, 0]);
    all[2].finish(2);
    assertEquals(available(stream, probe), [2]);
    all[3].finish(3);
    all[0].finish(0);
    assertEquals(available(stream, probe), [3, 0]);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("fails at once, and drops the rest and the source", () => {
    const probe = new Probe();
    const all = leaves(3);
    const source = new HandFed(...all);
    const stream = source.bufferedUnordered(3);
    assertStrictEquals(stream.pollNext(probe), Pending);
    all[1].fail(new RangeError("broken"));
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertEquals([...all.map((leaf) => leaf.drops), source.drops], [1, 0, 1, 1]);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("has any number under way where n is Infinity", () => {
    const all = leaves(100);
    const stream = new HandFed(...all).bufferedUnordered(Infinity);
    assertStrictEquals(stream.pollNext(new Probe()), Pending);
    assert(all.every((leaf) => leaf.polls === 1));
  });
});

type Buffer = <T>(source: Stream<Future<T>>, n: number) => Stream<T>;

function inOrder<T>(source: Stream<Future<T>>, n: number): Stream<T> {
  return source.buffered(n);
}

function asTheyCome<T>(source: Stream<Future<T>>, n: number): Stream<T> {
  return source.bufferedUnordered(n);
}

for (const ordered of [true, false]) {
  const buffer: Buffer = ordered ? inOrder : asTheyCome;
  const name = ordered ? "buffered()" : "bufferedUnordered()";

  describe(`${name}, as the other one,`, () => {
    it("polls whoever was woken, and nobody else", () => {
      const probe = new Probe();
      const all = leaves(50);
      const source = new HandFed(...all);
      const stream = buffer(source, 60);
      available(stream, probe);
      const { polls } = source;
      for (const [i, leaf] of all.entries()) {
        probe.wakes = 0;
        leaf.finish(i);
        assertEquals(probe.wakes, 1);
        assertEquals(available(stream, probe), [i]);
      }
      assertEquals([all.every((leaf) => leaf.polls === 2), source.polls], [true, polls]);
    });

    it("wakes who polls it once for all that are woken together", () => {
      const probe = new Probe();
      const all = leaves(3);
      const stream = buffer(new HandFed(...all), 5);
      available(stream, probe);
      for (const leaf of all) leaf.finish(0);
      assertEquals(probe.wakes, 1);
      assertEquals(available(stream, probe).length, 3);
    });

    it("polls a future once that is woken twice, and the others as well", () => {
      const probe = new Probe();
      const all = leaves(3);
      const stream = buffer(new HandFed(...all), 5);
      available(stream, probe);
      all[0].waker?.wake();
      for (const i of [1, 0, 2]) all[i].finish(i);
      assertEquals(available(stream, probe).sort(), [0, 1, 2]);
      assertEquals(all.map((leaf) => leaf.polls), [2, 2, 2]);
    });

    it("polls a future that wakes itself once a turn", () => {
      class Restless extends Future<number> {
        polls = 0;
        override poll(context: Context): Pending {
          this.polls++;
          if (this.polls > 10) throw new Error("polled without end");
          context.waker.wake();
          return Pending;
        }
      }
      const probe = new Probe();
      const restless = new Restless();
      const stream = buffer(new HandFed<Future<number>>(restless), 2);
      assertStrictEquals(stream.pollNext(probe), Pending);
      assertStrictEquals(stream.pollNext(probe), Pending);
      assert(restless.polls <= 3);
      assert(probe.wakes > 0);
    });

    it("polls no future where the budget is spent, and all of them in the next turn", () => {
      const probe = new Probe();
      const all = leaves(3);
      const stream = buffer(new HandFed(...all), 5);
      available(stream, probe);
      for (const leaf of all) leaf.finish(1);
      probe.wakes = 0;
      coop.left = 0;
      assertStrictEquals(stream.pollNext(probe), Pending);
      assertEquals([all.map((leaf) => leaf.polls), probe.wakes], [[1, 1, 1], 1]);
      assertEquals(available(stream, probe), [1, 1, 1]);
    });

    it("wakes nobody once it was dropped", () => {
      const probe = new Probe();
      const [leaf] = leaves(1);
      const stream = buffer(new HandFed(leaf), 2);
      available(stream, probe);
      stream.drop();
      leaf.waker?.wake();
      assertEquals(probe.wakes, 0);
    });

    it("asks its source where that was woken and there is room", () => {
      const probe = new Probe();
      const source = new HandFed<Future<number>>();
      const stream = buffer(source, 1);
      assertStrictEquals(stream.pollNext(probe), Pending);
      source.push(ready(1));
      assertEquals([probe.wakes, available(stream, probe)], [1, [1]]);
      source.end();
      assertStrictEquals(stream.pollNext(probe), Ended);
    });

    it("drops each future that is under way and its source, once, wherever it is dropped", () => {
      for (let finished = 0; finished <= 4; finished++) {
        const probe = new Probe();
        const all = leaves(4);
        const source = new HandFed(...all);
        const stream = buffer(source, 3);
        available(stream, probe);
        for (const leaf of all.slice(0, finished)) {
          leaf.finish(1);
          available(stream, probe);
        }
        stream.drop();
        stream.drop();
        const ends = all.map(({ polls, drops, hasEnded }) => Number(polls === 0) + drops + Number(hasEnded));
        assertEquals([ends, source.drops], [[1, 1, 1, 1], 1]);
        assertStrictEquals(stream.pollNext(probe), Ended);
      }
    });

    it("drops the others where dropping one throws", () => {
      const all = leaves(3);
      all[0].throwAtDrop(new RangeError("stuck"));
      const source = new HandFed(...all);
      const stream = buffer(source, 3);
      available(stream, new Probe());
      assertThrows(() => stream.drop(), RangeError, "stuck");
      assertEquals([...all.map((leaf) => leaf.drops), source.drops], [1, 1, 1, 1]);
    });

    it("conserves permits, wherever it is dropped", async () => {
      function* holding(semaphore: Semaphore, n: number): Coroutine<number> {
        using _ = yield* semaphore.acquire();
        yield* sleep(n % 3);
        return n;
      }
      await run(async () => {
        for (let taken = 0; taken <= 6; taken++) {
          const semaphore = new Semaphore(2);
          const all = Stream.from([3, 1, 2, 5, 4, 0]).map((n) => holding(semaphore, n));
          const stream = (ordered ? all.buffered(4) : all.bufferedUnordered(4)).take(taken);
          assertEquals((await stream.collect()).length, taken);
          assertEquals(semaphore.availablePermits, 2);
        }
      }, { clock: "paused" });
    });

    it("gives way where its source and its futures are always ready", () => {
      class Hungry extends Future<number> {
        override poll(): number {
          return 1;
        }
      }
      const probe = new Probe();
      const stream = buffer(Stream.repeat(0).map(() => new Hungry()), 4);
      coop.left = BUDGET;
      let items = 0;
      while (stream.pollNext(probe) !== Pending) items++;
      assert(items <= BUDGET);
      assert(probe.wakes > 0);
    });

    it("gives every value once, whatever finishes when", () => {
      fc.assert(fc.property(
        fc.array(fc.nat({ max: 9 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (order, n) => {
          const probe = new Probe();
          const all = leaves(10);
          const stream = buffer(new HandFed(...all).end(), n);
          const items = available(stream, probe);
          for (const at of [...order, ...all.keys()]) {
            if (all[at].hasEnded) continue;
            all[at].finish(at);
            items.push(...available(stream, probe));
          }
          const sorted = items.toSorted((a, b) => a - b);
          assertEquals(ordered ? items : sorted, [...all.keys()]);
        },
      ));
    });
  });
}
