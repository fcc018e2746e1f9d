import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type Coroutine, never, Pending, pollFn, ready, run, sleep, timeout } from "../../lib/task/mod.ts";
import { coop } from "../../lib/task/runtime/coop.ts";
import { Leaf } from "./leaf.ts";

describe("timeout", () => {
  it("fails with a TimeoutError and drops what was late", async () => {
    for (const make of [(leaf: Leaf<number>) => leaf.timeout(2), (leaf: Leaf<number>) => timeout(2, leaf)]) {
      const leaf = new Leaf<number>();
      const error = await assertRejects(() => run(() => make(leaf)), DOMException, "not there within 2 ms");
      assertEquals(error.name, "TimeoutError");
      assertEquals(leaf.drops, 1);
    }
  });

  it("counts from the first poll", async () => {
    await run(async () => {
      const future = sleep(1).timeout(30);
      await sleep(40);
      await future;
    });
  });

  it("gives a value that is there, whatever the time", async () => {
    assertEquals(await run(() => ready(1).timeout(0)), 1);
    assertEquals(await run(() => ready(1).timeout(Infinity)), 1);
  });

  it("expires where what it waits for spends the whole budget at each poll", async () => {
    await run(() =>
      pollFn<never>(({ waker }) => {
        coop.left = 0;
        waker.wake();
        return Pending;
      }).timeout(3).orElse((error) => ready(error)).map((error) => assertInstanceOf(error, DOMException))
    );
  });

  it("takes a coroutine, and ends it", async () => {
    const log: string[] = [];
    function* slow(): Coroutine<void> {
      try {
        yield* never();
      } finally {
        log.push("ended");
      }
    }
    await assertRejects(() => run(() => timeout(1, slow())), DOMException);
    assertEquals(log, ["ended"]);
  });

  it("refuses what is no count of milliseconds, where it is called", () => {
    for (const ms of [-1, NaN]) assertThrows(() => ready(1).timeout(ms), RangeError, `ms is ${ms}`);
  });
});
