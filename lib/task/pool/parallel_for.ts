import { type Job, requireJob } from "./job.ts";
import type { Lane } from "./lane.ts";
import { RangeHandle, type RangeOptions, splitOf } from "./ranges.ts";

/** Calls a function with pieces of a range, on the pool's threads, until all of it is done. */
export function parallelFor<A extends unknown[]>(
  lane: Lane,
  job: Job<[start: number, end: number, ...args: A], void>,
  options: RangeOptions,
  args: A,
): RangeHandle<void> {
  if (lane.closed !== null) throw lane.closed;
  requireJob(job);
  const split = splitOf("cannot run a job over a range", options, lane.threads);
  const fn = lane.directory.numberOf(job.module, job.name, { kind: "each" });
  const finish = (handle: RangeHandle<void>): void => handle.settle();
  return new RangeHandle<void>(lane, split, { fn, args, finish }, options.signal);
}
