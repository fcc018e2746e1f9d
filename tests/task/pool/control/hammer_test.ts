import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { assert, assertEquals } from "@std/assert";
import { Control } from "../../../../lib/task/pool/control/control.ts";
import { tiered } from "../../../tier.ts";
import { perturb } from "../perturb.ts";
import { Hammer, tallyOf } from "./hammer.ts";

const LANES = 4;

async function message(worker: Worker): Promise<unknown> {
  return (await once(worker, "message"))[0];
}

/** Hammers a map with that many jobs of each lane, and gives how often each was run. */
async function hammer(control: Control, jobs: number, seed: number): Promise<Int32Array> {
  const tally = tallyOf(control);
  tally[0] = LANES;
  const workers = Array.from(
    { length: LANES - 1 },
    (_, i) =>
      new Worker(new URL("hammer_worker.ts", import.meta.url), {
        workerData: { handle: control.handle, lane: i + 1, jobs, seed },
      }),
  );
  await Promise.all(workers.map(message));
  const ends = workers.map(message);
  for (const worker of workers) worker.postMessage("go");
  const own = new Hammer(control, jobs, seed);
  const stop = perturb(seed);
  try {
    own.run();
  } catch (error) {
    control.parking.stop();
    // They end once they have looked, and would keep the process.
    await Promise.all(ends);
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw error;
  } finally {
    stop();
  }
  assertEquals(await Promise.all(ends), ends.map(() => "ended"));
  const closed = workers.map(message);
  for (const worker of workers) worker.postMessage("close");
  await Promise.all(closed);
  await Promise.all(workers.map((worker) => worker.terminate()));
  own.close();
  return tally.subarray(1, 1 + LANES * jobs);
}

describe("a control map that threads hammer", () => {
  it("runs each job once or cancels it, and ends each", async () => {
    const jobs = tiered({ quick: 5_000, full: 250_000, soak: 5_000_000 });
    const seed = Math.floor(Math.random() * 2 ** 31);
    using control = Control.create({ lanes: LANES, slots: 64, arena: 4096 * Math.ceil(jobs / 200) });
    const ran = await hammer(control, jobs, seed);
    const { submitted, begun, finished, failed, cancelled, lost, parks, wakes, stolen } = control.counters
      .metrics();
    const once = ran.filter((times) => times === 1).length;
    assertEquals(
      { seed, submitted, begun, lost, never: ran.length - once, sum: finished + failed + cancelled },
      { seed, submitted: ran.length, begun: once, lost: 0, never: cancelled, sum: submitted },
    );
    assertEquals(failed, ran.filter((times, job) => times === 1 && job % 7 === 0).length);
    assert(parks > 0 && wakes > 0 && stolen > 0 && cancelled > 0);
  });
});
