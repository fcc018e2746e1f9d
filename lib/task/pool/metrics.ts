import type { Lane } from "./lane.ts";

/** What a pool has done, and does. Of jobs: submitted = finished + failed + cancelled + lost + in flight. */
export interface PoolMetrics {
  /** How many threads there are, or will be in a moment. */
  readonly threads: number;
  /** How many of them sleep, and would take a job. */
  readonly asleep: number;
  /** Jobs that were put in a slot. */
  readonly submitted: number;
  /** Jobs that a thread has begun. */
  readonly begun: number;
  /** Jobs that have given a value, heard or not. */
  readonly finished: number;
  /** Jobs that have thrown. */
  readonly failed: number;
  /** Jobs that were cancelled before they ran. */
  readonly cancelled: number;
  /** Jobs whose worker has ended. */
  readonly lost: number;
  /** Jobs that have not ended, and those that end while this is read. */
  readonly inFlight: number;
  /** Jobs that another thread has taken than the one that had them. */
  readonly stolen: number;
  /** How often a thread has gone to sleep. */
  readonly parks: number;
  /** How often one was woken. */
  readonly wakes: number;
}

/** What all lanes have counted. */
export function metricsOf(lane: Lane, threads: number): PoolMetrics {
  const { counters, parking } = lane.control;
  const { submitted, begun, finished, failed, cancelled, lost, stolen, parks, wakes } = counters.metrics();
  return {
    threads,
    asleep: Math.max(0, parking.sleepers),
    submitted,
    begun,
    finished,
    failed,
    cancelled,
    lost,
    inFlight: submitted - finished - failed - cancelled - lost,
    stolen,
    parks,
    wakes,
  };
}
