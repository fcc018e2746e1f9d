import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { broadcast, LaggedError, mpsc, watch } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, ready, run, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { type Emit, Ended, Stream } from "../../../lib/task/stream.ts";
import { Leaf } from "../leaf.ts";
import { Probe } from "../probe.ts";

/** A loop's source, which tells what was done with it. */
class Told implements Iterable<number>, Iterator<number> {
  readonly calls: string[] = [];

  [Symbol.iterator](): Iterator<number> {
    this.calls.push("begin");
    return this;
  }

  next(): IteratorResult<number> {
    this.calls.push("next");
    const value = this.calls.length;
    return { done: value > 4, value };
  }

  return(): IteratorResult<number> {
    this.calls.push("return");
    return { done: true, value: 0 };
  }
}

describe("the stream of an iterable", () => {
  it("gives what arrays, sets, strings and generators give", async () => {
    function* letters(): Generator<string> {
      yield* ["a", "b"];
    }
    for (const items of [["a", "b"], new Set(["a", "b"]), "ab", letters()]) {
      assertEquals(await run(() => Stream.from(items).collect()), ["a", "b"]);
    }
  });

  it("begins at the first poll, and is not asked again after its end", () => {
    const probe = new Probe();
    const told = new Told();
    const stream = Stream.from(told);
    assertEquals(told.calls, []);
    assertStrictEquals(stream.pollNext(probe), 2);
    assertStrictEquals(stream.pollNext(probe), 3);
    assertStrictEquals(stream.pollNext(probe), 4);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertStrictEquals(stream.pollNext(probe), Ended);
    stream.drop();
    assertEquals(told.calls, ["begin", "next", "next", "next", "next"]);
  });

  it("closes its iterator once where it is dropped, if that has begun", () => {
    const [begun, unbegun] = [new Told(), new Told()];
    const stream = Stream.from(begun);
    stream.pollNext(new Probe());
    stream.drop();
    stream.drop();
    Stream.from(unbegun).drop();
    assertEquals([begun.calls, unbegun.calls], [["begin", "next", "return"], []]);
    assertStrictEquals(stream.pollNext(new Probe()), Ended);
  });

  it("throws what the iterator throws, and has ended", () => {
    function* broken(): Generator<number> {
      yield 1;
      throw new RangeError("broken");
    }
    const probe = new Probe();
    const stream = Stream.from(broken());
    assertStrictEquals(stream.pollNext(probe), 1);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("gives nothing that is appended to an array after its end", () => {
    const probe = new Probe();
    const items = [1];
    const stream = Stream.from(items);
    items.push(2);
    assertEquals([stream.pollNext(probe), stream.pollNext(probe)], [1, 2]);
    assertStrictEquals(stream.pollNext(probe), Ended);
    items.push(3);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("gives way where the task's budget is spent", () => {
    for (
      const stream of [
        Stream.from(Array(1000).fill(0)),
        Stream.from(new Array(1000).keys()),
        Stream.repeat(0),
      ]
    ) {
      const probe = new Probe();
      coop.left = BUDGET;
      for (let i = 0; i < BUDGET; i++) assertStrictEquals(typeof stream.pollNext(probe), "number");
      assertStrictEquals(stream.pollNext(probe), Pending);
      assertEquals(probe.wakes, 1);
      coop.left = BUDGET;
    }
  });

  it("refuses what cannot be gone through", () => {
    for (const wrong of ["1", "null", "{}", "true"]) {
      assertThrows(() => Stream.from(JSON.parse(wrong)), TypeError, "cannot make a stream of");
    }
  });
});

describe("the stream of an async iterable", () => {
  it("gives its items, and begins at the first poll", async () => {
    let begun = false;
    async function* later(): AsyncGenerator<number | undefined> {
      begun = true;
      yield 1;
      await Promise.resolve();
      yield undefined;
    }
    const stream = Stream.from(later());
    assert(!begun);
    assertEquals(await run(() => stream.collect()), [1, undefined]);
  });

  it("throws what the iterable throws, and has ended", async () => {
    // deno-lint-ignore require-yield
    async function* broken(): AsyncGenerator<number> {
      await Promise.resolve();
      throw new RangeError("broken");
    }
    const stream = Stream.from(broken());
    await assertRejects(() => stream.next().toPromise(), RangeError, "broken");
    assertStrictEquals(await stream.next(), Ended);
  });

  it("closes its iterator where it is dropped, and runs its finally blocks", async () => {
    const calls: string[] = [];
    async function* told(): AsyncGenerator<number> {
      try {
        await Promise.resolve();
        yield 1;
        yield 2;
      } finally {
        calls.push("finally");
      }
    }
    for await (const item of Stream.from(told())) {
      calls.push(String(item));
      break;
    }
    await Promise.resolve();
    assertEquals(calls, ["1", "finally"]);
  });

  it("loses no item where a next() is dropped", async () => {
    await run(async () => {
      async function* slow(): AsyncGenerator<number> {
        for (let i = 0; i < 3; i++) {
          await sleep(5);
          yield i;
        }
      }
      const stream = Stream.from(slow());
      const items: (number | Ended)[] = [];
      while (items.at(-1) !== Ended) {
        await stream.next().timeout(2).toPromise().then((item) => items.push(item), () => {});
      }
      assertEquals(items, [0, 1, 2, Ended]);
    }, { clock: "paused" });
  });
});

describe("Stream.once()", () => {
  it("gives the future's value, once", () => {
    const probe = new Probe();
    const leaf = new Leaf<number>();
    const stream = Stream.once(leaf);
    assertStrictEquals(stream.pollNext(probe), Pending);
    leaf.finish(1);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Ended);
    stream.drop();
    assertEquals(leaf.drops, 0);
  });

  it("drops the future once where it is dropped, and fails with what it fails with", () => {
    const probe = new Probe();
    const [leaf, failing] = [new Leaf<number>(), new Leaf<number>().fail(new RangeError("broken"))];
    const stream = Stream.once(leaf);
    stream.drop();
    stream.drop();
    assertEquals(leaf.drops, 1);
    const failed = Stream.once(failing);
    assertThrows(() => failed.pollNext(probe), RangeError, "broken");
    assertStrictEquals(failed.pollNext(probe), Ended);
  });
});

describe("Stream.empty(), pending() and repeat()", () => {
  it("give nothing at once, nothing ever, and one thing for ever", () => {
    const probe = new Probe();
    assertStrictEquals(Stream.empty().pollNext(probe), Ended);
    const [pending, repeated] = [Stream.pending(), Stream.repeat(7)];
    assertStrictEquals(pending.pollNext(probe), Pending);
    assertEquals([repeated.pollNext(probe), repeated.pollNext(probe)], [7, 7]);
    pending.drop();
    repeated.drop();
    assertStrictEquals(pending.pollNext(probe), Ended);
    assertStrictEquals(repeated.pollNext(probe), Ended);
    assertEquals(probe.wakes, 0);
  });
});

describe("Stream.fromPoll()", () => {
  it("polls its function until that gives Ended, and drops nothing then", () => {
    const probe = new Probe();
    let drops = 0;
    const steps = [Pending, 1, Ended] as const;
    let at = 0;
    const stream = Stream.fromPoll<number>(() => steps[at++], () => drops++);
    assertStrictEquals(stream.pollNext(probe), Pending);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertStrictEquals(stream.pollNext(probe), Ended);
    stream.drop();
    assertEquals([at, drops], [3, 0]);
  });

  it("calls drop once where it is abandoned, and not where the function has thrown", () => {
    const probe = new Probe();
    let drops = 0;
    const stream = Stream.fromPoll(() => Pending, () => drops++);
    stream.drop();
    stream.drop();
    assertEquals(drops, 1);
    const broken = Stream.fromPoll(() => {
      throw new RangeError("broken");
    }, () => drops++);
    assertThrows(() => broken.pollNext(probe), RangeError, "broken");
    assertStrictEquals(broken.pollNext(probe), Ended);
    broken.drop();
    assertEquals(drops, 1);
  });
});

describe("Stream.generate()", () => {
  function* counting(emit: Emit<number>): Coroutine<void> {
    for (let i = 0; i < 3; i++) {
      yield* sleep(1);
      yield* emit(i);
    }
  }

  it("gives what the coroutine emits, between its waits", async () => {
    assertEquals(await run(() => Stream.generate(counting).collect()), [0, 1, 2]);
  });

  it("runs nothing before it is polled, and goes on only where the next item is asked for", () => {
    const probe = new Probe();
    const told: string[] = [];
    function* telling(emit: Emit<string>): Coroutine<void> {
      told.push("begun");
      yield* emit("a");
      told.push("asked");
      yield* emit("b");
    }
    const stream = Stream.generate(telling);
    assertEquals(told, []);
    assertStrictEquals(stream.pollNext(probe), "a");
    assertEquals(told, ["begun"]);
    assertStrictEquals(stream.pollNext(probe), "b");
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals(told, ["begun", "asked"]);
  });

  it("runs the coroutine's finally blocks where it is dropped, at once", () => {
    const probe = new Probe();
    const told: string[] = [];
    function* telling(emit: Emit<string>): Coroutine<void> {
      try {
        yield* emit("a");
      } finally {
        told.push("finally");
      }
    }
    const stream = Stream.generate(telling);
    assertStrictEquals(stream.pollNext(probe), "a");
    stream.drop();
    stream.drop();
    assertEquals(told, ["finally"]);
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("fails with what the coroutine throws, and has ended", () => {
    const probe = new Probe();
    function* broken(emit: Emit<number>): Coroutine<void> {
      yield* emit(1);
      throw new RangeError("broken");
    }
    const stream = Stream.generate(broken);
    assertStrictEquals(stream.pollNext(probe), 1);
    assertThrows(() => stream.pollNext(probe), RangeError, "broken");
    assertStrictEquals(stream.pollNext(probe), Ended);
  });

  it("gives way where it emits without end", () => {
    const probe = new Probe();
    function* endless(emit: Emit<number>): Coroutine<void> {
      for (;;) yield* emit(1);
    }
    coop.left = BUDGET;
    const count = Stream.generate(endless).fold(0, (sum, n) => sum + n);
    assertStrictEquals(probe.poll(count), Pending);
    assertEquals([coop.left, probe.wakes], [0, 1]);
    coop.left = BUDGET;
  });

  it("refuses to emit where the stream is not polled, and twice at once", async () => {
    const escaped: Emit<number>[] = [];
    function* lending(emit: Emit<number>): Coroutine<void> {
      escaped.push(emit);
      yield* emit(1).andThen(() => ready(undefined));
    }
    const stream = Stream.generate(lending);
    assertStrictEquals(stream.pollNext(new Probe()), 1);
    await assertRejects(
      () => escaped[0](2).toPromise(),
      Error,
      "cannot emit: only the stream's own coroutine may",
    );
  });
});

describe("Stream.unfold()", () => {
  it("gives what its function waits for, with a state from each to the next", async () => {
    const powers = Stream.unfold(1, async (n) => {
      await Promise.resolve();
      return n > 8 ? Ended : [n, 2 * n] as const;
    });
    assertEquals(await run(() => powers.collect()), [1, 2, 4, 8]);
  });

  it("drops the future that is under way, and calls nothing after its end or its failure", () => {
    const probe = new Probe();
    const leaf = new Leaf<readonly [number, number]>();
    let calls = 0;
    const stream = Stream.unfold(0, () => {
      calls++;
      return leaf;
    });
    assertStrictEquals(stream.pollNext(probe), Pending);
    stream.drop();
    stream.drop();
    assertStrictEquals(stream.pollNext(probe), Ended);
    assertEquals([leaf.drops, calls], [1, 1]);
    const broken = Stream.unfold(
      0,
      () => new Leaf<readonly [number, number]>().fail(new RangeError("broken")),
    );
    assertThrows(() => broken.pollNext(probe), RangeError, "broken");
    assertStrictEquals(broken.pollNext(probe), Ended);
  });
});

describe("the stream of a channel", () => {
  function* reader(stream: Stream<number>, taken: number[]): Coroutine<void> {
    let item: number | Ended;
    while ((item = yield* stream.next()) !== Ended) taken.push(item);
  }

  it("gives what is sent, and ends once all senders are closed", async () => {
    await run(async () => {
      const [tx, rx] = mpsc<number>(2);
      const all = spawn(() => Stream.from(rx).collect());
      for (let i = 0; i < 5; i++) await tx.send(i);
      tx.close();
      assertEquals(await all, [0, 1, 2, 3, 4]);
    });
  });

  it("closes the receiver where it is dropped, so that senders learn of it", () => {
    const [tx, rx] = mpsc<number>(1);
    const stream = Stream.from(rx);
    assertStrictEquals(stream.pollNext(new Probe()), Pending);
    stream.drop();
    assert(tx.isClosed);
  });

  it("loses no message, wherever its task is aborted", async () => {
    await run(async () => {
      for (let turns = 0; turns < 12; turns++) {
        const [tx, rx] = mpsc<number>(8);
        const taken: number[] = [];
        const stream = Stream.from(rx).map((n) => n);
        const reading = spawn(reader, stream, taken);
        for (let turn = 0; turn < turns; turn++) {
          if (turn < 5) tx.trySend(turn);
          await yieldNow();
        }
        reading.abort();
        tx.close();
        taken.push(...await stream.collect());
        assertEquals(taken, [0, 1, 2, 3, 4].slice(0, turns));
        await reading.toPromise().catch(() => {});
      }
    });
  });

  it("gives a broadcast's messages, and fails where it lags behind", async () => {
    await run(async () => {
      const [tx, rx] = broadcast<number>(2);
      const stream = Stream.from(rx);
      tx.send(1);
      assertStrictEquals(await stream.next(), 1);
      for (const n of [2, 3, 4]) tx.send(n);
      await assertRejects(() => stream.next().toPromise(), LaggedError);
      assertStrictEquals(await stream.next(), Ended);
      assertEquals(tx.receiverCount, 0);
    });
  });

  it("gives a watch's changes, the latest alone, and ends with its senders", async () => {
    await run(async () => {
      const [tx, rx] = watch("a");
      const stream = Stream.changes(rx);
      coop.left = BUDGET;
      assertStrictEquals(stream.pollNext(new Probe()), Pending);
      tx.send("b");
      tx.send("c");
      assertStrictEquals(await stream.next(), "c");
      tx.close();
      assertStrictEquals(await stream.next(), Ended);
      assertStrictEquals(await stream.next(), Ended);
    });
  });

  it("leaves a watch without waking who has waited for its change", () => {
    const probe = new Probe();
    const [tx, rx] = watch("a");
    const stream = Stream.changes(rx);
    coop.left = BUDGET;
    assertStrictEquals(stream.pollNext(probe), Pending);
    stream.drop();
    tx.send("b");
    assertEquals([probe.wakes, tx.receiverCount], [0, 0]);
  });

  it("gives a watch's value at once where its receiver counts it as not seen", async () => {
    await run(async () => {
      const [tx, rx] = watch("a");
      rx.markChanged();
      const stream = Stream.changes(rx);
      assertStrictEquals(await stream.next(), "a");
      stream.drop();
      assertEquals(tx.receiverCount, 0);
    });
  });
});
