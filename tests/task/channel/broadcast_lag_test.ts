import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { broadcast, LaggedError } from "../../../lib/task/channel.ts";
import { Pending, run } from "../../../lib/task/mod.ts";
import { assertLagged, sendAll, taken } from "./broadcasts.ts";

describe("a receiver that lags", () => {
  it("is told what it has missed, and goes on with the oldest one kept", () => {
    const [tx, first] = broadcast<string>(2);
    const second = tx.subscribe();
    sendAll(tx, "one", "two");
    assertEquals(first.tryRecv(), "one");
    tx.send("three");
    assertLagged(second, 1);
    assertEquals(second.tryRecv(), "two");
    assertEquals(taken(first), ["two", "three"]);
    sendAll(tx, "four", "five");
    assertLagged(second, 1);
    tx.send("six");
    assertLagged(second, 1);
    assertEquals(taken(second), ["five", "six"]);
  });

  it("is told so by recv as by tryRecv", async () => {
    const [tx, rx] = broadcast<number>(2);
    sendAll(tx, 10, 20, 30);
    await run(async () => {
      const { missed } = await assertRejects(() => rx.recv(), LaggedError);
      assertEquals([missed, await rx.recv(), await rx.recv()], [1, 20, 30]);
    });
  });

  it("recovers where the channel is closed, and where it is open", () => {
    for (const sent of [3, 4]) {
      for (const isClosed of [false, true]) {
        const [tx, rx] = broadcast<number>(2);
        for (let i = 1; i <= sent; i++) tx.send(i);
        if (isClosed) tx.close();
        assertLagged(rx, sent - 2);
        assertEquals([rx.tryRecv(), rx.tryRecv()], [sent - 1, sent]);
        assertStrictEquals(rx.tryRecv(), isClosed ? undefined : Pending);
      }
    }
  });

  it("has not lagged while the channel had room for what it has not taken", () => {
    const [tx, slow] = broadcast<number>(2);
    const fast = tx.subscribe();
    sendAll(tx, 1, 2);
    assertEquals([taken(fast), taken(slow)], [[1, 2], [1, 2]]);
  });

  it("has its message replaced by the next where there is room for one", () => {
    const [tx, rx] = broadcast<number>(1);
    tx.send(1);
    assertEquals(taken(rx), [1]);
    sendAll(tx, 2, 3);
    tx.close();
    assertLagged(rx, 1);
    assertEquals([rx.tryRecv(), rx.tryRecv()], [3, undefined]);
  });

  it("counts what it has missed since it took the last one", () => {
    const [tx, rx] = broadcast<number>(4);
    sendAll(tx, 1, 2, 3, 4);
    assertEquals(rx.tryRecv(), 1);
    sendAll(tx, 5, 6, 7, 8);
    assertLagged(rx, 3);
    assertEquals(taken(rx), [5, 6, 7, 8]);
  });

  it("lags again, also before it has taken the ones that were kept", () => {
    const [tx, rx] = broadcast<number>(2);
    sendAll(tx, 1, 2, 3);
    assertLagged(rx, 1);
    sendAll(tx, 4, 5, 6);
    assertLagged(rx, 3);
    assertEquals(taken(rx), [5, 6]);
    sendAll(tx, 7, 8, 9);
    assertLagged(rx, 1);
    assertEquals(taken(rx), [8, 9]);
  });

  it("lags alone", () => {
    const [tx, slow] = broadcast<number>(2);
    const fast = tx.subscribe();
    for (let i = 1; i <= 4; i++) {
      tx.send(i);
      assertEquals(fast.tryRecv(), i);
    }
    assertLagged(slow, 2);
    assertEquals([taken(slow), taken(fast)], [[3, 4], []]);
  });

  it("lags by the very capacity that was asked for, a power of two or not", () => {
    const [tx, rx] = broadcast<number>(3);
    sendAll(tx, 10, 20, 30);
    assertEquals([rx.length, rx.tryRecv()], [3, 10]);
    sendAll(tx, 40, 50);
    assertEquals(rx.length, 4);
    assertLagged(rx, 1);
    assertEquals(taken(rx), [30, 40, 50]);
  });

  it("has a length with those that it has missed, until it was told", () => {
    const [tx, rx] = broadcast<number>(2);
    sendAll(tx, 1, 2, 3, 4);
    assertEquals([rx.length, rx.isEmpty], [4, false]);
    assertLagged(rx, 2);
    for (let left = 2; left > 0; left--) {
      assertEquals(rx.length, left);
      rx.tryRecv();
    }
    assertEquals([rx.length, rx.isEmpty], [0, true]);
  });
});

describe("resubscribe", () => {
  it("makes a receiver of what is sent from now on, and leaves the other as it is", () => {
    const [tx, rx] = broadcast<number>(3);
    tx.send(1);
    const late = rx.resubscribe();
    assertStrictEquals(late.tryRecv(), Pending);
    assertEquals(rx.tryRecv(), 1);
    sendAll(tx, 2, 3);
    assertEquals([taken(late), taken(rx)], [[2, 3], [2, 3]]);
  });

  it("makes one that has missed nothing of one that has", () => {
    const [tx, rx] = broadcast<number>(1);
    sendAll(tx, 1, 2);
    const late = rx.resubscribe();
    assertLagged(rx, 1);
    assertEquals([taken(rx), taken(late)], [[2], []]);
  });

  it("makes one that has ended where the channel has", () => {
    const [tx, rx] = broadcast<number>(1);
    tx.close();
    assertStrictEquals(rx.resubscribe().tryRecv(), undefined);
    assertStrictEquals(tx.subscribe().tryRecv(), undefined);
  });
});

describe("a broadcast's length", () => {
  it("is what the slowest receiver has yet to take, up to the capacity", () => {
    const [tx, first] = broadcast<number>(4);
    const second = tx.subscribe();
    assertEquals([tx.length, tx.isEmpty], [0, true]);
    sendAll(tx, 1, 2, 3);
    assertEquals([tx.length, tx.isEmpty], [3, false]);
    first.tryRecv();
    first.tryRecv();
    assertEquals(tx.length, 3);
    second.tryRecv();
    assertEquals(tx.length, 2);
    sendAll(tx, 4, 5, 6);
    assertEquals([tx.length, tx.isEmpty], [4, false]);
  });

  it("holds with what receivers give, by any program of sends, takes, subscriptions and closes", () => {
    const step = fc.record({ kind: fc.nat(9), who: fc.nat() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const [tx, rx] = broadcast<number>(capacity);
        /** Each receiver with the messages that it has yet to take, and how many of them were written over. */
        const queue: number[] = [];
        const all = [{ rx, queue }];
        let sent = 0;
        for (const { kind, who } of steps) {
          const one = all[who % Math.max(1, all.length)];
          if (kind < 4) {
            assertEquals(tx.send(sent), all.length);
            for (const { queue } of all) queue.push(sent);
            sent++;
          } else if (kind === 4) all.push({ rx: tx.subscribe(), queue: [] });
          else if (one === undefined) continue;
          else if (kind === 5) {
            one.rx.close();
            all.splice(all.indexOf(one), 1);
          } else if (one.queue.length > capacity) {
            const missed = one.queue.length - capacity;
            assertLagged(one.rx, missed);
            one.queue.splice(0, missed);
          } else assertStrictEquals(one.rx.tryRecv(), one.queue.shift() ?? Pending);
          const longest = Math.max(0, ...all.map(({ queue }) => queue.length));
          assertEquals([tx.length, tx.receiverCount], [Math.min(capacity, longest), all.length]);
          for (const { rx, queue } of all) assertEquals(rx.length, queue.length);
        }
      }),
    );
  });
});
