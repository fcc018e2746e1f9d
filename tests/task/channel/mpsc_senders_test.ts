import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, mpsc, type Receiver } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Pending } from "../../../lib/task/mod.ts";
import { ready, waiting } from "./ready.ts";

/** What says nothing of room holds with a bound and without. */
const BOUNDS = [16, Infinity];

beforeEach(() => {
  coop.left = BUDGET;
});

describe("senders", () => {
  it("wait in the order in which they came, and none overtakes", () => {
    const [tx, rx] = mpsc<number>(1);
    assert(tx.trySend(0));
    const sends = [1, 2, 3].map((value) => tx.send(value));
    const probes = sends.map(waiting);
    for (let i = 0; i < 3; i++) {
      assertEquals(rx.tryRecv(), i);
      assertEquals(probes.map(({ wakes }) => wakes), [1, 2, 3].map((n) => n <= i + 1 ? 1 : 0));
      assert(!tx.trySend(9));
      ready(sends[i]);
    }
    assertEquals(rx.tryRecv(), 3);
    assertStrictEquals(rx.tryRecv(), Pending);
  });

  it("send nothing where they are dropped before they had room, and pass it on where they had it", () => {
    const [tx, rx] = mpsc<number>(1);
    assert(tx.trySend(0));
    const [first, second, third] = [tx.send(1), tx.send(2), tx.send(3)];
    const probes = [first, second, third].map(waiting);
    first.drop();
    assertEquals(rx.tryRecv(), 0);
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 0]);
    second.drop();
    second.drop();
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 1]);
    ready(third);
    assertEquals(rx.tryRecv(), 3);
    assertEquals(tx.capacity, 1);
  });

  it("that are woken and closed meanwhile still send", () => {
    const [tx, rx] = mpsc<number>(1);
    tx.trySend(0);
    const send = tx.send(1);
    waiting(send);
    tx.close();
    assertEquals(rx.tryRecv(), 0);
    assertStrictEquals(rx.tryRecv(), Pending);
    ready(send);
    assertEquals([rx.tryRecv(), rx.tryRecv()], [1, undefined]);
  });

  it("do not send by a future whose first poll comes after they were all closed", () => {
    const [tx, rx] = mpsc<number>(1);
    const [send, reserve] = [tx.send(1), tx.reserve()];
    tx.close();
    assertStrictEquals(rx.tryRecv(), undefined);
    assertThrows(() => ready(send), ClosedError, "the sender was closed");
    assertThrows(() => ready(reserve), ClosedError, "the sender was closed");
  });

  it("keep the channel open until each is closed, which is done once", () => {
    const [tx, rx] = mpsc<number>(1);
    const other = tx.clone();
    const recv = rx.recv();
    const probe = waiting(recv);
    assertEquals([tx.strongCount, rx.senderStrongCount], [2, 2]);
    tx.close();
    tx.close();
    tx[Symbol.dispose]();
    assertEquals([other.strongCount, probe.wakes], [1, 0]);
    other.close();
    assertEquals(probe.wakes, 1);
    assertStrictEquals(ready(recv), undefined);
    assertThrows(() => tx.clone(), ClosedError, "cannot clone");
    assert(tx.isClosed);
  });

  it("tell their channels apart", () => {
    const [a] = mpsc(1);
    const [b] = mpsc(1);
    assert(a.sameChannel(a.clone()));
    assert(!a.sameChannel(b));
  });

  it("tell when nobody will receive", () => {
    const [tx, rx] = mpsc<number>(1);
    const closed = tx.closed();
    const probe = waiting(closed);
    assert(!tx.isClosed);
    rx.close();
    assertEquals(probe.wakes, 1);
    assert(tx.isClosed);
    ready(closed);
    ready(tx.closed());
    assertThrows(() => ready(closed), Error, "was taken");
    const [other] = mpsc<number>(1);
    const dropped = other.closed();
    const idle = waiting(dropped);
    dropped.drop();
    other.close();
    assertEquals(idle.wakes, 0);
    ready(other.closed());
  });

  it("know how much room there is, and how much there ever is", () => {
    const [tx, rx] = mpsc<number>(10);
    assertEquals([tx.capacity, tx.maxCapacity], [10, 10]);
    const permit = ready(tx.reserve());
    assertEquals(tx.capacity, 9);
    permit.send(1);
    ready(tx.send(2));
    assertEquals([tx.capacity, rx.capacity, tx.maxCapacity, rx.maxCapacity], [8, 8, 10, 10]);
    rx.tryRecv();
    rx.tryRecv();
    assertEquals(tx.capacity, 10);
    const [unbounded] = mpsc<number>(Infinity);
    unbounded.trySend(1);
    assertEquals([unbounded.capacity, unbounded.maxCapacity], [Infinity, Infinity]);
  });
});

describe("a receiver's view", () => {
  function check(rx: Receiver<number>, length: number, isClosed: boolean): void {
    assertEquals([rx.length, rx.isEmpty, rx.isClosed], [length, length === 0, isClosed]);
  }

  it("tells how many messages are queued, and whether more may come", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      check(rx, 0, false);
      for (let i = 1; i <= 10; i++) {
        tx.trySend(i);
        check(rx, i, false);
      }
      rx.tryRecv();
      check(rx, 9, false);
      tx.close();
      check(rx, 9, true);
      for (let i = 8; i >= 0; i--) {
        rx.tryRecv();
        check(rx, i, true);
      }
    }
  });

  it("is closed once it has closed, with senders and messages left", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      tx.trySend(1);
      rx.close();
      check(rx, 1, true);
      tx.close();
      check(rx, 1, true);
      rx.tryRecv();
      check(rx, 0, true);
    }
  });

  it("is closed once the senders are, and stays so when it closes itself", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      for (let i = 0; i < 3; i++) tx.trySend(i);
      const other = tx.clone();
      tx.close();
      check(rx, 3, false);
      other.close();
      check(rx, 3, true);
      rx.close();
      check(rx, 3, true);
    }
  });

  it("is open while there are permits, without senders and full too", () => {
    const [tx, rx] = mpsc<number>(2);
    tx.trySend(1);
    const permit = ready(tx.reserve());
    tx.close();
    check(rx, 1, false);
    permit.send(2);
    check(rx, 2, true);
  });

  it("counts right past the first few blocks of messages", () => {
    const [tx, rx] = mpsc<number>(33);
    for (let i = 1; i < 33; i++) {
      tx.trySend(i);
      check(rx, i, false);
    }
    while (!rx.isEmpty) rx.tryRecv();
    check(rx, 0, false);
  });
});
