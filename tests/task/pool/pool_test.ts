import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { run, spawn } from "../../../lib/task/mod.ts";
import { currentJob, currentPool, type Job, job, Pool } from "../../../lib/task/pool.ts";
import { tiered } from "../../tier.ts";

const url = new URL("./work.ts", import.meta.url);
type Work = typeof import("./work.ts");

/** Shared with jobs, which wait there and are waited for. */
function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

describe("a pool", () => {
  let pool: Pool;
  let work: ReturnType<typeof jobsOf>;
  const jobsOf = (pool: Pool) => pool.jobs<Work>(url);

  before(() => {
    pool = Pool.open({ threads: 2 });
    work = jobsOf(pool);
  });
  after(() => pool.close());

  it("gives what a job gives, whether that is there at once or is waited for", async () => {
    assertEquals(await work.add(1, 2), 3);
    assertEquals(await work.addByHost(1, 2), 3);
    assertEquals(await work.addByCoroutine(1, 2), 3);
    assertEquals(await work.addByFuture(1, 2), 3);
    assertEquals(await work.nothing(), undefined);
  });

  it("gives it to coroutines, to who holds the thread, and under run", async () => {
    assertEquals(work.add(1, 2).waitSync(), 3);
    assertEquals(work.addByHost(1, 2).waitSync(), 3);
    const sum = await run(async () => {
      function* both() {
        return (yield* work.add(1, 2)) + (yield* work.addByHost(3, 4));
      }
      return await spawn(both) + await work.add(5, 6);
    });
    assertEquals(sum, 21);
  });

  it("runs named jobs, with options and without", async () => {
    const add = job<Work, "add">(url, "add");
    assertEquals(await pool.run(add, 1, 2), 3);
    assertEquals(await pool.runWith({}, add, 1, 2), 3);
    assertEquals(await pool.job<Work, "add">(url, "add")(1, 2), 3);
    assertEquals(await pool.job<Work["add"]>(url, "add")(1, 2), 3);
  });

  it("gives each job its own result, of many at once, which come in any order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.integer())), async (cases) => {
        const handles = cases.map(([later, n], i) => later ? work.addByHost(n, i) : work.add(n, i));
        for (const [i, handle] of handles.entries()) assertEquals(await handle, cases[i][1] + i);
      }),
      { numRuns: tiered({ quick: 20, full: 500, soak: 50_000 }) },
    );
  });

  it("runs so many small jobs, more at once than it has slots for, each once", async () => {
    const count = tiered({ quick: 5_000, full: 1_000_000, soak: 20_000_000 });
    const before = pool.metrics();
    const sum = words();
    let left = count;
    while (left > 0) {
      const burst = Array.from({ length: Math.min(left, 3_000) }, () => work.addOne(sum));
      left -= burst.length;
      for (const handle of burst) await handle;
    }
    assertEquals(sum[0], count);
    const { submitted, finished, inFlight, lost } = pool.metrics();
    assertEquals([submitted - before.submitted, finished - before.finished], [count, count]);
    assertEquals([inFlight, lost], [0, 0]);
  });

  it("tells of what a job has thrown: its class, its message, where, its cause", async () => {
    const error = await assertRejects(async () => await work.fail("no such row"), RangeError, "no such row");
    assert(error.stack?.includes("work.ts"), error.stack);
    assert(error.cause instanceof TypeError);
    assertEquals(error.cause.message, "by its cause");
    const later = await assertRejects(async () => await work.failLater("later"), Error, "later");
    assertEquals(later.name, "OwnError");
    assertThrows(() => work.fail("no such row").waitSync(), RangeError, "no such row");
  });

  it("names what cannot be sent, either way, and goes on", async () => {
    assertThrows(() => work.echo({ image: { pixels: () => 1 } }), DOMException, "argument 1.image.pixels");
    await assertRejects(async () => await work.giveFunction(), DOMException, "the result.inner[0]");
    assertEquals(await work.echo({ a: [1, new Map([["b", 2n]])] }), { a: [1, new Map([["b", 2n]])] });
  });

  it("refuses a closure and says what to do", () => {
    const closure: unknown = () => 1;
    const error = assertThrows(() => Reflect.apply(pool.run, pool, [closure]), TypeError);
    assert(error.message.includes("export it from a module"), error.message);
    assertThrows(() => Reflect.apply(pool.run, pool, [{ module: 1 }]), TypeError, "nothing that job() gave");
    assertThrows(() => job("./work.ts", "add"), TypeError, "import.meta.url");
    assertThrows(() => job(url, ""), TypeError, "not the name of an export");
  });

  it("says that a module does not load, or lacks what was named", async () => {
    const missing = new URL("./no_such_module.ts", import.meta.url);
    await assertRejects(async () => await pool.job(missing, "add")(), Error, "no_such_module");
    const error = await assertRejects(async () => await pool.job(url, "subtract")(), TypeError);
    assert(error.message.includes("exports no subtract"), error.message);
    assert(error.message.includes("addByHost"), error.message);
    await assertRejects(async () => await pool.job(url, "OwnErrors")(), TypeError, "OwnErrors");
  });

  it("runs what is pinned on its thread alone", async () => {
    const thread: Job<[], { id: number }> = job<Work, "thread">(url, "thread");
    const [first, again, second] = [
      await pool.runWith({ lane: 1 }, thread),
      await pool.runWith({ lane: 1 }, thread),
      await pool.runWith({ lane: 2 }, thread),
    ];
    assertEquals(first, again);
    assert(first.id !== second.id);
    const about = await pool.runWith({ lane: 2 }, job<Work, "aboutItself">(url, "aboutItself"));
    assertEquals(about.lane, 2);
    assertThrows(() => pool.runWith({ lane: 3 }, thread), RangeError, "from 1 to 2");
    assertThrows(() => pool.runWith({ lane: 0 }, thread), RangeError, "from 1 to 2");
  });

  it("lets a thread that waits for one job take others, and one that holds its thread keep none", async () => {
    const [held, other] = [words(), words()];
    const holding = pool.runWith({ lane: 1 }, job<Work, "hold">(url, "hold"), held);
    const waiting = pool.runWith({ lane: 2 }, job<Work, "waitForSignal">(url, "waitForSignal"), other);
    const sums = await Promise.all(Array.from({ length: 50 }, (_, i) => work.add(i, 1)));
    assertEquals(sums.at(-1), 50);
    assertEquals(Atomics.load(held, 1), 0);
    Atomics.store(held, 1, 1);
    Atomics.notify(held, 1);
    await holding;
    waiting.cancel();
    await assertRejects(async () => await waiting, DOMException, "cancelled");
  });

  it("is waited for by no more than one, and once", async () => {
    const handle = work.add(1, 2);
    assertEquals(await handle, 3);
    assert(handle.isFinished);
    await assertRejects(async () => await handle, Error, "its value was taken");
    assertThrows(() => handle.waitSync(), Error, "its value was taken");
    const never = words();
    const held = work.hold(never);
    const first = held.toPromise();
    assertThrows(() => held.waitSync(), Error, "a task waits for it already");
    Atomics.store(never, 1, 1);
    Atomics.notify(never, 1);
    await first;
  });

  it("gives up a wait that takes too long, while the job goes on", async () => {
    const flags = words();
    const handle = work.hold(flags);
    const error = assertThrows(() => handle.waitSync({ timeout: 1 }), DOMException);
    assertEquals(error.name, "TimeoutError");
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
    assertEquals(await handle, undefined);
    assertThrows(() => handle.waitSync({ timeout: -1 }), RangeError, "timeout");
  });

  it("recurses without a deadlock: jobs that wait for jobs, holding their threads or not", async () => {
    const n = tiered({ quick: 8, full: 16, soak: 20 });
    const expected =
      [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765][n];
    assertEquals(await work.fibonacci(n), expected);
    assertEquals(await work.fibonacciLater(n), expected);
  });

  it("hears of what a job reports, in order, by an iteration and by a listener", async () => {
    const handle = pool.run(job<Work, "countUp">(url, "countUp"), 10);
    const heard: unknown[] = [];
    for await (const report of handle.progress) heard.push(report);
    assertEquals(heard, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assertEquals(await handle, 10);
    const told: unknown[] = [];
    const onProgress = (value: unknown): void => void told.push(value);
    assertEquals(await pool.runWith({ onProgress }, job<Work, "countUp">(url, "countUp"), 3), 3);
    assertEquals(told, [0, 1, 2]);
  });

  it("tells a job that its reports are not read", async () => {
    const handle = pool.run(job<Work, "countUp">(url, "countUp"), 1_000);
    const reports = handle.progress;
    const sent = handle.waitSync();
    assertEquals(sent, 16);
    const heard: unknown[] = [];
    for await (const report of reports) heard.push(report);
    assertEquals(heard, Array.from({ length: 16 }, (_, i) => i));
  });

  it("has no current job and no current pool outside of its threads", () => {
    assertEquals(currentJob(), undefined);
    assertEquals(currentPool(), undefined);
  });

  it("refuses options that are none", () => {
    assertThrows(() => Pool.open({ threads: 0 }), RangeError, "threads");
    assertThrows(() => Pool.open({ threads: 1.5 }), RangeError, "threads");
    assertThrows(() => Pool.open({ maxBlocking: 0 }), RangeError, "maxBlocking");
    assertThrows(() => Pool.open({ slots: 3 }), RangeError, "power of two");
    assertThrows(() => Reflect.apply(Pool.open, Pool, [{ workers: 2 }]), TypeError, "workers");
    const add = job<Work, "add">(url, "add");
    assertThrows(() => pool.runWith({ deadline: -1 }, add, 1, 2), RangeError, "deadline");
    assertThrows(() => Reflect.apply(pool.runWith, pool, [{ signal: 1 }, add, 1, 2]), TypeError, "signal");
    assertThrows(() => Reflect.apply(pool.runWith, pool, [{ onProgress: 1 }, add]), TypeError, "onProgress");
  });

  it("gives the same functions for the same names", () => {
    assertStrictEquals(work.add, work.add);
  });
});

describe("a pool of one thread", () => {
  it("recurses, and has another thread where a job waits for what its own cannot run", async () => {
    await using pool = Pool.open({ threads: 1 });
    const work = pool.jobs<Work>(url);
    assertEquals(await work.fibonacci(7), 13);
    assertEquals(await work.waitForHost(1, 2), 3);
  });

  it("starts no thread before there is a job, and no more than there are jobs for", async () => {
    await using pool = Pool.open({ threads: 4 });
    assertEquals(pool.metrics().threads, 0);
    const work = pool.jobs<Work>(url);
    for (let i = 0; i < 3; i++) await work.add(i, 1);
    assertEquals(pool.metrics().threads, 1);
    const [first, second] = [words(), words()];
    const held = [work.hold(first), work.hold(second)];
    assertEquals(pool.metrics().threads, 2);
    for (const flags of [first, second]) {
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 1);
    }
    for (const handle of held) await handle;
    await pool.ready();
    assertEquals(pool.metrics().threads, 4);
  });

  it("runs blocking jobs on threads of their own", async () => {
    await using pool = Pool.open({ threads: 1, maxBlocking: 2 });
    const held = [words(), words()];
    const hold = job<Work, "hold">(url, "hold");
    const blocked = held.map((flags) => pool.spawnBlocking(hold, flags));
    assertEquals(await pool.run(job<Work, "add">(url, "add"), 1, 2), 3);
    for (const flags of held) {
      Atomics.store(flags, 1, 1);
      Atomics.notify(flags, 1);
    }
    for (const handle of blocked) await handle;
  });
});
