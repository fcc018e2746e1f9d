import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Future, never, Pending, pollFn, ready, run } from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

describe("abortable", () => {
  it("fails with the signal's reason and drops what it waits for", async () => {
    const controller = new AbortController();
    const leaf = new Leaf<number>();
    const probe = new Probe();
    const future = leaf.abortable(controller.signal);
    assert(probe.isPending(future));
    controller.abort(NO);
    assertEquals([probe.wakes, leaf.drops], [1, 0]);
    assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
    assertEquals(leaf.drops, 1);
    await assertRejects(() => run(() => never().abortable(AbortSignal.timeout(1))), DOMException);
  });

  it("does not begin where the signal is aborted already", () => {
    const leaf = new Leaf<number>().finish(1);
    const future = leaf.abortable(AbortSignal.abort(NO));
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertEquals([leaf.polls, leaf.drops], [0, 1]);
  });

  it("fails where its own poll aborts the signal", () => {
    const controller = new AbortController();
    let drops = 0;
    const future = pollFn(() => {
      controller.abort(NO);
      return Pending;
    }, () => drops++).abortable(controller.signal);
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertEquals(drops, 1);
  });

  it("listens to the signal from the first poll to its end, and not longer", () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      Reflect.apply(removeEventListener, signal, args);
    };
    const probe = new Probe();
    const ends: ((leaf: Leaf<number>, future: Future<number>) => void)[] = [
      (leaf, future) => probe.poll((leaf.finish(1), future)),
      (leaf, future) => assertThrows(() => probe.poll((leaf.fail(NO), future)), Error, "no"),
      (_, future) => future.drop(),
    ];
    for (const end of ends) {
      const leaf = new Leaf<number>();
      const future = leaf.abortable(signal);
      assertEquals(listeners, 0);
      for (let i = 0; i < 3; i++) assert(probe.isPending(future));
      assertEquals(listeners, 1);
      end(leaf, future);
      assertEquals(listeners, 0);
    }
  });

  it("listens once to a signal, however many wait for it, and wakes all of them", () => {
    const controller = new AbortController();
    const { signal } = controller;
    let added = 0;
    const { addEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      added++;
      Reflect.apply(addEventListener, signal, args);
    };
    const waits = Array.from(
      { length: 4 },
      () => ({ probe: new Probe(), future: never().abortable(signal) }),
    );
    for (const { probe, future } of waits) assert(probe.isPending(future));
    waits[1].future.drop();
    controller.abort(NO);
    assertEquals(added, 1);
    assertEquals(waits.map(({ probe }) => probe.wakes), [1, 0, 1, 1]);
    assertStrictEquals(assertThrows(() => waits[3].probe.poll(waits[3].future), Error), NO);
  });

  it("refuses what is no signal, where it is called", () => {
    for (const signal of [undefined, null, {}, new AbortController()]) {
      assertThrows(() => Reflect.apply(ready(1).abortable, ready(1), [signal]), TypeError, "no AbortSignal");
    }
  });
});
