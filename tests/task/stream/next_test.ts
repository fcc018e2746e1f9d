import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { mpsc } from "../../../lib/task/channel.ts";
import { type Coroutine, Pending, run, select, sleep, spawn } from "../../../lib/task/mod.ts";
import { Ended, Stream } from "../../../lib/task/stream.ts";
import { Probe } from "../probe.ts";
import { HandFed } from "./hand_fed.ts";

describe("next()", () => {
  it("gives each item, then Ended, and Ended ever after", () => {
    const probe = new Probe();
    const stream = Stream.from([1, undefined]);
    assertStrictEquals(probe.poll(stream.next()), 1);
    assertStrictEquals(probe.poll(stream.next()), undefined);
    assertStrictEquals(probe.poll(stream.next()), Ended);
    assertStrictEquals(probe.poll(stream.next()), Ended);
  });

  it("polls nothing before it is polled", () => {
    const source = new HandFed(1);
    source.next().drop();
    assertEquals(source.polls, 0);
  });

  it("throws where it is polled again after its item", () => {
    const probe = new Probe();
    const next = new HandFed(1, 2).next();
    assertStrictEquals(probe.poll(next), 1);
    assertThrows(() => probe.poll(next), Error, "cannot wait for next() again");
  });

  it("throws where it is polled again after the stream has failed in it", () => {
    const probe = new Probe();
    const next = new HandFed().fail(new RangeError("broken")).next();
    assertThrows(() => probe.poll(next), RangeError, "broken");
    assertThrows(() => probe.poll(next), Error, "cannot wait for next() again");
  });

  it("loses no item where it is dropped while it waits", () => {
    const probe = new Probe();
    const source = new HandFed<number>();
    const first = source.next();
    assertStrictEquals(probe.poll(first), Pending);
    source.push(1);
    first.drop();
    assertStrictEquals(probe.poll(source.next()), 1);
    assertEquals(source.drops, 0);
  });

  it("throws where another next() of the stream waits, until that is dropped", () => {
    const probe = new Probe();
    const source = new HandFed<number>();
    const [first, second] = [source.next(), source.next()];
    assertStrictEquals(probe.poll(first), Pending);
    assertThrows(() => probe.poll(second), Error, "another next() of the stream waits");
    first.drop();
    source.push(7);
    assertStrictEquals(probe.poll(second), 7);
  });

  it("that is dropped unpolled leaves the one that waits alone", () => {
    const probe = new Probe();
    const source = new HandFed<number>();
    const [first, second, third] = [source.next(), source.next(), source.next()];
    assertStrictEquals(probe.poll(first), Pending);
    second.drop();
    assertThrows(() => probe.poll(third), Error, "another next() of the stream waits");
    source.push(7);
    assertStrictEquals(probe.poll(first), 7);
  });

  it("can lose a select again and again without losing an item", async () => {
    function* reader(stream: Stream<number>): Coroutine<number[]> {
      const items: number[] = [];
      for (;;) {
        const { key, value } = yield* select({ item: stream.next(), tick: sleep(0) });
        if (key === "tick") continue;
        if (value === Ended) return items;
        items.push(value);
      }
    }
    const items = await run(async () => {
      const [tx, rx] = mpsc<number>(1);
      const reading = spawn(reader, Stream.from(rx).map((n) => n));
      for (let i = 0; i < 10; i++) {
        await tx.send(i);
        if (i % 3 === 0) await sleep(1);
      }
      tx.close();
      return await reading;
    });
    assertEquals(items, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("is waited for in a coroutine by yield*", async () => {
    function* sum(stream: Stream<number>): Coroutine<number> {
      let sum = 0;
      let item: number | Ended;
      while ((item = yield* stream.next()) !== Ended) sum += item;
      return sum;
    }
    assertEquals(await run(() => sum(Stream.from([1, 2, 3]))), 6);
  });

  it("makes no item of a stream that was dropped", () => {
    const probe = new Probe();
    const stream = Stream.from([1, 2]);
    assertStrictEquals(probe.poll(stream.next()), 1);
    stream.drop();
    assertStrictEquals(probe.poll(stream.next()), Ended);
  });
});

describe("for await over a stream", () => {
  it("goes through its items in and out of a runtime", async () => {
    async function all(): Promise<(number | undefined)[]> {
      const items = [];
      for await (const item of Stream.from([1, undefined, 3])) items.push(item);
      return items;
    }
    assertEquals(await all(), [1, undefined, 3]);
    assertEquals(await run(all), [1, undefined, 3]);
  });

  it("drops the stream where the loop is left", async () => {
    const source = new HandFed(1, 2);
    for await (const item of source) {
      assertEquals(item, 1);
      break;
    }
    assertEquals(source.drops, 1);
  });

  it("throws what the stream fails with, and leaves it ended", async () => {
    const stream = new HandFed(1).fail(new RangeError("broken")).map((n) => n);
    const items: number[] = [];
    await assertRejects(
      async () => {
        for await (const item of stream) items.push(item);
      },
      RangeError,
      "broken",
    );
    assertEquals(items, [1]);
    assertEquals(await stream.collect(), []);
  });

  it("throws what dropping the stream throws where the loop is left", async () => {
    const source = new HandFed(1).throwAtDrop(new RangeError("stuck"));
    await assertRejects(
      async () => {
        for await (const _ of source) break;
      },
      RangeError,
      "stuck",
    );
  });

  it("drops the stream where the runtime ends while the loop waits", async () => {
    const source = new HandFed<number>();
    let loop = Promise.resolve();
    async function reader(): Promise<void> {
      for await (const _ of source);
    }
    await run(async () => {
      loop = reader();
      await sleep(1);
    });
    await assertRejects(() => loop, DOMException, "the runtime ended");
    assertEquals(source.drops, 1);
  });

  it("is left by using, too", () => {
    const source = new HandFed(1);
    {
      using _ = source;
    }
    assert(source.drops === 1);
  });
});
