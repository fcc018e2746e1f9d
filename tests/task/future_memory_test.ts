import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { hostName } from "../../ffi/mod.ts";
import { type Future, join, joinAll, Pending, pollFn, race, ready, select } from "../../lib/task/mod.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { BUDGET, coop } from "../../lib/task/runtime/coop.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";

const POLLS = tiered({ quick: 1_000_000, full: 10_000_000, soak: 1_000_000_000 });
const PART = 10_000;
const NO = new Error("no");

/** The median of what the heap grew by, over parts short enough to hold no collection: a few bytes a poll show. */
function growth(poll: () => void): number {
  for (let i = 0; i < PART; i++) poll();
  const grown: number[] = [];
  for (let polls = 0; polls < POLLS; polls += PART) {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PART; i++) poll();
    grown.push(process.memoryUsage().heapUsed - before);
  }
  return grown.sort((a, b) => a - b)[grown.length >> 1];
}

const skip = skipping(hostName === "bun" && "JSC tells the size of its heap only after a collection");

describe("a million polls allocate nothing", { skip }, () => {
  const chains: Record<string, (future: Future<number>) => Future<unknown>> = {
    "of a chain of five combinators": (future) =>
      future.map((n) => n + 1).andThen((n) => ready(n)).inspect(() => {}).orElse(() => ready(0)).finally(
        () => {},
      ),
    "of what goes on after the first": (future) =>
      ready(1).andThen(() => future).map((n) => n).andThen((n) => ready(n)).settled().fuse(),
    "of a join of two": (future) => join(future, ready(1)),
    "of a join of five": (future) => join(future, ready(1), future, ready(1), future),
    "of a select": (future) => select({ a: future, b: future }),
    "of a shared future": (future) => future.shared(),
    "of an abortable future": (future) => future.abortable(new AbortController().signal),
  };
  for (const [name, make] of Object.entries(chains)) {
    it(name, () => {
      const probe = new Probe();
      const leaf = new Leaf<number>();
      const future = make(leaf);
      coop.left = BUDGET;
      const bytes = growth(() => {
        leaf.waker?.wake();
        probe.poll(future);
      });
      assert(bytes < PART, `${bytes} bytes in ${PART} polls`);
      assert(leaf.polls >= POLLS);
    });
  }

  for (const [name, make] of [["joinAll", joinAll<number>], ["race", race<number>]] as const) {
    it(`of a ${name} of a hundred, one woken by one`, () => {
      const probe = new Probe();
      const all = Array.from({ length: 100 }, () => new Leaf<number>());
      const future: Future<unknown> = make(all);
      coop.left = BUDGET;
      assert(probe.isPending(future));
      let i = 0;
      const bytes = growth(() => {
        all[i].waker?.wake();
        probe.poll(future);
        if (++i === 100) i = 0;
      });
      assert(bytes < PART, `${bytes} bytes in ${PART} polls`);
      assert(all.every(({ polls }) => polls >= POLLS / 100));
    });
  }
});

describe("the measure of the heap", { skip }, () => {
  it("sees a poll that allocates", () => {
    const kept: object[] = [];
    const probe = new Probe();
    const future = pollFn(() => {
      kept[0] = { NO };
      return Pending;
    });
    const bytes = growth(() => probe.poll(future));
    assertEquals(kept, [{ NO }]);
    assert(bytes > PART, `${bytes} bytes in ${PART} polls`);
  });
});
