import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  failed,
  type Future,
  joinAll,
  lazy,
  pollFn,
  race,
  ready,
  select,
  tryJoin,
  tryJoinAll,
} from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const NO = new Error("no");

function throws(): never {
  throw NO;
}

describe("a throw in a callback", () => {
  const positions: Record<string, (leaf: Future<number>) => Future<unknown>> = {
    map: (leaf) => leaf.map(throws),
    inspect: (leaf) => leaf.inspect(throws),
    andThen: (leaf) => leaf.andThen(throws),
    finally: (leaf) => leaf.finally(throws),
  };
  for (const [name, make] of Object.entries(positions)) {
    it(`of ${name} is what the future fails with, once`, () => {
      const probe = new Probe();
      const leaf = new Leaf<number>().finish(1);
      const future = make(leaf);
      assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
      assertThrows(() => probe.poll(future), Error, "again: its value was taken");
      future.drop();
      assertEquals([leaf.polls, leaf.drops], [1, 0]);
    });

    it(`of ${name} drops the others where the failure ends them`, () => {
      const probe = new Probe();
      const combined: ((a: Future<unknown>, b: Future<unknown>) => Future<unknown>)[] = [
        (a, b) => tryJoin(a, b),
        (a, b) => tryJoin(a, b, ready(1)),
        (a, b) => tryJoinAll([a, b]),
        (a, b) => select({ a, b }),
        (a, b) => race([a, b]),
      ];
      for (const combine of combined) {
        const other = new Leaf<number>();
        const future = combine(make(new Leaf<number>().finish(1)), other);
        assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
        assertEquals(other.drops, 1);
        future.drop();
        assertEquals(other.drops, 1);
      }
    });
  }

  it("of orElse is what the future fails with", () => {
    const future = failed(new Error("first")).orElse(throws);
    assertStrictEquals(assertThrows(() => new Probe().poll(future), Error), NO);
    assertThrows(() => new Probe().poll(future), Error, "again: its value was taken");
  });

  it("of finally takes the place of the failure, and of what dropping throws", () => {
    const probe = new Probe();
    const failing = failed(new Error("first")).finally(throws);
    assertStrictEquals(assertThrows(() => probe.poll(failing), Error), NO);
    const dropped = new Leaf<number>().throwAtDrop(new Error("dropping")).finally(throws);
    assert(probe.isPending(dropped));
    assertStrictEquals(assertThrows(() => dropped.drop(), Error), NO);
    dropped.drop();
  });

  it("of pollFn and of lazy is what the future fails with, and they are not called again", () => {
    const probe = new Probe();
    let calls = 0;
    function counts(): never {
      calls++;
      throw NO;
    }
    for (const future of [pollFn(counts, counts), lazy(counts)]) {
      assertStrictEquals(assertThrows(() => probe.poll(future), Error), NO);
      assertThrows(() => probe.poll(future), Error, "again: its value was taken");
      future.drop();
    }
    assertEquals(calls, 2);
  });

  it("of a coroutine's finally block ends in the one that dropped it, once all are dropped", () => {
    const probe = new Probe();
    const leaves = [new Leaf<number>(), new Leaf<number>(), new Leaf<number>()];
    function* body(leaf: Leaf<number>): Coroutine<void> {
      try {
        yield* leaf;
      } finally {
        throws();
      }
    }
    const all = joinAll(leaves.map(body));
    assert(probe.isPending(all));
    const error = assertThrows(() => all.drop(), SuppressedError);
    assertStrictEquals(error.error, NO);
    assertInstanceOf(error.suppressed, SuppressedError);
    assertStrictEquals(error.suppressed.suppressed, NO);
    assertEquals(leaves.map(({ drops }) => drops), [1, 1, 1]);
  });
});
