import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { run, sleep } from "../../../lib/task/mod.ts";
import { type Job, job, Pool } from "../../../lib/task/pool.ts";
import { tiered } from "../../tier.ts";

const url = new URL("./work.ts", import.meta.url);
type Work = typeof import("./work.ts");

const add: Job<[number, number], number> = job<Work, "add">(url, "add");
const addOne: Job<[Int32Array], void> = job<Work, "addOne">(url, "addOne");
const hold: Job<[Int32Array], void> = job<Work, "hold">(url, "hold");

function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** The word is raised by a job, while this thread's loop turns. */
async function raised(words: Int32Array, index: number): Promise<void> {
  while (Atomics.load(words, index) === 0) await sleep(1);
}

function raise(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1);
  Atomics.notify(words, index);
}

describe("a job that is cancelled", () => {
  let pool: Pool;
  before(() => {
    pool = Pool.open({ threads: 1 });
  });
  after(() => pool.close());

  it("never runs where it waits for a thread, and its handle fails at once with the reason", async () => {
    const [held, count] = [words(), words()];
    const holding = pool.run(hold, held);
    await raised(held, 0);
    const before = pool.metrics();
    const waiting = Array.from({ length: 10 }, () => pool.run(addOne, count));
    const reason = new RangeError("too late");
    for (const handle of waiting) handle.cancel(reason);
    for (const handle of waiting) {
      assertStrictEquals(await assertRejects(async () => await handle, RangeError), reason);
    }
    raise(held, 1);
    await holding;
    assertEquals(await pool.run(add, 1, 2), 3);
    assertEquals(count[0], 0);
    assertEquals(pool.metrics().cancelled - before.cancelled, 10);
  });

  it("is told by its signal where it runs, in an async function and in a coroutine", async () => {
    for (const name of ["waitForSignal", "waitInCoroutine"] as const) {
      const flags = words();
      const handle = pool.job<Work, typeof name>(url, name)(flags);
      await raised(flags, 0);
      handle.cancel();
      const error = await assertRejects(async () => await handle, DOMException, "cancelled");
      assertEquals(error.name, "AbortError");
      await raised(flags, 1);
    }
  });

  it("is told by a flag where it holds its thread", async () => {
    const flags = words();
    const handle = pool.run(job<Work, "computeUntilCancelled">(url, "computeUntilCancelled"), flags);
    await raised(flags, 0);
    assertEquals(handle.isFinished, false);
    handle.cancel();
    assertEquals(handle.isFinished, true);
    await assertRejects(async () => await handle, DOMException);
    await raised(flags, 1);
    assertEquals(await pool.run(add, 1, 2), 3);
  });

  it("is cancelled by a signal, before it is submitted or later", async () => {
    const reason = new TypeError("stopped");
    const aborted = AbortSignal.abort(reason);
    const never = pool.runWith({ signal: aborted }, add, 1, 2);
    assertStrictEquals(await assertRejects(async () => await never, TypeError), reason);
    const controller = new AbortController();
    const flags = words();
    const handle = pool.runWith(
      { signal: controller.signal },
      job<Work, "waitForSignal">(url, "waitForSignal"),
      flags,
    );
    await raised(flags, 0);
    controller.abort(reason);
    assertStrictEquals(await assertRejects(async () => await handle, TypeError), reason);
    await raised(flags, 1);
    assertEquals(await pool.runWith({ signal: new AbortController().signal }, add, 1, 2), 3);
  });

  it("is cancelled by its deadline, which it is told of", async () => {
    const flags = words();
    const wait = job<Work, "waitForSignal">(url, "waitForSignal");
    const error = await assertRejects(
      async () => await pool.runWith({ deadline: 5 }, wait, flags),
      DOMException,
    );
    assertEquals(error.name, "TimeoutError");
    const before = Date.now();
    const about = await pool.runWith({ deadline: 1e6 }, job<Work, "aboutItself">(url, "aboutItself"));
    assert(Math.abs(about.deadline - before - 1e6) < 1e5, `${about.deadline}`);
    assertEquals(await pool.runWith({ deadline: 1e6 }, add, 1, 2), 3);
  });

  it("is cancelled by its deadline while who waits holds the thread", async () => {
    const flags = words();
    const wait = job<Work, "waitForSignal">(url, "waitForSignal");
    const handle = pool.runWith({ deadline: 5 }, wait, flags);
    let failure: unknown;
    try {
      handle.waitSync();
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof DOMException && failure.name === "TimeoutError", String(failure));
    await raised(flags, 1);
  });

  it("may be cancelled twice, and once it has ended, for nothing", async () => {
    const handle = pool.run(add, 1, 2);
    assertEquals(await handle, 3);
    handle.cancel();
    const other = pool.run(add, 1, 2);
    other.cancel(new RangeError("first"));
    other.cancel(new TypeError("second"));
    await assertRejects(async () => await other, RangeError, "first");
  });

  it("is never mistaken for the next one that has its slot, which another function runs", async () => {
    const [{ add, echo }, rounds] = [
      pool.jobs<Work>(url),
      tiered({ quick: 4_000, full: 200_000, soak: 2_000_000 }),
    ];
    await echo(await add(0, 0));
    for (let i = 0; i < rounds; i++) {
      const cancelled = add(i, i);
      cancelled.cancel();
      assertEquals(echo(i).waitSync(), i);
      await assertRejects(async () => await cancelled, DOMException, "cancelled");
    }
  });

  it("leaves the counts and the slots right, whenever it was cancelled", async () => {
    // What a job that was told of its end comes to is not heard: its thread may be at it still.
    while (pool.inFlight > 0) await sleep(1);
    const before = pool.metrics();
    const count = words();
    await run(async () => {
      for (let round = 0; round < 20; round++) {
        const handles = Array.from({ length: 100 }, () => pool.run(addOne, count));
        if (round % 2 === 0) await sleep(0);
        for (const [i, handle] of handles.entries()) if (i % 3 !== round % 3) handle.cancel();
        for (const handle of handles) await handle.settled();
      }
      while (pool.inFlight > 0) await sleep(1);
    });
    const { submitted, finished, cancelled, inFlight, failed } = pool.metrics();
    assertEquals(submitted - before.submitted, 2_000);
    assertEquals(finished - before.finished + (cancelled - before.cancelled), 2_000);
    assertEquals([inFlight, failed - before.failed], [0, 0]);
    assertEquals(count[0], finished - before.finished);
  });
});
