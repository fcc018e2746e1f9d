import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, ready, run } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { Leaf } from "../leaf.ts";
import { Probe } from "../probe.ts";
import { HandFed } from "./hand_fed.ts";

/** An array's items, with pauses before them. */
function paused(items: readonly number[], pauses: readonly boolean[]): HandFed<number> {
  const source = new HandFed<number>();
  items.forEach((item, i) => (pauses[i % pauses.length] ? source.pend() : source).push(item));
  return source.end();
}

/** Polled whenever it is woken. Fails where it waits without being woken. */
function collected<T>(stream: Stream<T>): T[] {
  const probe = new Probe();
  const items = stream.collect();
  for (let wakes = 0;; wakes = probe.wakes) {
    coop.left = BUDGET;
    const all = probe.poll(items);
    if (all !== Pending) return all;
    if (probe.wakes === wakes) throw new Error("it waits, and nothing wakes it");
  }
}

function cut<T>(items: readonly T[], n: number): T[][] {
  return items.length === 0 ? [] : [items.slice(0, n), ...cut(items.slice(n), n)];
}

function indexOr(items: readonly number[], f: (n: number) => boolean): number {
  const at = items.findIndex(f);
  return at === -1 ? items.length : at;
}

type Case = readonly [
  name: string,
  ours: (source: Stream<number>, n: number) => Stream<unknown>,
  expected: (items: readonly number[], n: number) => readonly unknown[],
];

const CASES: readonly Case[] = [
  ["map", (s, n) => s.map((x) => x * n), (a, n) => a.map((x) => x * n)],
  ["andThen", (s, n) => s.andThen((x) => ready(x + n)), (a, n) => a.map((x) => x + n)],
  ["filter", (s, n) => s.filter((x) => x > n), (a, n) => a.filter((x) => x > n)],
  [
    "filterMap",
    (s, n) => s.filterMap((x) => x > n ? x - n : undefined),
    (a, n) => a.filter((x) => x > n).map((x) => x - n),
  ],
  [
    "flatMap",
    (s, n) => s.flatMap((x) => Array(n).fill(x)),
    (a, n) => a.flatMap((x) => Array(n).fill(x)),
  ],
  ["enumerate", (s) => s.enumerate(), (a) => a.map((x, i) => [i, x])],
  ["inspect", (s) => s.inspect(() => 0), (a) => a],
  [
    "scan",
    (s, n) => s.scan(n, (sum, x) => sum + x),
    (a, n) => a.map((_, i) => a.slice(0, i + 1).reduce((sum, x) => sum + x, n)),
  ],
  ["take", (s, n) => s.take(n), (a, n) => a.slice(0, n)],
  ["takeWhile", (s, n) => s.takeWhile((x) => x < n), (a, n) => a.slice(0, indexOr(a, (x) => x >= n))],
  [
    "mapWhile",
    (s, n) => s.mapWhile((x) => x < n ? -x : Ended),
    (a, n) => a.slice(0, indexOr(a, (x) => x >= n)).map((x) => -x),
  ],
  ["skip", (s, n) => s.skip(n), (a, n) => a.slice(n)],
  ["skipWhile", (s, n) => s.skipWhile((x) => x < n), (a, n) => a.slice(indexOr(a, (x) => x >= n))],
  ["chain", (s, n) => s.chain([n, n]), (a, n) => [...a, n, n]],
  ["zip", (s, n) => s.zip(Array(n).fill(7)), (a, n) => a.slice(0, n).map((x) => [x, 7])],
  ["zip with what pauses", (s, n) => Stream.repeat(n).zip(s), (a, n) => a.map((x) => [n, x])],
  ["chunks", (s, n) => s.chunks(n + 1), (a, n) => cut(a, n + 1)],
  ["buffered", (s, n) => s.map((x) => ready(x)).buffered(n + 1), (a) => a],
  ["peekable", (s) => s.peekable(), (a) => a],
  ["fuse", (s) => s.fuse(), (a) => a],
];

for (const [name, ours, expected] of CASES) {
  describe(`${name} of a stream`, () => {
    it("gives what an array's would, wherever its source pauses", () => {
      fc.assert(fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.integer({ min: 0, max: 9 }),
        (items, pauses, n) =>
          assertEquals(collected(ours(paused(items, pauses), n)), [...expected(items, n)]),
      ));
    });
  });
}

describe("a stream's operator", () => {
  it("merge gives all items of both, each side's in its order, wherever they pause", () => {
    fc.assert(fc.property(
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (left, right, pauses) => {
        const both = collected(
          paused(left, pauses).map((item) => ({ side: "left", item }))
            .merge(paused(right, pauses.toReversed()).map((item) => ({ side: "right", item }))),
        );
        assertEquals(both.filter(({ side }) => side === "left").map(({ item }) => item), left);
        assertEquals(both.filter(({ side }) => side === "right").map(({ item }) => item), right);
      },
    ));
  });

  it("take drops its source with its last item, and take(0) without polling it", () => {
    const probe = new Probe();
    const source = new HandFed(1, 2, 3);
    const stream = source.take(2);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertEquals(source.drops, 0);
    assertStrictEquals(stream.pollNext(probe), 2);
    assertEquals(source.drops, 1);
    const unpolled = new HandFed(1);
    assertStrictEquals(unpolled.take(0).pollNext(probe), Ended);
    assertEquals([unpolled.polls, unpolled.drops], [0, 1]);
  });

  it("takeWhile and mapWhile drop their source with the item that ends them", () => {
    const [first, second] = [new HandFed(1, 2), new HandFed(1, 2)];
    assertEquals(collected(first.takeWhile((n) => n < 2)), [1]);
    assertEquals(collected(second.mapWhile((n) => n < 2 ? n : Ended)), [1]);
    assertEquals([first.polls, first.drops, second.polls, second.drops], [2, 1, 2, 1]);
  });

  it("skipWhile asks about no item after the first that it gave", () => {
    let calls = 0;
    const stream = Stream.from([1, 5, 1, 5]).skipWhile((n) => {
      calls++;
      return n < 5;
    });
    assertEquals(collected(stream), [5, 1, 5]);
    assertEquals(calls, 2);
  });

  it("chain does not poll the second stream before the first has ended", () => {
    const probe = new Probe();
    const [first, second] = [new HandFed(1), new HandFed(2).end()];
    const stream = first.chain(second);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertEquals(second.polls, 0);
    first.end();
    assertStrictEquals(stream.pollNext(probe), 2);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("zip drops the other stream where one has ended, and keeps an item until its fellow comes", () => {
    const probe = new Probe();
    const [left, right] = [new HandFed(1).end(), new HandFed<string>()];
    const stream = left.zip(right);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertStrictEquals(stream.pollNext(probe), Pending);
    right.push("one");
    assertEquals(stream.pollNext(probe), [1, "one"]);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals([left.drops, right.drops], [0, 1]);
  });

  it("merge takes turns where both have items, and goes on with the one that is left", () => {
    const merged = new HandFed(1, 1, 1).end().merge(new HandFed(2, 2).end());
    assertEquals(collected(merged), [1, 2, 1, 2, 1]);
    const unequal = new HandFed(1).end().merge(new HandFed(2, 2, 2).end());
    assertEquals(collected(unequal), [1, 2, 2, 2]);
  });

  it("merge gives what comes on either side while the other waits, and ends with both", () => {
    const probe = new Probe();
    const [left, right] = [new HandFed<number>(), new HandFed<number>()];
    const stream = left.merge(right);
    assertStrictEquals(stream.pollNext(probe), Pending);
    right.push(2);
    assertEquals(probe.wakes, 1);
    assertStrictEquals(stream.pollNext(probe), 2);
    left.end();
    assertStrictEquals(stream.pollNext(probe), Pending);
    right.end();
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("merge drops both where one fails, and the other where that is all there is", () => {
    const probe = new Probe();
    const [left, right] = [new HandFed<number>().fail(new RangeError("broken")), new HandFed<number>()];
    const stream = left.merge(right);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertEquals(right.drops, 1);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("andThen waits for one future after another, and drops the one under way", () => {
    const probe = new Probe();
    const [first, second] = [new Leaf<string>(), new Leaf<string>()];
    const source = new HandFed(first, second);
    const stream = source.andThen((leaf) => leaf);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertEquals([first.polls, second.polls], [1, 0]);
    first.finish("first");
    assertStrictEquals(stream.pollNext(probe), "first");
    assertStrictEquals(stream.pollNext(probe), Pending);
    stream.drop();
    assertEquals([first.drops, second.drops, source.drops], [0, 1, 1]);
  });

  it("andThen fails with what a future fails with, and does not drop that", () => {
    const leaf = new Leaf<number>().fail(new RangeError("broken"));
    const source = new HandFed(leaf);
    const stream = source.andThen((leaf) => leaf);
    assertThrows(() => stream.pollNext(new Probe()), RangeError, "broken");
    assertEquals([leaf.drops, source.drops], [0, 1]);
  });

  it("andThen waits for async functions and coroutines", async () => {
    function* increased(n: number): Coroutine<number> {
      return 1 + (yield* ready(n));
    }
    const items = await run(() =>
      Stream.from([1, 2]).andThen(async (n) => await Promise.resolve(10 * n)).andThen(increased).collect()
    );
    assertEquals(items, [11, 21]);
  });

  it("flatMap drops the inner stream, too", () => {
    const probe = new Probe();
    const inner = new HandFed("a");
    const source = new HandFed(1);
    const stream = source.flatMap(() => inner);
    assertStrictEquals(stream.pollNext(probe), "a");
    assertStrictEquals(stream.pollNext(probe), Pending);
    stream.drop();
    assertEquals([inner.drops, source.drops], [1, 1]);
  });

  it("flatMap refuses what is no stream, and drops its source", () => {
    const source = new HandFed(1);
    const stream = source.flatMap(() => JSON.parse("1"));
    assertThrows(() => stream.pollNext(new Probe()), TypeError, "cannot make a stream of 1");
    assertEquals(source.drops, 1);
  });

  it("chunks gives what has come before a failure first", () => {
    const probe = new Probe();
    const source = new HandFed(1, 2, 3).fail(new RangeError("broken"));
    const stream = source.chunks(2);
    assertEquals(stream.pollNext(probe), [1, 2]);
    assertEquals(stream.pollNext(probe), [3]);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("chunks keeps what has come while it waits for the rest", () => {
    const probe = new Probe();
    const source = new HandFed(1);
    const stream = source.chunks(2);
    assertStrictEquals(stream.pollNext(probe), Pending);
    source.push(2);
    assertEquals(stream.pollNext(probe), [1, 2]);
  });

  it("peekable shows the next item without taking it", async () => {
    await run(async () => {
      const stream = Stream.from([1, 2]).peekable();
      assertStrictEquals(await stream.peek(), 1);
      assertStrictEquals(await stream.peek(), 1);
      assertStrictEquals(await stream.next(), 1);
      assertStrictEquals(await stream.next(), 2);
      assertStrictEquals(await stream.peek(), Ended);
      assertStrictEquals(await stream.next(), Ended);
    });
  });

  it("peekable polls its source once for the item that it shows, and passes Pending on", () => {
    const probe = new Probe();
    const source = new HandFed<number>();
    const stream = source.peekable();
    assertStrictEquals(stream.pollPeek(probe), Pending);
    source.push(1);
    assertStrictEquals(stream.pollPeek(probe), 1);
    assertStrictEquals(stream.pollPeek(probe), 1);
    assertEquals(source.polls, 2);
    stream.drop();
    assertStrictEquals(stream.pollPeek(probe), Ended);
  });

  it("takeUntil ends with its future, and drops the source then, or the future at the source's end", () => {
    const probe = new Probe();
    const [source, end] = [new HandFed(1), new Leaf<string>()];
    const stream = source.takeUntil(end);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Pending);
    source.push(2);
    end.finish("over");
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals([source.drops, end.drops], [1, 0]);
    const never = new Leaf<string>();
    assertEquals(collected(new HandFed(1).end().takeUntil(never)), [1]);
    assertEquals(never.drops, 1);
  });

  it("takeUntil fails with what its future fails with", () => {
    const source = new HandFed(1);
    const stream = source.takeUntil(new Leaf<string>().fail(new RangeError("broken")));
    assertThrows(() => stream.pollNext(new Probe()), RangeError, "broken");
    assertEquals(source.drops, 1);
  });

  it("abortable fails with the signal's reason, wakes who waits, and listens no more then", () => {
    const probe = new Probe();
    const controller = new AbortController();
    const source = new HandFed(1);
    const stream = source.abortable(controller.signal);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Pending);
    controller.abort(new RangeError("enough"));
    assertEquals(probe.wakes, 1);
    assertThrows(() => stream.pollNext(probe), RangeError, "enough");
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals(source.drops, 1);
  });

  it("abortable polls nothing where the signal was aborted before, and wakes nobody after it was dropped", () => {
    const probe = new Probe();
    const aborted = new HandFed(1);
    assertThrows(
      () => aborted.abortable(AbortSignal.abort(new RangeError("enough"))).pollNext(probe),
      RangeError,
      "enough",
    );
    assertEquals([aborted.polls, aborted.drops], [0, 1]);
    const controller = new AbortController();
    const stream = new HandFed<number>().abortable(controller.signal);
    assertStrictEquals(stream.pollNext(probe), Pending);
    let removals = 0;
    const { removeEventListener } = controller.signal;
    Object.defineProperty(controller.signal, "removeEventListener", {
      value(...args: unknown[]) {
        removals++;
        Reflect.apply(removeEventListener, controller.signal, args);
      },
    });
    stream.drop();
    controller.abort();
    assertEquals([probe.wakes, removals], [0, 1]);
  });

  it("fuse holds on to the end of a stream that does not", () => {
    const probe = new Probe();
    let polls = 0;
    class Forgetful extends Stream<number> {
      override pollNext(): number | Ended {
        return polls++ % 2 === 0 ? polls : Ended;
      }
    }
    const stream = new Forgetful().fuse();
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals(polls, 2);
  });
});

describe("a stream's end", () => {
  it("fold accumulates the items, wherever they pause", () => {
    const probe = new Probe();
    const source = new HandFed(1, 2);
    const sum = source.fold(10, (sum, n) => sum + n);
    assertStrictEquals(probe.poll(sum), Pending);
    source.push(3).end();
    assertStrictEquals(probe.poll(sum), 16);
    assertThrows(() => probe.poll(sum), Error, "cannot wait for a stream's last value again");
  });

  it("collect of no items is an empty array", () => {
    assertEquals(collected(Stream.empty()), []);
  });

  it("forEach waits for what its function gives, and drops it where it is dropped", () => {
    const probe = new Probe();
    const [leaf, source] = [new Leaf<void>(), new HandFed(1, 2)];
    const end = source.forEach(() => leaf);
    assertStrictEquals(probe.poll(end), Pending);
    assertStrictEquals(probe.poll(end), Pending);
    assertEquals([leaf.polls, source.polls], [2, 1]);
    end.drop();
    end.drop();
    assertEquals([leaf.drops, source.drops], [1, 1]);
  });

  it("forEach goes on at once where its function gives nothing to wait for", async () => {
    const seen: number[] = [];
    await run(() => Stream.from([1, 2, 3]).forEach((n) => seen.push(n)));
    await run(() => Stream.from([4]).forEach(async (n) => seen.push(await Promise.resolve(n))));
    assertEquals(seen, [1, 2, 3, 4]);
  });

  it("forEach throws where it is awaited again", () => {
    const probe = new Probe();
    const end = new HandFed().end().forEach(() => 0);
    assertStrictEquals(probe.poll(end), undefined);
    assertThrows(() => probe.poll(end), Error, "cannot wait for the end of forEach() again");
  });
});
