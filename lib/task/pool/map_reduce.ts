import { type Job, requireJob } from "./job.ts";
import type { Lane } from "./lane.ts";
import { RangeHandle, type RangeOptions, splitOf } from "./ranges.ts";

/** A range, and how what its pieces give becomes one value. */
export interface MapReduceOptions<T> extends RangeOptions {
  /**
   * Makes one value of two. It has to be associative and commutative: which values meet, and in which order, depends on
   * how fast the threads are.
   */
  reduce: Job<[T, T], T>;
  /** Reduced with the rest, once; what an empty range gives. */
  initial?: T;
}

/** Reduces what a function gives for pieces of a range. */
export function mapReduce<A extends unknown[], T>(
  lane: Lane,
  job: Job<[start: number, end: number, ...args: A], T>,
  options: MapReduceOptions<T>,
  args: A,
): RangeHandle<T> {
  if (lane.closed !== null) throw lane.closed;
  requireJob(job);
  const what = "cannot map and reduce a range";
  const split = splitOf(what, options, lane.threads, ["reduce", "initial"]);
  const { reduce, signal } = options;
  requireJob(reduce);
  const initial: T[] = options.initial === undefined ? [] : [options.initial];
  if (split.units === 0 && initial.length === 0) {
    throw new RangeError(`${what}: it is empty, and there is no initial value`);
  }
  const { directory } = lane;
  const fn = directory.numberOf(job.module, job.name, { kind: "reduced", by: reduce });
  const finish = (handle: RangeHandle<T>, results: T[]): void => {
    const values = [...initial, ...results];
    if (values.length === 1) handle.settle(values[0]);
    else handle.endWith(directory.numberOf(reduce.module, reduce.name, { kind: "values" }), values);
  };
  return new RangeHandle<T>(lane, split, { fn, args, finish }, signal);
}
