import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, mpsc } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, run, spawn } from "../../../lib/task/mod.ts";
import { ready, waiting } from "./ready.ts";

beforeEach(() => {
  coop.left = BUDGET;
});

describe("reserve", () => {
  it("gives room to those who wait as it comes, from what is received and from what is given back", () => {
    const [tx, rx] = mpsc<number>(2);
    const [first, second] = [ready(tx.reserve()), ready(tx.clone().reserve())];
    const [third, fourth] = [tx.clone().reserve(), tx.clone().reserve()];
    const [thirds, fourths] = [waiting(third), waiting(fourth)];
    first.send(1);
    assertEquals(thirds.wakes, 0);
    ready(rx.recv());
    assertEquals([thirds.wakes, fourths.wakes], [1, 0]);
    second.release();
    assertEquals(fourths.wakes, 1);
    waiting(tx.reserve());
  });

  it("leaves no waker behind where it is dropped", () => {
    const [tx, rx] = mpsc<number>(1);
    tx.trySend(0);
    const first = tx.reserve();
    const firsts = waiting(first);
    const second = tx.reserve();
    const seconds = waiting(second);
    first.drop();
    ready(rx.recv());
    assertEquals([firsts.wakes, seconds.wakes], [0, 1]);
    second.drop();
    tx.close();
    assertStrictEquals(ready(rx.recv()), undefined);
  });

  it("keeps room that trySend does not find", () => {
    const [tx, rx] = mpsc<number>(1);
    ready(tx.reserve()).send(1);
    const reserve = tx.reserve();
    const probe = waiting(reserve);
    assertEquals(ready(rx.recv()), 1);
    assertEquals(probe.wakes, 1);
    assert(!tx.trySend(1337));
    ready(reserve).send(2);
    assertEquals(ready(rx.recv()), 2);
  });

  it("gives a permit's room back once, however it ends", () => {
    const [tx] = mpsc<number>(1);
    const permit = ready(tx.reserve());
    const reserve = tx.reserve();
    const probe = waiting(reserve);
    permit.release();
    permit[Symbol.dispose]();
    assertEquals(probe.wakes, 1);
    ready(reserve).send(1);
    assertEquals(tx.capacity, 0);
    assertThrows(() => permit.send(2), Error, "its room is used up");
  });

  it("gives null from tryReserve where there is no room", () => {
    const [tx, rx] = mpsc<string>(1);
    const permit = tx.tryReserve();
    assert(permit !== null);
    assertStrictEquals(tx.tryReserve(), null);
    permit.send("foo");
    assertEquals(ready(rx.recv()), "foo");
    tx.tryReserve()?.release();
    assert(tx.tryReserve() !== null);
  });
});

describe("reserveMany", () => {
  it("reserves what a channel has room for, and no more than it ever has", () => {
    const [tx] = mpsc<number>(1);
    for (const count of [2, -1, 0.5, NaN, Infinity]) {
      assertThrows(() => tx.reserveMany(count), RangeError, `count is ${count}`);
      assertThrows(() => tx.tryReserveMany(count), RangeError, `count is ${count}`);
    }
  });

  it("reserves nothing at once, on a full channel too, and not on a closed one", () => {
    const [tx, rx] = mpsc<number>(1);
    assertEquals([ready(tx.reserveMany(0)).left, tx.tryReserveMany(0)?.left], [0, 0]);
    tx.trySend(1);
    assertEquals([ready(tx.reserveMany(0)).left, tx.tryReserveMany(0)?.left], [0, 0]);
    rx[Symbol.dispose]();
    assertThrows(() => ready(tx.reserveMany(0)), ClosedError);
    assertThrows(() => tx.tryReserveMany(0), ClosedError);
  });

  it("sends as many as it has reserved", () => {
    const [tx, rx] = mpsc<number>(100);
    for (let count = 0; count <= 100; count += 10) {
      for (const permit of [ready(tx.reserveMany(count)), tx.tryReserveMany(100 - count)]) {
        assert(permit !== null);
        while (permit.left > 0) {
          permit.send(permit.left);
          assertEquals(ready(rx.recv()), permit.left + 1);
        }
      }
      assertStrictEquals(rx.tryRecv(), Pending);
    }
  });

  it("refuses on a closed channel", () => {
    const [tx, rx] = mpsc<number>(100);
    rx[Symbol.dispose]();
    assertThrows(() => ready(tx.reserveMany(10)), ClosedError);
    assertThrows(() => tx.tryReserveMany(10), ClosedError);
  });

  it("leaves the room that it did not take or use to others", () => {
    for (let n = 1; n < 20; n++) {
      for (let k = 0; k < n; k++) {
        const [tx, rx] = mpsc<number>(n);
        const permit = tx.tryReserveMany(n);
        assert(permit !== null);
        assertEquals([permit.left, tx.capacity], [n, 0]);
        assertStrictEquals(tx.tryReserveMany(1), null);
        for (let i = 0; i < k; i++) permit.send(i);
        permit.release();
        assertEquals(tx.capacity, n - k);
        tx.tryReserveMany(1)?.release();
        if (k > 0) assertStrictEquals(tx.tryReserveMany(n - k + 1), null);
        for (let i = 0; i < k; i++) assertEquals(rx.tryRecv(), i);
        assertEquals(tx.capacity, n);
      }
    }
  });

  it("is woken when a permit of as much is given back", () => {
    const [tx] = mpsc<number>(7);
    const permit = ready(tx.reserveMany(7));
    const reserve = tx.clone().reserveMany(7);
    const probe = waiting(reserve);
    permit.release();
    assertEquals(probe.wakes, 1);
    ready(reserve).release();
    assertEquals(tx.capacity, 7);
  });

  it("gathers its room bit by bit, before those who came later and want less", () => {
    const [tx, rx] = mpsc<number>(3);
    for (let i = 0; i < 3; i++) tx.trySend(i);
    const [many, one] = [tx.reserveMany(2), tx.send(9)];
    const [manys, ones] = [waiting(many), waiting(one)];
    rx.tryRecv();
    assertEquals([manys.wakes, ones.wakes], [0, 0]);
    rx.tryRecv();
    assertEquals([manys.wakes, ones.wakes], [1, 0]);
    rx.tryRecv();
    assertEquals([manys.wakes, ones.wakes], [1, 1]);
  });

  it("passes on what it has gathered where it is dropped", () => {
    const [tx, rx] = mpsc<number>(3);
    for (let i = 0; i < 3; i++) tx.trySend(i);
    const [many, one, two] = [tx.reserveMany(3), tx.send(8), tx.send(9)];
    const probes = [waiting(many), waiting(one), waiting(two)];
    rx.tryRecv();
    rx.tryRecv();
    many.drop();
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 1]);
    ready(one);
    ready(two);
    assertEquals([rx.tryRecv(), rx.tryRecv(), rx.tryRecv()], [2, 8, 9]);
  });
});

describe("recvMany", () => {
  it("appends what is there, at most the limit, and gives how many", async () => {
    const [tx, rx] = mpsc<number>(2);
    const into: number[] = [];
    assertEquals(ready(rx.recvMany(into, 0)), 0);
    function* send(): Coroutine<void> {
      using _ = tx;
      for (const value of [1, 2, 7, 0]) yield* tx.send(value);
    }
    await run(async () => {
      const handle = spawn(send);
      for (let count = 0; count < 4;) {
        count += await rx.recvMany(into, 3);
        assertEquals(into.length, count);
      }
      assertEquals(into, [1, 2, 7, 0]);
      assertEquals(await rx.recvMany(into, 3), 0);
      await handle;
    });
  });

  it("takes all that is there where the limit is higher, and nothing for a limit of 0", () => {
    for (const bound of [100, Infinity]) {
      const [tx, rx] = mpsc<string>(bound);
      const expected = Array.from("012345678");
      for (const value of expected) tx.trySend(value);
      tx.trySend("one more");
      const into: string[] = [];
      assertEquals(ready(rx.recvMany(into, 0)), 0);
      assertEquals(into, []);
      assertEquals(ready(rx.recvMany(into, 9)), 9);
      assertEquals(into, expected);
      assertEquals(ready(rx.recvMany(into, Infinity)), 1);
      assertEquals(into, [...expected, "one more"]);
      const permit = ready(tx.reserve());
      tx.close();
      const last = rx.recvMany(into, 9);
      const probe = waiting(last);
      permit.send("final");
      assertEquals([probe.wakes, ready(last), into.at(-1)], [1, 1, "final"]);
      assertEquals(ready(rx.recvMany(into, 4)), 0);
      assertStrictEquals(ready(rx.recv()), undefined);
    }
  });

  it("leaves the array as it is where the channel has ended", () => {
    for (const bound of [1, Infinity]) {
      const [, rx] = mpsc<number>(bound);
      const into = [1];
      rx.close();
      assertEquals(ready(rx.recvMany(into, 1)), 0);
      assertEquals(into, [1]);
    }
  });

  it("gives room to as many senders as it has taken messages", () => {
    const [tx, rx] = mpsc<number>(3);
    for (let i = 0; i < 3; i++) tx.trySend(i);
    const probes = [3, 4, 5].map((value) => waiting(tx.send(value)));
    ready(rx.recvMany([], 2));
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1, 0]);
  });

  it("takes nothing where it is dropped, and refuses a limit that is none", () => {
    const [tx, rx] = mpsc<number>(3);
    const into: number[] = [];
    const dropped = rx.recvMany(into, 2);
    const probe = waiting(dropped);
    dropped.drop();
    tx.trySend(1);
    assertEquals([probe.wakes, into.length, rx.length], [0, 0, 1]);
    assertThrows(() => ready(dropped), Error, "was taken");
    for (const limit of [-1, 0.5, NaN]) {
      assertThrows(() => rx.recvMany([], limit), RangeError, `limit is ${limit}`);
    }
    assertThrows(() => Reflect.apply(rx.recvMany, rx, [5, 1]), TypeError, "into is no array");
  });
});
