import { beforeEach, describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, watch } from "../../../lib/task/channel.ts";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Coroutine, run, sleep, spawn } from "../../../lib/task/mod.ts";
import { Probe } from "../probe.ts";
import { ready, waiting } from "./ready.ts";

beforeEach(() => {
  coop.left = BUDGET;
});

describe("watch", () => {
  it("wakes its receiver when the value has changed, and when it is closed", () => {
    const [tx, rx] = watch("one");
    waiting(rx.changed());
    assertEquals(rx.value, "one");
    const changed = rx.changed();
    const probe = waiting(changed);
    assert(tx.send("two"));
    assertEquals([probe.wakes, ready(changed), rx.value], [1, true, "two"]);
    const last = rx.changed();
    const lasts = waiting(last);
    tx.close();
    assertEquals([lasts.wakes, ready(last), rx.value], [1, false, "two"]);
  });

  it("wakes the others also where a waker throws, and throws that then", () => {
    const [tx, rx] = watch(0);
    const others = [rx.clone(), rx.clone()];
    rx.changed().poll({
      waker: {
        wake() {
          throw new Error("no");
        },
      },
    });
    const probes = others.map((other) => waiting(other.changed()));
    assertThrows(() => tx.send(1), Error, "no");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
  });

  it("wakes every receiver, and gives each the latest value", () => {
    const [tx, first] = watch("one");
    const second = first.clone();
    const two = second.changed();
    const waits = waiting(two);
    for (const value of ["two", "three"]) {
      const one = first.changed();
      const probe = waiting(one);
      tx.send(value);
      assertEquals([probe.wakes, ready(one), first.value], [1, true, value]);
    }
    assertEquals([waits.wakes, ready(two), second.value], [1, true, "three"]);
    waiting(second.changed());
    tx.send("four");
    assertEquals([ready(first.changed()), ready(second.changed())], [true, true]);
  });

  it("gives the value of before the end, once, then the end", () => {
    const [tx, rx] = watch("one");
    tx.send("two");
    tx.close();
    assertEquals([rx.hasChanged, rx.isClosed], [true, true]);
    assertEquals([ready(rx.changed()), rx.value], [true, "two"]);
    assertEquals([rx.hasChanged, rx.isClosed], [false, true]);
    assertEquals([ready(rx.changed()), rx.value], [false, "two"]);
  });

  it("has ended at once where it was closed before anything was sent", () => {
    const [tx, rx] = watch("one");
    tx.close();
    assertEquals([ready(rx.changed()), rx.value, rx.hasChanged], [false, "one", false]);
  });

  it("carries the latest value between tasks", async () => {
    const [tx, rx] = watch(0);
    function* send(): Coroutine<void> {
      using _ = tx;
      for (let i = 1; i <= 3; i++) {
        for (let j = 0; j < 10; j++) tx.send(10 * i + j);
        yield* sleep(1);
      }
    }
    await run(async () => {
      spawn(send);
      assertEquals(await Array.fromAsync(rx), [19, 29, 39]);
    });
  });

  it("does not find a value changed that was seen by borrowAndUpdate", () => {
    const [tx, rx] = watch("one");
    assert(!rx.hasChanged);
    tx.send("two");
    assertEquals([rx.hasChanged, rx.value, rx.hasChanged, ready(rx.changed()), rx.hasChanged], [
      true,
      "two",
      true,
      true,
      false,
    ]);
    tx.send("three");
    assertEquals([rx.borrowAndUpdate(), rx.hasChanged], ["three", false]);
    waiting(rx.changed());
    tx.close();
    assertEquals([rx.borrowAndUpdate(), ready(rx.changed())], ["three", false]);
  });

  it("finds the value changed where it is marked so, for that receiver alone", () => {
    const [tx, rx] = watch("one");
    const [second, third] = [rx.clone(), rx.clone()];
    rx.markChanged();
    rx.markChanged();
    assertEquals([rx.hasChanged, second.hasChanged, ready(rx.changed())], [true, false, true]);
    waiting(rx.changed());
    waiting(second.changed());
    third.markChanged();
    assertEquals([third.value, third.hasChanged, third.borrowAndUpdate(), third.hasChanged], [
      "one",
      true,
      "one",
      false,
    ]);
    tx.send("two");
    assertEquals(third.borrowAndUpdate(), "two");
    third.markChanged();
    assertEquals([third.hasChanged, third.borrowAndUpdate()], [true, "two"]);
  });

  it("does not find the value changed where it is marked so", () => {
    const [tx, rx] = watch("one");
    const second = rx.clone();
    rx.markChanged();
    rx.markUnchanged();
    assert(!rx.hasChanged);
    waiting(rx.changed());
    tx.send("two");
    assert(second.hasChanged);
    second.markUnchanged();
    assertEquals([second.hasChanged, second.borrowAndUpdate()], [false, "two"]);
  });

  it("copies with a receiver what that has seen", () => {
    const [tx, rx] = watch(0);
    tx.send(1);
    assertEquals([rx.clone().hasChanged, tx.subscribe().hasChanged], [true, false]);
  });

  it("sends to nobody where there is no receiver, and does again where there is", () => {
    const [tx, rx] = watch("one");
    const closed = tx.closed();
    const probe = waiting(closed);
    assert(!tx.isClosed);
    rx.close();
    rx[Symbol.dispose]();
    assertEquals([probe.wakes, tx.isClosed, tx.send("two"), tx.value, tx.receiverCount], [
      1,
      true,
      false,
      "one",
      0,
    ]);
    ready(closed);
    assertEquals(tx.sendReplace("three"), "one");
    const again = tx.subscribe();
    assertEquals([tx.isClosed, again.value, again.hasChanged, tx.send("four")], [
      false,
      "three",
      false,
      true,
    ]);
    again.close();
    assert(tx.isClosed);
  });

  it("ends what waits for a receiver that is closed", () => {
    const [tx, rx] = watch("one");
    const [changed, waits] = [rx.changed(), rx.waitFor((value) => value === "two")];
    const probes = [waiting(changed), waiting(waits)];
    rx.close();
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1]);
    assertEquals(ready(changed), false);
    assertThrows(() => ready(waits), ClosedError);
    tx.send("two");
    assertEquals(ready(rx.changed()), false);
  });

  it("takes several senders, and ends with the last", () => {
    const [first, rx] = watch(0);
    const second = first.clone();
    assertEquals(first.senderCount, 2);
    first.send(1);
    assertEquals([ready(rx.changed()), rx.value], [true, 1]);
    second.send(2);
    assertEquals([ready(rx.changed()), rx.value], [true, 2]);
    const changed = rx.changed();
    const probe = waiting(changed);
    first.close();
    first[Symbol.dispose]();
    assertEquals([probe.wakes, second.senderCount], [0, 1]);
    second.close();
    assertEquals([probe.wakes, ready(changed)], [1, false]);
  });

  it("refuses what is set by a sender that was closed", () => {
    const [tx, rx] = watch(0);
    const other = tx.clone();
    tx.close();
    assertEquals([tx.isClosed, tx.send(1), rx.value, rx.isClosed], [true, false, 0, false]);
    assertThrows(() => tx.sendReplace(1), ClosedError, "cannot replace the value");
    assertThrows(() => tx.sendModify(() => 1), ClosedError, "cannot modify the value");
    assertThrows(() => tx.sendIfModified(() => 1), ClosedError, "cannot modify the value");
    assertThrows(() => tx.clone(), ClosedError, "cannot clone a sender");
    assert(other.send(1) && !tx.sameChannel(watch(0)[0]) && tx.sameChannel(other));
    assert(rx.sameChannel(rx.clone()) && !rx.sameChannel(watch(0)[1]));
  });

  it("takes nothing by a future that is dropped, and does nothing before its first poll", () => {
    const [tx, rx] = watch(0);
    rx.changed();
    const changed = rx.changed();
    const probe = waiting(changed);
    changed.drop();
    changed.drop();
    tx.send(1);
    assertEquals([probe.wakes, rx.hasChanged], [0, true]);
    assertThrows(() => ready(changed), Error, "was taken");
    const woken = rx.changed();
    assertEquals(ready(woken), true);
    assertThrows(() => ready(woken), Error, "was taken");
  });

  it("leaves a value unseen by a changed that was woken and dropped", () => {
    const [tx, rx] = watch(0);
    const changed = rx.changed();
    const probe = waiting(changed);
    tx.send(1);
    changed.drop();
    assertEquals([probe.wakes, ready(rx.changed())], [1, true]);
  });
});

describe("sendModify", () => {
  it("tells every receiver, and nobody where it throws", () => {
    const [tx, rx] = watch("one");
    tx.sendModify((value) => value + "two");
    assertEquals(rx.borrowAndUpdate(), "onetwo");
    const changed = rx.changed();
    const probe = waiting(changed);
    assertThrows(
      () =>
        tx.sendModify(() => {
          throw new Error("no value");
        }),
      Error,
      "no value",
    );
    assertEquals([probe.wakes, rx.value, rx.hasChanged], [0, "onetwo", false]);
    tx.sendModify(() => "three");
    assertEquals([probe.wakes, ready(changed), rx.value], [1, true, "three"]);
  });

  it("may change the object in place, and sendIfModified may not", () => {
    const [tx, rx] = watch({ n: 1 });
    tx.sendModify((value) => {
      value.n++;
      return value;
    });
    assertEquals([rx.hasChanged, rx.borrowAndUpdate().n], [true, 2]);
    assert(!tx.sendIfModified((value) => value));
    assert(!rx.hasChanged);
    assert(tx.sendIfModified(({ n }) => ({ n: n + 1 })));
    assertEquals([rx.hasChanged, rx.borrowAndUpdate().n], [true, 3]);
  });
});

describe("waitFor", () => {
  it("refuses what is no function, where it is called", () => {
    const [, rx] = watch(0);
    assertThrows(() => Reflect.apply(rx.waitFor, rx, [5]), TypeError, "predicate is no function");
  });

  it("asks about what the predicate itself sends", () => {
    const [tx, rx] = watch(0);
    const waits = rx.waitFor((value) => {
      if (value < 3) tx.send(value + 1);
      return value === 3;
    });
    assertEquals(ready(waits), 3);
  });

  it("waits for a value that fits, and asks once about each", () => {
    const [tx, rx] = watch(0);
    const asked: number[] = [];
    const waits = rx.waitFor((value) => {
      asked.push(value);
      return value >= 2;
    });
    const probe = waiting(waits);
    assert(probe.isPending(waits));
    tx.send(1);
    assert(probe.isPending(waits));
    tx.send(2);
    assertEquals([probe.wakes, ready(waits), asked], [2, 2, [0, 1, 2]]);
    assertEquals([rx.hasChanged, ready(rx.waitFor((value) => value === 2))], [false, 2]);
  });

  it("gives the last value of a channel that was closed, where it fits, and fails where it does not", () => {
    const [tx, rx] = watch("A");
    tx.send("B");
    tx.close();
    assertEquals(ready(rx.waitFor(() => true)), "B");
    assertThrows(() => ready(rx.waitFor(() => false)), ClosedError, "its last one is not it");
  });

  it("fails with what its predicate throws", () => {
    const [, rx] = watch("A");
    const waits = rx.waitFor(() => {
      throw new RangeError("no");
    });
    assertThrows(() => ready(waits), RangeError, "no");
    assertThrows(() => ready(waits), Error, "was taken");
  });

  it("passes values that are undefined", () => {
    const [tx, rx] = watch<number | undefined>(1);
    tx.send(undefined);
    assertStrictEquals(ready(rx.waitFor((value) => value === undefined)), undefined);
  });
});

describe("a watch's futures", () => {
  it("give way where the budget is spent, and take one of it where they are ready", () => {
    const [tx, rx] = watch(0);
    const second = rx.clone();
    const ended = watch(0);
    ended[0].close();
    const gone = watch(0);
    gone[1].close();
    tx.send(1);
    const futures = [
      rx.changed(),
      second.waitFor((value) => value === 1),
      ended[1].changed(),
      gone[0].closed(),
    ];
    const failing = ended[1].waitFor((value) => value === 1);
    for (const future of [...futures, failing]) {
      const probe = new Probe();
      coop.left = 0;
      assert(probe.isPending(future));
      assertEquals(probe.wakes, 1);
    }
    for (const future of futures) {
      coop.left = 1;
      new Probe().poll<unknown>(future);
      assertEquals(coop.left, 0);
    }
    coop.left = 1;
    assertThrows(() => new Probe().poll(failing), ClosedError);
    assertEquals(coop.left, 0);
  });
});
