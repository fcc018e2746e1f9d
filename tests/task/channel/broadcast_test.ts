import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { broadcast, ClosedError } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import {
  type Context,
  type Coroutine,
  Pending,
  run,
  sleep,
  spawn,
  type Waker,
} from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";
import { sendAll, taken } from "./broadcasts.ts";
import { ready, waiting } from "./ready.ts";

beforeEach(() => {
  coop.left = BUDGET;
});

describe("broadcast", () => {
  it("sends to its receiver, and tells how many there are", () => {
    const [tx, rx] = broadcast<string>(16);
    assertStrictEquals(rx.tryRecv(), Pending);
    assertEquals(tx.send("hello"), 1);
    assertEquals(rx.tryRecv(), "hello");
    assertStrictEquals(rx.tryRecv(), Pending);
  });

  it("sends every message to every receiver", () => {
    const [tx, first] = broadcast<string>(16);
    const second = tx.subscribe();
    assertEquals(tx.send("hello"), 2);
    for (const rx of [first, second]) {
      assertEquals(rx.tryRecv(), "hello");
      assertStrictEquals(rx.tryRecv(), Pending);
    }
  });

  it("wakes every receiver that waits, and those alone", () => {
    const [tx, first] = broadcast<string>(16);
    const second = tx.subscribe();
    let [one, two] = [first.recv(), second.recv()];
    let probes = [waiting(one), waiting(two)];
    tx.send("hello");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    assertEquals([ready(one), ready(two)], ["hello", "hello"]);
    [one, two] = [first.recv(), second.recv()];
    probes = [waiting(one), new Probe()];
    tx.send("world");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 0]);
    assertEquals([ready(one), ready(two)], ["world", "world"]);
  });

  it("carries messages between tasks to the end", async () => {
    const [tx, rx] = broadcast<number>(4);
    const other = tx.subscribe();
    function* send(): Coroutine<void> {
      using _ = tx;
      for (let i = 0; i < 10; i++) {
        tx.send(i);
        yield* sleep(0);
      }
    }
    await run(async () => {
      spawn(send);
      const all = Array.fromAsync(other);
      for (let i = 0; i < 10; i++) assertEquals(await rx.recv(), i);
      assertStrictEquals(await rx.recv(), undefined);
      assertEquals(await all, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });

  it("wakes the one who has polled last", () => {
    const [tx, rx] = broadcast<string>(1);
    const recv = rx.recv();
    const probes = [waiting(recv), waiting(recv)];
    tx.send("hello");
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1]);
  });

  it("can be polled by what polls by itself", () => {
    const [tx, rx] = broadcast<number>(2);
    const probe = new Probe();
    assertStrictEquals(rx.pollRecv(probe), Pending);
    assertStrictEquals(rx.pollRecv(probe), Pending);
    tx.send(1);
    assertEquals([probe.wakes, rx.pollRecv(probe)], [1, 1]);
    tx.close();
    assertStrictEquals(rx.pollRecv(probe), undefined);
  });

  it("lets a slow receiver take its messages after a fast one", () => {
    const [tx, fast] = broadcast<string>(16);
    const slow = tx.subscribe();
    const recv = slow.recv();
    const probe = waiting(recv);
    sendAll(tx, "one", "two");
    assertEquals(taken(fast), ["one", "two"]);
    const next = fast.recv();
    waiting(next);
    tx.send("three");
    assertEquals([ready(next), probe.wakes, ready(recv)], ["three", 1, "one"]);
    assertEquals(taken(slow), ["two", "three"]);
  });

  it("drops a receiver with messages left, and one that has none", () => {
    const [tx, first] = broadcast<string>(16);
    const second = tx.subscribe();
    sendAll(tx, "one", "two");
    first.tryRecv();
    second.tryRecv();
    second.close();
    assertEquals(tx.length, 1);
    first[Symbol.dispose]();
    first.close();
    assertEquals([tx.length, tx.receiverCount, tx.send("three")], [0, 0, 0]);
    assertStrictEquals(first.tryRecv(), undefined);
  });

  it("ends what waits for a receiver that is closed", () => {
    const [, rx] = broadcast<string>(16);
    const recv = rx.recv();
    const probe = waiting(recv);
    rx.close();
    assertEquals(probe.wakes, 1);
    assertStrictEquals(ready(recv), undefined);
  });

  it("keeps a message for none where there is no receiver", () => {
    const [tx, rx] = broadcast<string>(16);
    rx.close();
    assertEquals([tx.send("hello"), tx.length], [0, 0]);
    const late = tx.subscribe();
    assertEquals(tx.send("world"), 1);
    assertEquals(taken(late), ["world"]);
  });

  it("refuses a capacity that is none", () => {
    for (const capacity of [0, -1, 1.5, NaN, Infinity, 2 ** 30 + 1]) {
      assertThrows(() => broadcast(capacity), RangeError, `capacity is ${capacity}`);
    }
  });

  it("ends its receivers once the last sender is closed, and not before", () => {
    const [tx, first] = broadcast<number>(16);
    const second = tx.subscribe();
    const other = tx.clone();
    const recvs = [first.recv(), second.recv()];
    const probes = recvs.map(waiting);
    tx.close();
    tx[Symbol.dispose]();
    assertEquals(probes.map(({ wakes }) => wakes), [0, 0]);
    assert(!first.isClosed);
    other.close();
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    for (const recv of recvs) assertStrictEquals(ready(recv), undefined);
    assert(first.isClosed);
    assertEquals(other.send(1), 0);
    assertThrows(() => tx.clone(), ClosedError, "cannot clone");
  });

  it("gives what was sent before its senders were closed", () => {
    for (const capacity of [1, 2]) {
      const [tx, rx] = broadcast<number>(capacity);
      const values = [1, 2].slice(0, capacity);
      sendAll(tx, ...values);
      tx.close();
      assertEquals(taken(rx), values);
      assertStrictEquals(rx.tryRecv(), undefined);
    }
  });

  it("takes nothing by a recv that is dropped, and does nothing before its first poll", () => {
    const [tx, rx] = broadcast<number>(4);
    rx.recv();
    const recv = rx.recv();
    const probe = waiting(recv);
    recv.drop();
    tx.send(1);
    assertEquals([probe.wakes, rx.length], [0, 1]);
    assertThrows(() => ready(recv), Error, "was taken");
    const woken = rx.recv();
    assertEquals(ready(woken), 1);
    assertThrows(() => ready(woken), Error, "was taken");
  });

  it("lets a waker send, and receive, while it is woken", () => {
    const [tx, rx] = broadcast<number>(16);
    const other = tx.subscribe();
    class Sends implements Context, Waker {
      waker = this;
      wake(): void {
        if (rx.length < 3) tx.send(rx.length);
      }
    }
    const [one, two] = [rx.recv(), other.recv()];
    one.poll(new Sends());
    const probe = waiting(two);
    tx.send(0);
    assertEquals(probe.wakes, 1);
    assertEquals([taken(rx), taken(other)], [[0, 1], [0, 1]]);
  });

  it("gives way where the budget is spent", () => {
    const [tx, rx] = broadcast<number>(8);
    tx.send(1);
    const recv = rx.recv();
    const probe = new Probe();
    coop.left = 0;
    assert(probe.isPending(recv));
    assertStrictEquals(rx.pollRecv(probe), Pending);
    assertEquals([probe.wakes, rx.length], [2, 1]);
    coop.left = 1;
    assertEquals([probe.poll(recv), coop.left], [1, 0]);
  });

  it("tells its senders when there is no receiver, and goes on when there is one again", () => {
    const [tx, rx] = broadcast<number>(1);
    const second = tx.subscribe();
    const closed = tx.closed();
    const probe = waiting(closed);
    rx.close();
    assertEquals(probe.wakes, 0);
    second.close();
    assertEquals(probe.wakes, 1);
    const third = tx.subscribe();
    assert(probe.isPending(closed));
    third.close();
    assertEquals(probe.wakes, 2);
    ready(closed);
    ready(tx.closed());
    const fourth = tx.subscribe();
    const again = tx.closed();
    const waits = waiting(again);
    fourth.close();
    assertEquals(waits.wakes, 1);
    ready(again);
  });

  it("tells its channels apart", () => {
    const [tx, rx] = broadcast(1);
    const [other, otherRx] = broadcast(1);
    assert(tx.sameChannel(tx.clone()) && rx.sameChannel(rx.resubscribe()));
    assert(!tx.sameChannel(other) && !rx.sameChannel(otherRx));
  });
});

describe("a broadcast's weak senders", () => {
  it("become senders while there is one", () => {
    const [tx, rx] = broadcast<number>(11);
    const clone = tx.clone();
    const weak = clone.downgrade();
    clone.close();
    const upgraded = weak.upgrade();
    assert(upgraded !== null);
    tx.close();
    upgraded.send(20);
    upgraded.close();
    assertEquals([rx.tryRecv(), rx.tryRecv()], [20, undefined]);
    assertStrictEquals(weak.upgrade(), null);
  });

  it("do not keep the channel open", () => {
    const [tx, rx] = broadcast<number>(1);
    const weak = [tx.downgrade(), tx.downgrade()];
    assert(!rx.isClosed);
    tx.close();
    assert(rx.isClosed);
    assertStrictEquals(rx.tryRecv(), undefined);
    for (const each of weak) assertStrictEquals(each.upgrade(), null);
  });

  it("are counted, as senders are", () => {
    const [tx, rx] = broadcast<number>(1);
    const clone = tx.clone();
    const [weak, weaker] = [tx.downgrade(), clone.downgrade()];
    assertEquals([tx.strongCount, tx.weakCount, weak.strongCount, weak.weakCount], [2, 2, 2, 2]);
    assertEquals([rx.senderStrongCount, rx.senderWeakCount], [2, 2]);
    weaker.close();
    clone.close();
    assertEquals([tx.strongCount, tx.weakCount], [1, 1]);
    weak.upgrade();
    assertEquals([tx.strongCount, tx.weakCount], [2, 1]);
  });
});
