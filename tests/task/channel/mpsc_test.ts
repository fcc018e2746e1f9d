import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, mpsc, type Sender } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, run, sleep, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";
import { ready, waiting } from "./ready.ts";

/** What says nothing of room holds with a bound and without. */
const BOUNDS = [16, Infinity];

function* sendAll(tx: Sender<number>, values: readonly number[]): Coroutine<void> {
  using _ = tx;
  for (const value of values) yield* tx.send(value);
}

beforeEach(() => {
  coop.left = BUDGET;
});

describe("mpsc", () => {
  it("gives messages in the order in which they were sent, then undefined", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      ready(tx.reserve()).send(1);
      assert(tx.trySend(2));
      ready(tx.send(3));
      tx.close();
      assertEquals([ready(rx.recv()), ready(rx.recv()), ready(rx.recv())], [1, 2, 3]);
      assertEquals([ready(rx.recv()), ready(rx.recv())], [undefined, undefined]);
    }
  });

  it("carries messages between tasks", async () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      const values = await run(async () => {
        spawn(sendAll, tx, [1, 2]);
        return [await rx.recv(), await rx.recv(), await rx.recv()];
      });
      assertEquals(values, [1, 2, undefined]);
    }
  });

  it("is iterated to its end, and on from where a loop was left", async () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      await run(async () => {
        spawn(sendAll, tx, [1, 2, 3, 4]);
        for await (const value of rx) if (value === 2) break;
        assertEquals(await Array.fromAsync(rx), [3, 4]);
      });
    }
  });

  it("takes messages of any type, undefined too", () => {
    const [tx, rx] = mpsc<symbol | undefined | { a: number }>(4);
    const symbol = Symbol();
    for (const value of [undefined, symbol, { a: 1 }]) ready(tx.send(value));
    assertEquals(rx.length, 3);
    assertEquals([rx.tryRecv(), rx.tryRecv(), rx.tryRecv()], [undefined, symbol, { a: 1 }]);
    assertStrictEquals(rx.tryRecv(), Pending);
  });

  it("refuses a capacity that is none", () => {
    for (const capacity of [0, -1, 1.5, NaN, 2 ** 30]) {
      assertThrows(() => mpsc(capacity), RangeError, `capacity is ${capacity}`);
    }
  });

  it("lets a sender wait in its loop, while the receiver takes one by one", async () => {
    const [tx, rx] = mpsc<number>(1);
    const sent: number[] = [];
    function* produce(): Coroutine<void> {
      using _ = tx;
      for (let i = 0; i < 5; i++) {
        yield* tx.send(i);
        sent.push(i);
      }
    }
    await run(async () => {
      spawn(produce);
      await sleep(1);
      assertEquals(sent, [0]);
      for (let i = 0; i < 5; i++) {
        assertEquals(await rx.recv(), i);
        await sleep(0);
        assert(sent.length <= i + 2);
      }
      assertStrictEquals(await rx.recv(), undefined);
    });
  });

  it("has a receiver that waits woken once for a burst", () => {
    const [tx, rx] = mpsc<number>(8);
    const recv = rx.recv();
    const probe = waiting(recv);
    for (let i = 0; i < 5; i++) assert(tx.trySend(i));
    assertEquals(probe.wakes, 1);
    assertEquals(probe.poll(recv), 0);
    assertEquals(rx.length, 4);
  });

  it("wakes the one who polled the receiver last", () => {
    const [tx, rx] = mpsc<number>(8);
    const recv = rx.recv();
    const first = waiting(recv);
    const second = waiting(recv);
    tx.trySend(1);
    assertEquals([first.wakes, second.wakes], [0, 1]);
  });

  it("can be polled by what polls by itself", () => {
    const [tx, rx] = mpsc<number>(8);
    const [first, second] = [new Probe(), new Probe()];
    assertStrictEquals(rx.pollRecv(first), Pending);
    assertStrictEquals(rx.pollRecv(second), Pending);
    tx.trySend(1);
    assertEquals([first.wakes, second.wakes], [0, 1]);
    assertEquals(rx.pollRecv(second), 1);
    tx.close();
    assertStrictEquals(rx.pollRecv(second), undefined);
  });

  it("refuses a second recv while one waits, and not once it was dropped", () => {
    const [tx, rx] = mpsc<number>(8);
    const recv = rx.recv();
    waiting(recv);
    assertThrows(() => ready(rx.recv()), Error, "another recv()");
    assertThrows(() => ready(rx.recvMany([], 1)), Error, "another recv()");
    assertThrows(() => rx.pollRecv(new Probe()), Error, "another recv()");
    recv.drop();
    waiting(rx.recvMany([], 1)).wake();
    tx.trySend(1);
    assertEquals(ready(rx.recv()), 1);
  });

  it("gives each value of a future once, and says so the second time", () => {
    const [tx, rx] = mpsc<number>(8);
    const futures = [tx.send(1), tx.reserve(), rx.recv()];
    for (const future of futures) ready<unknown>(future);
    for (const future of futures) assertThrows(() => ready<unknown>(future), Error, "was taken");
  });

  it("does nothing before the first poll", () => {
    const [tx, rx] = mpsc<number>(1);
    tx.send(1);
    tx.reserve();
    rx.recv();
    assertEquals([tx.capacity, rx.length], [1, 0]);
    waiting(rx.recv());
  });

  it("gives way where the budget is spent, and loses nothing by that", () => {
    const [tx, rx] = mpsc<number>(4);
    tx.trySend(1);
    const futures = [tx.send(2), tx.reserve(), rx.recv(), rx.recvMany([], 1)];
    coop.left = 0;
    for (const future of futures) {
      const probe = new Probe();
      assert(probe.isPending(future));
      assertEquals(probe.wakes, 1);
    }
    assertEquals(rx.length, 1);
    coop.left = BUDGET;
    ready<unknown>(futures[0]);
    assertEquals([ready(rx.recv()), ready(rx.recv())], [1, 2]);
  });

  it("takes one of the budget for each message", () => {
    const [tx, rx] = mpsc<number>(4);
    const probe = new Probe();
    probe.poll(tx.send(1));
    probe.poll(rx.recv());
    probe.poll(rx.recv());
    assertEquals(coop.left, BUDGET - 2);
  });

  it("lets other tasks go on while two talk without end", async () => {
    const [tx, rx] = mpsc<number>(2);
    function* sendForEver(): Coroutine<void> {
      for (let i = 0;; i++) yield* tx.send(i);
    }
    function* receiveForEver(): Coroutine<void> {
      for (;;) yield* rx.recv();
    }
    await run(async () => {
      spawn(sendForEver);
      spawn(receiveForEver);
      for (let i = 0; i < 10; i++) await yieldNow();
      await sleep(2);
    });
    assert(rx.length <= 2);
  });
});

describe("trySend and tryRecv", () => {
  it("tell what is full from what is closed", () => {
    const [tx, rx] = mpsc<string>(1);
    assertEquals([tx.trySend("hello"), tx.trySend("no room")], [true, false]);
    assertEquals(rx.tryRecv(), "hello");
    assert(tx.trySend("goodbye"));
    tx.close();
    assertThrows(() => tx.trySend("late"), ClosedError, "the sender was closed");
    assertEquals(rx.tryRecv(), "goodbye");
    assertStrictEquals(rx.tryRecv(), undefined);
  });

  it("tell what is empty from what has ended, round the ring again and again", () => {
    for (const bound of [5, Infinity]) {
      const [tx, rx] = mpsc<number>(bound);
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 5; i++) assert(tx.trySend(i));
        if (bound === 5) assert(!tx.trySend(5));
        for (let i = 0; i < 2; i++) assertEquals(rx.tryRecv(), i);
        for (let i = 5; i < 7; i++) assert(tx.trySend(i));
        for (let i = 2; i < 7; i++) assertEquals(rx.tryRecv(), i);
        assertStrictEquals(rx.tryRecv(), Pending);
      }
      tx.close();
      assertStrictEquals(rx.tryRecv(), undefined);
    }
  });

  it("carry any number where there is no bound", () => {
    const [tx, rx] = mpsc<number>(Infinity);
    for (const count of [1, 7, 100, 10_000]) {
      for (let i = 0; i < count; i++) assert(tx.trySend(i));
      for (let i = 0; i < count; i++) assertEquals(rx.tryRecv(), i);
      assertStrictEquals(rx.tryRecv(), Pending);
    }
  });
});
