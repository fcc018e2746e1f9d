import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { Pending, run, spawn, yieldNow } from "../../../lib/task/mod.ts";
import { SetOnce } from "../../../lib/task/sync.ts";
import { Probe } from "../probe.ts";
import { Calling, ready, waiting } from "./by_hand.ts";

describe("a SetOnce", () => {
  it("is empty at first", () => {
    const once = new SetOnce<number>();
    assertEquals([once.get(), once.isSet], [undefined, false]);
  });

  it("has what was set, once", () => {
    const once = new SetOnce<number>();
    once.set(5);
    assertThrows(() => once.set(6), Error, "cannot set a SetOnce: it has its value");
    assertEquals([once.get(), once.isSet], [5, true]);
  });

  it("may have undefined for its value", () => {
    const once = new SetOnce<undefined>();
    once.set(undefined);
    assertEquals([once.isSet, ready(once.wait())], [true, undefined]);
  });

  it("wakes all who wait, and gives its value to them and to who comes later", () => {
    const once = new SetOnce<string>();
    const futures = Array.from({ length: 3 }, () => once.wait());
    const probes = futures.map((future) => waiting(waiting(future) && future));
    once.set("value");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 1, 1]);
    assertEquals([...futures, once.wait()].map((future) => ready(future)), Array(4).fill("value"));
    assertThrows(() => ready(futures[0]), Error, "cannot wait for wait() again");
  });

  it("does not wake a wait that was dropped", () => {
    const once = new SetOnce<string>();
    const futures = Array.from({ length: 3 }, () => once.wait());
    const probes = futures.map((future) => waiting(future));
    futures[1].drop();
    futures[1].drop();
    once.wait().drop();
    once.set("value");
    assertEquals(probes.map(({ wakes }) => wakes), [1, 0, 1]);
    futures[2].drop();
    assertEquals(ready(futures[0]), "value");
    assertThrows(() => ready(futures[2]), Error, "again");
  });

  it("wakes all though a waker throws, or drops another", () => {
    const once = new SetOnce<string>();
    const futures = Array.from({ length: 4 }, () => once.wait());
    waiting(
      futures[0],
      new Calling(() => {
        futures[1].drop();
        throw new Error("a waker threw");
      }),
    );
    const probes = futures.slice(1).map((future) => waiting(future));
    assertThrows(() => once.set("value"), Error, "a waker threw");
    assertEquals(probes.map(({ wakes }) => wakes), [0, 1, 1]);
    assertEquals(ready(futures[3]), "value");
  });

  it("gives way where the budget is spent", () => {
    const once = new SetOnce<string>();
    once.set("value");
    const [future, probe] = [once.wait(), new Probe()];
    coop.left = 0;
    assertStrictEquals(probe.poll(future), Pending);
    assertEquals(probe.wakes, 1);
    coop.left = BUDGET;
    assertEquals(ready(future), "value");
    assertEquals(coop.left, BUDGET - 1);
  });

  it("is waited for by tasks", async () => {
    const once = new SetOnce<number>();
    const sum = await run(async () => {
      const tasks = [spawn(() => once.wait()), spawn(() => once.wait())];
      await yieldNow();
      once.set(21);
      return await tasks[0] + await tasks[1];
    });
    assertEquals(sum, 42);
  });
});
