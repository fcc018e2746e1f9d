import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Context, Future, never, Pending, ready, run } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { Probe } from "../probe.ts";
import { HandFed } from "./hand_fed.ts";

type Numbers = Stream<number>;

/** With a function that does nothing of note, and that a test may have throw. */
type Operator = (source: Numbers, f: <T>(value: T) => T) => Stream<unknown>;

const CALLING: Readonly<Record<string, Operator>> = {
  map: (source, f) => source.map((n) => f(n)),
  andThen: (source, f) => source.andThen((n) => f(ready(n))),
  filter: (source, f) => source.filter(() => f(true)),
  filterMap: (source, f) => source.filterMap((n) => f(n)),
  flatMap: (source, f) => source.flatMap((n) => f([n])),
  inspect: (source, f) => source.inspect((n) => void f(n)),
  scan: (source, f) => source.scan(0, (sum, n) => f(sum + n)),
  takeWhile: (source, f) => source.takeWhile(() => f(true)),
  mapWhile: (source, f) => source.mapWhile((n) => f(n)),
  skipWhile: (source, f) => source.skipWhile(() => f(false)),
  forEach: (source, f) => Stream.once(source.forEach((n) => f(n))),
  "forEach, with a future": (source, f) => Stream.once(source.forEach((n) => f(ready(n)))),
  fold: (source, f) => Stream.once(source.fold(0, (sum, n) => f(sum + n))),
};

const OTHERS: Readonly<Record<string, Operator>> = {
  enumerate: (source) => source.enumerate(),
  take: (source) => source.take(100),
  skip: (source) => source.skip(1),
  takeUntil: (source) => source.takeUntil(never()),
  fuse: (source) => source.fuse(),
  peekable: (source) => source.peekable(),
  "chain, first": (source) => source.chain([10, 11]),
  "chain, second": (source) => Stream.from([10]).chain(source),
  "zip, left": (source) => source.zip(Stream.repeat(0)),
  "zip, right": (source) => Stream.repeat(0).zip(source),
  "merge, left": (source) => source.merge([7]),
  "merge, right": (source) => Stream.from([7]).merge(source),
  chunks: (source) => source.chunks(2),
  chunksTimeout: (source) => source.chunksTimeout(2, 5),
  buffered: (source) => source.map((n) => ready(n)).buffered(2),
  bufferedUnordered: (source) => source.map((n) => ready(n)).bufferedUnordered(2),
  throttle: (source) => source.throttle(0),
  debounce: (source) => source.debounce(5),
  timeout: (source) => source.timeout(5),
  abortable: (source) => source.abortable(new AbortController().signal),
  collect: (source) => Stream.once(source.collect()),
};

const ALL = { ...CALLING, ...OTHERS };

function same<T>(value: T): T {
  return value;
}

/** Polls to the end or to what it waits for, and counts the items. */
function drain(stream: Stream<unknown>, probe: Context): { items: number; end: unknown } {
  for (let items = 0;; items++) {
    coop.left = BUDGET;
    const item = stream.pollNext(probe);
    if (item === Ended || item === Pending) return { items, end: item };
    assert(items < 1000, "it does not end");
  }
}

/** Sleeps are registered with a runtime, whose clock stands. */
function inRuntime(test: () => void): () => Promise<void> {
  return () =>
    run(() => {
      test();
      return ready(undefined);
    }, { clock: "paused" });
}

for (const [name, operator] of Object.entries(ALL)) {
  describe(`${name}, as every operator,`, () => {
    it(
      "polls nothing before it is polled, and drops its source unpolled",
      inRuntime(() => {
        const source = new HandFed(1, 2, 3);
        const stream = operator(source, same);
        assertEquals(source.polls, 0);
        stream.drop();
        assertEquals([source.polls, source.drops], [0, 1]);
        assertStrictEquals(stream.pollNext(new Probe()), Ended);
      }),
    );

    it(
      "drops its source once, wherever it is dropped, or not where that has ended",
      inRuntime(() => {
        for (let polls = 1; polls < 12; polls++) {
          const source = new HandFed<number>().pend().push(1).pend().push(2, 3).pend().pend().push(4).end();
          const stream = operator(source, same);
          const probe = new Probe();
          for (let i = 0; i < polls; i++) {
            coop.left = BUDGET;
            stream.pollNext(probe);
          }
          stream.drop();
          stream.drop();
          assertEquals(source.drops, source.hasEnded ? 0 : 1);
          coop.left = BUDGET;
          assertStrictEquals(stream.pollNext(probe), Ended);
        }
      }),
    );

    it(
      "stays ended, and does not poll its source again",
      inRuntime(() => {
        const source = new HandFed(1, 2, 3).end();
        const stream = operator(source, same);
        const probe = new Probe();
        const { items, end } = drain(stream, probe);
        assertStrictEquals(end, Ended);
        assert(items > 0);
        assertEquals(drain(stream, probe), { items: 0, end: Ended });
        assertEquals([source.hasEnded, source.drops], [true, 0]);
      }),
    );

    it(
      "passes its source's failure on once, and has ended",
      inRuntime(() => {
        const source = new HandFed(1, 2, 3).fail(new RangeError("broken"));
        const stream = operator(source, same);
        const probe = new Probe();
        assertThrows(() => drain(stream, probe), RangeError, "broken");
        assertEquals(drain(stream, probe), { items: 0, end: Ended });
        assert(source.drops <= 1);
        stream.drop();
        assert(source.drops <= 1);
      }),
    );

    it(
      "wakes who has polled it last where its source has an item",
      inRuntime(() => {
        const source = new HandFed<number>();
        const stream = operator(source, same);
        const [first, last] = [new Probe(), new Probe()];
        drain(stream, first);
        drain(stream, last);
        const before = [first.wakes, last.wakes];
        source.push(1, 2);
        assertEquals([first.wakes, last.wakes > before[1]], [before[0], true]);
      }),
    );
  });
}

for (const [name, operator] of Object.entries(CALLING)) {
  describe(`${name}, as every operator with a function,`, () => {
    it("drops its source once where that throws, throws its error, and has ended", () => {
      for (let calls = 1; calls <= 3; calls++) {
        const source = new HandFed(1, 2, 3, 4).end();
        let left = calls;
        const stream = operator(source, (value) => {
          if (--left === 0) throw new RangeError("thrown by the function");
          return value;
        });
        const probe = new Probe();
        if (name === "skipWhile" && calls > 1) continue;
        assertThrows(() => drain(stream, probe), RangeError, "thrown by the function");
        assertEquals(source.drops, 1);
        assertEquals(drain(stream, probe), { items: 0, end: Ended });
        stream.drop();
        assertEquals(source.drops, 1);
      }
    });

    it("throws both errors where dropping its source throws, too", () => {
      const source = new HandFed(1).throwAtDrop(new RangeError("stuck"));
      const stream = operator(source, () => {
        throw new RangeError("thrown by the function");
      });
      const thrown = assertThrows(() => drain(stream, new Probe()), SuppressedError);
      assertEquals([String(thrown.error), String(thrown.suppressed)], [
        "RangeError: stuck",
        "RangeError: thrown by the function",
      ]);
    });

    it("polls nothing more where its function drops it", () => {
      const source = new HandFed(1, 2, 3).end();
      const stream: Stream<unknown> = operator(source, (value) => {
        stream.drop();
        return value;
      });
      const probe = new Probe();
      if (name.startsWith("fo")) assertThrows(() => stream.pollNext(probe), Error, "again");
      else assert(drain(stream, probe).items <= 1);
      assertEquals([source.polls, source.drops], [1, 1]);
    });
  });
}

describe("an operator's arguments", () => {
  const source = Stream.from([1]);
  const none = JSON.parse("null");

  it("are refused where they are no functions", () => {
    for (
      const wrong of [
        () => source.map(none),
        () => source.andThen(none),
        () => source.filter(none),
        () => source.filterMap(none),
        () => source.flatMap(none),
        () => source.inspect(none),
        () => source.scan(0, none),
        () => source.takeWhile(none),
        () => source.mapWhile(none),
        () => source.skipWhile(none),
        () => source.forEach(none),
        () => source.fold(0, none),
        () => Stream.generate(none),
        () => Stream.unfold(0, none),
        () => Stream.fromPoll(none),
      ]
    ) assertThrows(wrong, TypeError, "f is null, and no function");
  });

  it("are refused where they are no counts", () => {
    for (const n of [-1, 1.5, NaN, none]) {
      assertThrows(() => source.take(n), RangeError, `n is ${n}, not an integer from 0`);
      assertThrows(() => source.skip(n), RangeError, `n is ${n}, not an integer from 0`);
    }
    const futures = source.map((n) => ready(n));
    for (const n of [0, -1, 1.5, NaN, none]) {
      assertThrows(() => source.chunks(n), RangeError, `n is ${n}, not an integer from 1`);
      assertThrows(() => source.chunksTimeout(n, 1), RangeError, `n is ${n}, not an integer from 1`);
      assertThrows(() => futures.buffered(n), RangeError, `n is ${n}, not an integer from 1`);
      assertThrows(() => futures.bufferedUnordered(n), RangeError, `n is ${n}, not an integer from 1`);
    }
  });

  it("are refused where they are no times", () => {
    for (const ms of [-1, NaN, none]) {
      assertThrows(() => source.chunksTimeout(1, ms), RangeError, `ms is ${ms}, not a count of milliseconds`);
      assertThrows(() => source.timeout(ms), RangeError, `ms is ${ms}, not a count of milliseconds`);
      assertThrows(() => source.throttle(ms), RangeError, `ms is ${ms}, not a count of milliseconds`);
      assertThrows(() => source.debounce(ms), RangeError, `ms is ${ms}, not a count of milliseconds`);
    }
  });

  it("are refused where they are no streams, futures or signals", () => {
    for (const wrong of [() => source.chain(none), () => source.zip(none), () => source.merge(none)]) {
      assertThrows(wrong, TypeError, "cannot make a stream of null");
    }
    assertThrows(() => source.takeUntil(none), TypeError, "cannot make a task of null");
    assertThrows(() => source.abortable(none), TypeError, "signal is no AbortSignal");
  });

  it("leave the source as it was where they are refused", () => {
    assertThrows(() => source.take(-1), RangeError);
    assertStrictEquals(source.pollNext(new Probe()), 1);
  });
});

describe("a pipeline", () => {
  it("gives way where its source always has an item", () => {
    class Count extends Future<number> {
      #fold = Stream.repeat(1).filter(() => false).map((n) => n).collect();
      override poll(context: Context): number | Pending {
        return this.#fold.poll(context) === Pending ? Pending : 1;
      }
    }
    coop.left = BUDGET;
    const probe = new Probe();
    assert(probe.isPending(new Count()));
    assertEquals([coop.left, probe.wakes], [0, 1]);
  });
});
