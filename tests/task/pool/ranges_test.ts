import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Mmap } from "../../../lib/mem/mmap.ts";
import { run, sleep } from "../../../lib/task/mod.ts";
import { job, Pool, PoolClosedError, type RangeHandle, WorkerCrashError } from "../../../lib/task/pool.ts";
import { CELL_BYTES, CELLS, RangeCells, split } from "../../../lib/task/pool/range_cell.ts";
import { descriptors, openedSince } from "../../descriptors.ts";
import { tiered } from "../../tier.ts";

const url = new URL("./ranges_work.ts", import.meta.url);
type Work = typeof import("./ranges_work.ts");

const mark = job<Work, "mark">(url, "mark");
const markUnevenly = job<Work, "markUnevenly">(url, "markUnevenly");
const markLater = job<Work, "markLater">(url, "markLater");
const markInCoroutine = job<Work, "markInCoroutine">(url, "markInCoroutine");
const failAt = job<Work, "failAt">(url, "failAt");
const failLaterAt = job<Work, "failLaterAt">(url, "failLaterAt");
const holdPiece = job<Work, "holdPiece">(url, "holdPiece");
const computeUntilCancelled = job<Work, "computeUntilCancelled">(url, "computeUntilCancelled");
const exitAt = job<Work, "exitAt">(url, "exitAt");
const sumIndices = job<Work, "sumIndices">(url, "sumIndices");
const addBig = job<Work, "addBig">(url, "addBig");
const addBigLater = job<Work, "addBigLater">(url, "addBigLater");
const failToAdd = job<Work, "failToAdd">(url, "failToAdd");
const countIndices = job<Work, "countIndices">(url, "countIndices");
const add = job<Work, "add">(url, "add");
const markRows = job<Work, "markRows">(url, "markRows");
const markRowsLater = job<Work, "markRowsLater">(url, "markRowsLater");

function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(12));
}

function raise(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1);
  Atomics.notify(words, index);
}

async function raised(words: Int32Array, index: number, to = 1): Promise<void> {
  while (Atomics.load(words, index) < to) await sleep(1);
}

/** Counters, which a range is to have raised to 1, each. */
class Counters implements Disposable {
  readonly map: Mmap<"write">;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.map = Mmap.anonymous(4 * Math.max(1, count));
  }

  /** How often each index was given, where that is not once. */
  get wrong(): [index: number, times: number][] {
    const counts = this.map.view(Int32Array, 0, this.#count);
    return [...counts.entries()].filter(([, times]) => times !== 1);
  }

  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
  }
}

describe("a range of a pool", () => {
  let pool: Pool;

  before(() => void (pool = Pool.open({ threads: 2 })));
  after(() => pool.close());

  it("gives each index once, whatever the range, the grain and the threads", async () => {
    const cases = fc.record({
      start: fc.oneof(fc.nat(100), fc.integer({ min: 2 ** 53 - 5_000, max: 2 ** 53 - 3_000 })),
      length: fc.nat(3_000),
      grain: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
      threads: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ start, length, ...options }) => {
        using counters = new Counters(length);
        await pool.parallelFor(mark, { start, end: start + length, ...options }, counters.map, start);
        assertEquals(counters.wrong, []);
      }),
      { numRuns: tiered({ quick: 20, full: 1_000, soak: 50_000 }) },
    );
  });

  it("gives all of a range as large as there is one, in pieces that lie beside each other", async () => {
    const end = 2 ** 53;
    const options = { end, reduce: addBig };
    const all = BigInt(end) * BigInt(end - 1) / 2n;
    for (const grain of [undefined, 1, 1_000_003, 2 ** 40 + 1, 2 ** 53]) {
      assertEquals(await pool.mapReduce(sumIndices, { ...options, grain }), all);
    }
  });

  it("calls nothing for an empty range", async () => {
    const counts = words();
    await pool.parallelFor(failAt, { start: 7, end: 7 }, 7, counts);
    assertEquals(counts[0], 0);
    assertEquals(await pool.mapReduce(countIndices, { end: 0, reduce: add, initial: 5 }), 5);
    assertThrows(() => pool.mapReduce(countIndices, { end: 0, reduce: add }), RangeError, "no initial value");
  });

  it("is one job where it is no longer than the grain", async () => {
    const before = pool.metrics().submitted;
    const counts = words();
    await pool.parallelFor(failAt, { end: 100, grain: 100 }, -1, counts);
    assertEquals(counts[0], 1);
    assertEquals(pool.metrics().submitted - before, 1);
  });

  it("lets one thread do the rest while the other one holds its piece", async () => {
    const counts = words();
    const handle = pool.parallelFor(holdPiece, { end: 1_000, grain: 1 }, counts);
    await raised(counts, 0, 1_000);
    assert(!handle.isFinished);
    raise(counts, 1);
    await handle;
    assertEquals(counts[2], 1);
  });

  it("gives each index of uneven work once", async () => {
    using counters = new Counters(2_000);
    await pool.parallelFor(markUnevenly, { end: 2_000 }, counters.map);
    assertEquals(counters.wrong, []);
  });

  it("waits for functions that are async, and for coroutines", async () => {
    for (const job of [markLater, markInCoroutine]) {
      using counters = new Counters(20);
      await run(() => pool.parallelFor(job, { end: 20, grain: 4 }, counters.map));
      assertEquals(counters.wrong, []);
    }
  });

  it("may be waited for by holding the thread", () => {
    using counters = new Counters(500);
    pool.parallelFor(mark, { end: 500 }, counters.map, 0).waitSync();
    assertEquals(counters.wrong, []);
    assertEquals(pool.mapReduce(countIndices, { end: 500, reduce: add }).waitSync(), 500);
  });

  it("reduces what the pieces give, and the initial value once", async () => {
    const cases = fc.record({
      start: fc.nat(1e9),
      length: fc.integer({ min: 1, max: 1e6 }),
      grain: fc.option(fc.integer({ min: 1e3, max: 2e5 }), { nil: undefined }),
      initial: fc.option(fc.bigInt({ min: -99n, max: 99n }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ start, length, grain, initial }) => {
        const end = start + length;
        const all = (BigInt(start) + BigInt(end) - 1n) * BigInt(length) / 2n + (initial ?? 0n);
        const options = { start, end, grain, initial };
        assertEquals(await pool.mapReduce(sumIndices, { ...options, reduce: addBig }), all);
        assertEquals(await pool.mapReduce(sumIndices, { ...options, reduce: addBigLater }), all);
      }),
      { numRuns: tiered({ quick: 10, full: 500, soak: 20_000 }) },
    );
    await assertRejects(
      async () => await pool.mapReduce(sumIndices, { end: 10, initial: 1n, reduce: failToAdd }),
      TypeError,
      "cannot add",
    );
  });

  it("runs within jobs that run ranges themselves, which hold their threads or do not", async () => {
    for (const job of [markRows, markRowsLater]) {
      using counters = new Counters(200);
      await pool.parallelFor(job, { end: 10, grain: 1 }, counters.map, 20);
      assertEquals(counters.wrong, []);
    }
  });

  it("fails with an error from its middle, which stops the others", async () => {
    const counts = words();
    const failing = pool.parallelFor(failAt, { end: 2 ** 40, grain: 1 }, 1000, counts);
    await assertRejects(async () => await failing, RangeError, "no row 1000");
    const later = pool.parallelFor(failLaterAt, { end: 2 ** 40, grain: 1 }, 1000);
    await assertRejects(async () => await later, RangeError, "no row 1000");
    const only = pool.parallelFor(failAt, { end: 1 }, 0, counts);
    assertThrows(() => only.waitSync(), RangeError, "no row 0");
  });

  it("ends an abort when the pieces have ended that were begun, and begins no others", async () => {
    const [counts, abort] = [words(), new AbortController()];
    const options = { end: 64, grain: 1, threads: 1, signal: abort.signal };
    const handle = pool.parallelFor(holdPiece, options, counts);
    await raised(counts, 0);
    abort.abort(new Error("it rains"));
    assert(!handle.isFinished);
    raise(counts, 1);
    await assertRejects(async () => await handle, Error, "it rains");
    assertEquals([...counts], [32, 1, 1]);
    const late = pool.parallelFor(holdPiece, options, counts);
    await assertRejects(async () => await late, Error, "it rains");
    assertEquals(counts[0], 32);
  });

  it("tells a function that computes that it is cancelled", async () => {
    const counts = words();
    const handle = pool.parallelFor(computeUntilCancelled, { end: 2, grain: 1 }, counts);
    await raised(counts, 0, 2);
    handle.cancel();
    await assertRejects(async () => await handle, DOMException, "cancelled");
    assertEquals(counts[1], 2);
  });

  it("leaves no descriptor open", async () => {
    using counters = new Counters(1_000);
    await pool.parallelFor(mark, { end: 1_000 }, counters.map, 0);
    const before = descriptors();
    for (let i = 0; i < 5; i++) await pool.parallelFor(mark, { end: 1_000 }, counters.map, 0);
    const failing = pool.parallelFor(failAt, { end: 1_000, grain: 1 }, 500, words());
    await assertRejects(async () => await failing, RangeError);
    // A thread of the pool that is just starting has its own.
    const ofMaps = openedSince(before).filter((one) => /memfd:oxbow(-map-record)?$/.test(one));
    assertEquals(ofMaps, []);
  });

  it("names wrong arguments before anything is submitted", () => {
    const { submitted } = pool.metrics();
    const refuses = (options: object, type: typeof RangeError | typeof TypeError, message: string): void => {
      assertThrows(() => Reflect.apply(pool.parallelFor, pool, [mark, options]), type, message);
    };
    refuses({}, RangeError, "end is undefined");
    refuses({ end: 1.5 }, RangeError, "end is 1.5");
    refuses({ end: 2 ** 53 + 2 }, RangeError, "end is");
    refuses({ start: 2, end: 1 }, RangeError, "not an integer from 2");
    refuses({ start: -1, end: 1 }, RangeError, "start is -1");
    refuses({ end: 1, grain: 0 }, RangeError, "grain is 0");
    refuses({ end: 1, threads: 3 }, RangeError, "from 1 to 2");
    refuses({ end: 1, signal: 1 }, TypeError, "signal is 1");
    refuses({ end: 1, step: 1 }, TypeError, "step");
    refuses({ end: 1, reduce: add }, TypeError, "reduce");
    const mapReduce = (...args: unknown[]): unknown => Reflect.apply(pool.mapReduce, pool, args);
    assertThrows(() => mapReduce(sumIndices, { end: 1 }), TypeError, "cannot run a job");
    assertThrows(
      () => Reflect.apply(pool.parallelFor, pool, [() => 1, { end: 1 }]),
      TypeError,
      "it is a function",
    );
    // @ts-expect-error -- `mark` takes a map and a number behind its piece.
    const wrong = (): RangeHandle<void> => pool.parallelFor(mark, { end: 1 }, "a");
    // @ts-expect-error -- `thread` takes no piece.
    const none = (): RangeHandle<void> => pool.parallelFor(job<(a: string) => void>(url, "add"), { end: 1 });
    assert(wrong !== none);
    assertThrows(() => Reflect.apply(pool.parallelFor, pool, [mark, { end: 1 }, () => 1]), DOMException);
    assertEquals(pool.metrics().submitted, submitted);
  });
});

describe("the cells of ranges", () => {
  it("are taken by one range each, claimed by all who know them, and taken again once they are free", () => {
    const words = new Int32Array(CELLS * CELL_BYTES / 4);
    const [cells, others] = [new RangeCells(words), new RangeCells(words)];
    const whole = split({ start: 3, end: 103 }, 10, 2);
    const taken = Array.from({ length: CELLS }, (_, i) => (i % 2 === 0 ? cells : others).take(whole));
    assertEquals(new Set(taken.map((cell) => cell?.index)).size, CELLS);
    assertEquals(cells.take(whole), null);
    const last = taken.at(-1);
    const [first, second] = [last?.claim(), others.at(last?.index ?? -1, whole).claim()];
    assertEquals([first, second], [{ start: 3, end: 23 }, { start: 23, end: 43 }]);
    last?.close();
    assertEquals(cells.at(last?.index ?? -1, whole).claim(), null);
    last?.free();
    assertEquals(others.take(whole)?.claim(), { start: 3, end: 23 });
  });
});

describe("a range whose pool fails it", () => {
  it("fails at once where a worker has ended, and the pool goes on", async () => {
    await using pool = Pool.open({ threads: 2 });
    await pool.ready();
    const handle = pool.parallelFor(exitAt, { end: 2 ** 40, grain: 1 }, 12_345);
    await assertRejects(async () => await handle, WorkerCrashError, "exitAt");
    assertEquals(await pool.mapReduce(countIndices, { end: 1_000, reduce: add }), 1_000);
  });

  it("fails where the pool is closed", async () => {
    const pool = Pool.open({ threads: 1 });
    const counts = words();
    const handle = pool.parallelFor(computeUntilCancelled, { end: 64, grain: 1 }, counts);
    const failed = assertRejects(async () => await handle, PoolClosedError);
    await raised(counts, 0);
    await pool.close({ deadline: 0 });
    await failed;
    assertThrows(() => pool.parallelFor(mark, { end: 1 }, new Counters(1).map, 0), PoolClosedError);
  });
});
