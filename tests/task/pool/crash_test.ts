import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sleep } from "../../../lib/task/mod.ts";
import { type Job, job, Pool, WorkerCrashError } from "../../../lib/task/pool.ts";

const url = new URL("./work.ts", import.meta.url);
type Work = typeof import("./work.ts");

const add: Job<[number, number], number> = job<Work, "add">(url, "add");
const hold: Job<[Int32Array], void> = job<Work, "hold">(url, "hold");
const exit: Job<[number], void> = job<Work, "exit">(url, "exit");

function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

async function raised(words: Int32Array, index: number): Promise<void> {
  while (Atomics.load(words, index) === 0) await sleep(1);
}

async function crashOf(handle: PromiseLike<unknown>): Promise<Error> {
  return await assertRejects(async () => await handle, WorkerCrashError, "was lost");
}

describe("a pool whose worker ends", () => {
  it("tells the job that ran there, with the cause, and goes on with another one", async () => {
    await using pool = Pool.open({ threads: 1 });
    const outside = pool.job<Work, "throwOutside">(url, "throwOutside");
    const thrown = await crashOf(outside("in a timer"));
    assert(thrown.cause instanceof RangeError, String(thrown.cause));
    assert(thrown.cause.message.includes("in a timer"));
    assert(thrown.message.includes("throwOutside"), thrown.message);
    assertEquals(await pool.run(add, 1, 2), 3);
    const rejected = await crashOf(pool.job<Work, "rejectOutside">(url, "rejectOutside")("by nobody"));
    assert(rejected.cause instanceof Error && rejected.cause.message.includes("by nobody"));
    assertEquals(await pool.run(add, 1, 2), 3);
    await crashOf(pool.run(exit, 3));
    assertEquals(await pool.run(add, 1, 2), 3);
    const { submitted, finished, failed, lost, inFlight } = pool.metrics();
    assertEquals({ submitted, finished, failed, lost, inFlight }, {
      submitted: 6,
      finished: 3,
      failed: 0,
      lost: 3,
      inFlight: 0,
    });
  });

  it("runs on another thread what waited there, each job once", async () => {
    await using pool = Pool.open({ threads: 2 });
    await pool.ready();
    const [held, count] = [words(), words()];
    const addOne = job<Work, "addOne">(url, "addOne");
    const holding = pool.runWith({ lane: 2 }, hold, held);
    await raised(held, 0);
    const crashing = pool.runWith({ lane: 1 }, exit, 1);
    const pinned = Array.from({ length: 20 }, () => pool.runWith({ lane: 1 }, addOne, count));
    const others = Array.from({ length: 20 }, () => pool.run(addOne, count));
    await crashOf(crashing);
    for (const handle of [...pinned, ...others]) await handle;
    assertEquals(count[0], 40);
    Atomics.store(held, 1, 1);
    Atomics.notify(held, 1);
    await holding;
    assertEquals(pool.metrics().lost, 1);
  });

  it("tells who holds the opener's thread in its wait", async () => {
    await using pool = Pool.open({ threads: 1 });
    assertEquals(pool.run(add, 1, 2).waitSync(), 3);
    let failure: unknown;
    try {
      pool.run(exit, 1).waitSync();
    } catch (error) {
      failure = error;
    }
    assert(failure instanceof WorkerCrashError, String(failure));
    assertEquals(pool.run(add, 1, 2).waitSync(), 3);
  });

  it("tells a job on another thread that waits for one there", async () => {
    await using pool = Pool.open({ threads: 2 });
    await pool.ready();
    assertEquals(await pool.job<Work, "crashAnother">(url, "crashAnother")(), "WorkerCrashError");
  });

  it("forgets what the worker had submitted itself, and gives its slots to the next", async () => {
    await using pool = Pool.open({ threads: 2, slots: 16 });
    await pool.ready();
    for (let round = 0; round < 3; round++) {
      const flags = words();
      const crashing = pool.runWith(
        { lane: 1 },
        job<Work, "submitAndExit">(url, "submitAndExit"),
        flags,
      );
      await crashOf(crashing);
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 1);
      assertEquals(await pool.runWith({ lane: 1 }, job<Work, "submitMany">(url, "submitMany"), 40), 40);
    }
  });
});
