import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, oneshot } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, Pending, run, sleep, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";
import { ready, waiting } from "./ready.ts";

beforeEach(() => {
  coop.left = BUDGET;
});

describe("oneshot", () => {
  it("wakes its receiver with the value", () => {
    const [tx, rx] = oneshot<number>();
    const probe = waiting(rx);
    assert(tx.send(1));
    assertEquals(probe.wakes, 1);
    assertEquals(ready(rx), 1);
  });

  it("carries a value from task to task, undefined too", async () => {
    const [tx, rx] = oneshot<undefined>();
    function* answer(): Coroutine<boolean> {
      yield* sleep(0);
      return tx.send(undefined);
    }
    await run(async () => {
      const handle = spawn(answer);
      assertStrictEquals(await rx, undefined);
      assertEquals(await handle, true);
    });
  });

  it("sends once", () => {
    const [tx, rx] = oneshot<number>();
    assertEquals([tx.send(1), tx.send(2)], [true, false]);
    tx.close();
    assertEquals(ready(rx), 1);
    assert(!tx.send(3));
    assertThrows(() => ready(rx), Error, "cannot wait for a oneshot's receiver again");
  });

  it("fails its receiver where the sender is closed with nothing sent", () => {
    const [tx, rx] = oneshot<number>();
    const probe = waiting(rx);
    tx[Symbol.dispose]();
    assertEquals(probe.wakes, 1);
    assertThrows(() => ready(rx), ClosedError, "nothing was sent");
    assertThrows(() => ready(rx), Error, "was taken");
  });

  it("fails whoever awaits it", async () => {
    const [tx, rx] = oneshot<number>();
    await run(async () => {
      setTimeout(() => tx.close());
      await assertRejects(() => rx, ClosedError);
    });
  });

  it("tells its sender that the receiver is gone", () => {
    const [tx, rx] = oneshot<number>();
    const closed = tx.closed();
    const probe = waiting(closed);
    assert(!tx.isClosed);
    rx.drop();
    rx.drop();
    assertEquals([probe.wakes, tx.isClosed, tx.send(1)], [1, true, false]);
    ready(closed);
    ready(tx.closed());
  });

  it("tells its sender of a task that was aborted while it waited", async () => {
    const [tx, rx] = oneshot<number>();
    await run(async () => {
      const handle = spawn(() => rx);
      await sleep(0);
      const closed = tx.closed();
      const probe = waiting(closed);
      handle.abort();
      assertEquals([probe.wakes, tx.isClosed], [1, true]);
      await assertRejects(() => handle, DOMException);
    });
  });

  it("gives what was sent before it was closed", () => {
    for (const take of ["poll", "tryRecv"]) {
      const [tx, rx] = oneshot<number>();
      assert(tx.send(1));
      rx.close();
      assertEquals(take === "poll" ? ready(rx) : rx.tryRecv(), 1);
    }
  });

  it("fails once it was closed with nothing sent, and wakes whoever waits", () => {
    for (const take of ["poll", "tryRecv"]) {
      const [tx, rx] = oneshot<number>();
      const probes = [waiting(tx.closed()), waiting(rx)];
      rx.close();
      assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
      assertEquals([tx.isClosed, tx.send(1)], [true, false]);
      assertThrows(() => take === "poll" ? ready(rx) : rx.tryRecv(), ClosedError);
    }
  });

  it("cannot be waited for once tryRecv has told that it is closed", () => {
    const [, rx] = oneshot<number>();
    rx.close();
    assertThrows(() => rx.tryRecv(), ClosedError);
    assertThrows(() => ready(rx), Error, "was taken");
  });

  it("says that it is closed where the value was taken", () => {
    for (const take of ["poll", "tryRecv"]) {
      const [tx, rx] = oneshot<number>();
      assertStrictEquals(rx.tryRecv(), Pending);
      tx.send(17);
      assertEquals(take === "poll" ? ready(rx) : rx.tryRecv(), 17);
      assertThrows(() => rx.tryRecv(), ClosedError);
      rx.close();
      assert(tx.isClosed);
    }
  });

  it("wakes nobody whose future was dropped", () => {
    const [tx, rx] = oneshot<number>();
    const closed = tx.closed();
    const probes = [waiting(closed), waiting(rx)];
    closed.drop();
    rx.drop();
    tx.close();
    assertEquals(probes.map(({ wakes }) => wakes), [0, 0]);
  });

  it("wakes the one who has polled last, of receivers and of senders", () => {
    const [tx, rx] = oneshot<number>();
    const receiving = [waiting(rx), waiting(rx)];
    const closed = tx.closed();
    const sending = [waiting(closed), waiting(closed)];
    tx.send(1);
    assertEquals(receiving.map(({ wakes }) => wakes), [0, 1]);
    rx.close();
    assertEquals(sending.map(({ wakes }) => wakes), [0, 1]);
  });

  it("tells whether there is a value, and whether it was taken", () => {
    for (const take of ["poll", "tryRecv"]) {
      const [tx, rx] = oneshot<number>();
      assertEquals([rx.isEmpty, rx.isTerminated], [true, false]);
      tx.send(17);
      assertEquals([rx.isEmpty, rx.isTerminated], [false, false]);
      assertEquals(take === "poll" ? ready(rx) : rx.tryRecv(), 17);
      assertEquals([rx.isEmpty, rx.isTerminated], [true, true]);
    }
  });

  it("is terminated once its failure was told, whichever end was closed", () => {
    for (const end of ["sender", "receiver"]) {
      const [tx, rx] = oneshot<number>();
      if (end === "sender") tx.close();
      else rx.close();
      assertEquals([rx.isEmpty, rx.isTerminated], [true, false]);
      assertThrows(() => ready(rx), ClosedError);
      assertEquals([rx.isEmpty, rx.isTerminated], [true, true]);
    }
  });

  it("gives way where the budget is spent", () => {
    const [tx, rx] = oneshot<number>();
    tx.send(1);
    coop.left = 0;
    const probe = new Probe();
    assert(probe.isPending(rx));
    assertEquals(probe.wakes, 1);
    coop.left = 1;
    assertEquals([probe.poll(rx), coop.left], [1, 0]);
  });
});
