import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, mpsc } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Pending } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";
import { ready, waiting } from "./ready.ts";

/** What says nothing of room holds with a bound and without. */
const BOUNDS = [16, Infinity];

beforeEach(() => {
  coop.left = BUDGET;
});

describe("a receiver that closes", () => {
  it("ends at once where nothing is sent, and refuses what is", () => {
    for (const bound of BOUNDS) {
      const [tx, rx] = mpsc<number>(bound);
      assertStrictEquals(rx.tryRecv(), Pending);
      rx.close();
      assertStrictEquals(ready(rx.recv()), undefined);
      assertStrictEquals(rx.tryRecv(), undefined);
      const error = assertThrows(
        () => ready(tx.send(1)),
        ClosedError,
        "cannot send: the receiver has closed",
      );
      assertEquals(error.value, 1);
    }
  });

  it("wakes its own recv that waits", () => {
    const [, rx] = mpsc<number>(2);
    const recv = rx.recv();
    const probe = waiting(recv);
    rx.close();
    assertEquals(probe.wakes, 1);
    assertStrictEquals(ready(recv), undefined);
  });

  it("fails those who wait for room, and takes what was reserved before", () => {
    const [tx, rx] = mpsc<number>(1);
    const permit = ready(tx.reserve());
    const reserve = tx.clone().reserve();
    const send = tx.send(7);
    const [reserving, sending] = [waiting(reserve), waiting(send)];
    rx.close();
    assertEquals([reserving.wakes, sending.wakes], [1, 1]);
    assertThrows(() => ready(reserve), ClosedError, "cannot reserve room");
    assertEquals(assertThrows(() => ready(send), ClosedError).value, 7);
    const recv = rx.recv();
    const receiving = waiting(recv);
    permit.send(123);
    assertEquals(receiving.wakes, 1);
    assertEquals(ready(recv), 123);
    assertStrictEquals(ready(rx.recv()), undefined);
  });

  it("still gives what was queued", () => {
    const [tx, rx] = mpsc<number>(3);
    for (let i = 0; i < 3; i++) tx.trySend(i);
    rx.close();
    assertEquals([ready(rx.recv()), ready(rx.recv()), ready(rx.recv()), ready(rx.recv())], [
      0,
      1,
      2,
      undefined,
    ]);
  });

  it("does not end before the last permit is used or given back", () => {
    for (const use of ["release", "dispose", "send"]) {
      const [tx, rx] = mpsc<number>(100);
      const permit = tx.tryReserve();
      assert(permit !== null);
      assertStrictEquals(rx.tryRecv(), Pending);
      rx.close();
      assertStrictEquals(rx.tryRecv(), Pending);
      const recv = rx.recv();
      const probe = waiting(recv);
      if (use === "release") permit.release();
      else if (use === "dispose") permit[Symbol.dispose]();
      else permit.send(5);
      assertEquals(probe.wakes, 1);
      assertStrictEquals(ready(recv), use === "send" ? 5 : undefined);
      assertStrictEquals(rx.tryRecv(), undefined);
    }
  });

  it("is woken by a reservation that fails, or is dropped, with some of its room", () => {
    for (const cancelled of [false, true]) {
      const [tx, rx] = mpsc<number>(2);
      const permit = ready(tx.reserve());
      const reserve = tx.reserveMany(2);
      waiting(reserve);
      rx.close();
      const recv = rx.recv();
      const probe = waiting(recv);
      permit.release();
      assertEquals(probe.wakes, 0);
      if (cancelled) reserve.drop();
      else assertThrows(() => ready(reserve), ClosedError);
      assertEquals(probe.wakes, 1);
      assertStrictEquals(ready(recv), undefined);
    }
  });

  it("is woken by one that was given its room already", () => {
    for (const cancelled of [false, true]) {
      const [tx, rx] = mpsc<number>(1);
      const permit = ready(tx.reserve());
      const send = tx.send(1);
      const sending = waiting(send);
      permit.release();
      assertEquals(sending.wakes, 1);
      rx.close();
      const recv = rx.recv();
      const probe = waiting(recv);
      if (cancelled) send.drop();
      else assertThrows(() => ready(send), ClosedError);
      assertEquals(probe.wakes, 1);
      assertStrictEquals(ready(recv), undefined);
    }
  });

  it("ends where a claim is dropped that it has woken", () => {
    const [tx, rx] = mpsc<number>(1);
    const permit = ready(tx.reserve());
    const reserve = tx.clone().reserve();
    const probe = waiting(reserve);
    rx.close();
    permit.release();
    assertEquals(probe.wakes, 1);
    reserve.drop();
    assertStrictEquals(ready(rx.recv()), undefined);
  });

  it("drops what is queued where it is disposed, and what permits send after it", () => {
    const [tx, rx] = mpsc<number>(100);
    tx.trySend(1);
    const permit = ready(tx.reserve());
    const probe = new Probe();
    rx.pollRecv(probe);
    rx[Symbol.dispose]();
    permit.send(2);
    assertEquals([rx.length, tx.capacity, probe.wakes], [0, 100, 0]);
    assertStrictEquals(rx.tryRecv(), undefined);
    assertThrows(() => ready(tx.reserve()), ClosedError);
    assertThrows(() => ready(tx.reserveMany(10)), ClosedError);
    assertThrows(() => tx.trySend(3), ClosedError);
    assertThrows(() => tx.tryReserve(), ClosedError);
  });

  it("wakes no waker that was left in it, once it is disposed", () => {
    const [tx, rx] = mpsc<number>(1);
    const probe = new Probe();
    assertStrictEquals(rx.pollRecv(probe), Pending);
    tx.trySend(1);
    assertEquals(probe.wakes, 1);
    assertEquals(rx.pollRecv(probe), 1);
    assertStrictEquals(rx.pollRecv(probe), Pending);
    rx[Symbol.dispose]();
    tx.close();
    assertEquals(probe.wakes, 2);
  });
});
