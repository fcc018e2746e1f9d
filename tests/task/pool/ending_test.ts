/** Threads that end in each state of a job: what else was there is done once, and all is accounted for. */
import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sleep } from "../../../lib/task/mod.ts";
import { type Job, job, type JobHandle, Pool, WorkerCrashError } from "../../../lib/task/pool.ts";
import { tiered } from "../../tier.ts";

const url = new URL("./ending_work.ts", import.meta.url);
type Work = typeof import("./ending_work.ts");

const addOne: Job<[Int32Array], void> = job<Work, "addOne">(url, "addOne");
const giveMuch: Job<[], Uint8Array> = job<Work, "giveMuch">(url, "giveMuch");
const waitForGood: Job<[Int32Array], void> = job<Work, "waitForGood">(url, "waitForGood");

const ROUNDS = tiered({ quick: 1, full: 50, soak: 1_000 });
/** Of each kind that the others are, where one ends its thread. */
const OTHERS = 20;

function flag(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4));
}

async function raised(flag: Int32Array): Promise<void> {
  while (Atomics.load(flag, 0) === 0) await sleep(1);
}

async function isLost(handle: PromiseLike<unknown>): Promise<void> {
  const error = await assertRejects(async () => await handle, WorkerCrashError, "was lost");
  assert(error.cause instanceof Error, String(error.cause));
}

/** Jobs around one that ends thread 1 of two, which are done though. `ends` waits until its thread has ended. */
async function among(pool: Pool, ends: () => Promise<number>): Promise<void> {
  const { lost: lostBefore } = pool.metrics();
  const [count, isWaiting] = [flag(), flag()];
  const waiting = pool.runWith({ lane: 1 }, waitForGood, isWaiting);
  await raised(isWaiting);
  const handles: JobHandle<unknown>[] = [];
  function add(): void {
    for (let i = 0; i < OTHERS; i++) {
      handles.push(pool.run(addOne, count), pool.runWith({ lane: 1 }, addOne, count));
      if (i % 4 === 0) handles.push(pool.runWith({ lane: 1 }, giveMuch));
    }
  }
  add();
  const ending = ends();
  add();
  const lost = await ending;
  await isLost(waiting);
  for (const handle of handles) await handle;
  assertEquals(count[0], 4 * OTHERS);
  // What the thread had submitted is found by the next one on its lane.
  while (pool.metrics().inFlight > 0) await sleep(1);
  const { submitted, finished, failed, cancelled, lost: lostAfter } = pool.metrics();
  assertEquals(lostAfter - lostBefore, lost + 1);
  assertEquals(submitted, finished + failed + cancelled + lostAfter);
}

describe("a pool whose thread ends", () => {
  const pool = Pool.open({ threads: 2 });

  before(() => pool.ready());

  after(() => pool.close());

  const names = [
    "inItsCall",
    "whileItsPromiseWaits",
    "afterItsPromise",
    "inItsCoroutine",
    "inItsThen",
    "inItsResult",
    "inItsError",
    "inItsReport",
    "inItsSubmission",
  ] as const;
  for (const name of names) {
    it(`does all others once, where a job does it: ${name}`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await among(pool, async () => {
          await isLost(pool.runWith({ lane: 1 }, job<Work, typeof name>(url, name)));
          return 1;
        });
      }
    });
  }

  it("loses a job that waits with its thread, and the one within which ends it", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await among(pool, async () => {
        await isLost(pool.runWith({ lane: 1 }, job<Work, "whileItHelps">(url, "whileItHelps")));
        return 2;
      });
    }
  });

  it("finishes on the other thread what a lost job had submitted", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const goes = flag();
      await among(pool, async () => {
        await isLost(
          pool.runWith(
            { lane: 1 },
            job<Work, "whileItWaitsForAnother">(url, "whileItWaitsForAnother"),
            goes,
          ),
        );
        Atomics.store(goes, 0, 1);
        return 1;
      });
    }
  });

  it("loses a job that was cancelled, whose handle has ended", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const runs = flag();
      await among(pool, async () => {
        const handle = pool.runWith({ lane: 1 }, job<Work, "inItsCleanUp">(url, "inItsCleanUp"), runs);
        await raised(runs);
        handle.cancel(new RangeError("by the test"));
        await assertRejects(async () => await handle, RangeError, "by the test");
        return 1;
      });
    }
  });

  it("gives up a job whose module ends each thread that loads it", async () => {
    await using pool = Pool.open({ threads: 2 });
    const never = pool.run(
      job<typeof import("./ending_import.ts"), "never">(
        new URL("./ending_import.ts", import.meta.url),
        "never",
      ),
    );
    const error = await assertRejects(async () => await never, Error, "ending_import.ts");
    assert(error.message.includes("thread after thread"), error.message);
    await pool.run(addOne, flag());
    const { submitted, inFlight } = pool.metrics();
    assertEquals({ submitted, inFlight }, { submitted: 2, inFlight: 0 });
  });
});
