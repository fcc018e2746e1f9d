/**
 * Work on other threads: jobs, which are functions that modules export, run on threads of a pool as tokio's tasks do on
 * its workers.
 *
 * A job is named and not handed over, since threads share no functions: a module's URL, and the name of what it exports.
 * Its arguments and its result are cloned as `structuredClone` does, through memory that all threads of the pool have
 * mapped, or cross by reference where they can: maps, arcs, yokes, locks, rings. Threads start when there is more to do
 * than they have, take jobs from each other where one has too many, look for a moment before they sleep, and sleep in the
 * kernel until there is something: an idle pool costs nothing, and keeps no process alive.
 *
 * What a job gives may be there at once, or be waited for: a promise, a future or a coroutine goes on beside others on
 * the same thread, which has a runtime of its own, as `run` makes one.
 *
 * @example
 * ```ts
 * import { Pool } from "@oxbow/oxbow/pool";
 *
 * await using pool = Pool.open({ threads: 2 });
 * const join = pool.job<typeof import("node:path").join>("node:path", "join");
 * console.log(await join("a", "b")); // "a/b"
 * ```
 *
 * Follows tokio's multi-threaded runtime, futex(2), eventfd(2), and for its queues Lê, Pop, Cohen and Zappa Nardelli,
 * "Correct and Efficient Work-Stealing for Weak Memory Models", PPoPP 2013.
 *
 * @module
 */
import "./runtime/attach.ts";

export { type CurrentJob, currentJob } from "./pool/current_job.ts";
export { currentPool } from "./pool/current_pool.ts";
export { PoolClosedError, WorkerCrashError } from "./pool/errors.ts";
export {
  type Callable,
  type FunctionNames,
  type Job,
  job,
  type JobOf,
  type JobOutput,
  type JobsOf,
  type Submit,
} from "./pool/job.ts";
export type { JobHandle, WaitSyncOptions } from "./pool/job_handle.ts";
export type { MapReduceOptions } from "./pool/map_reduce.ts";
export type { PoolMetrics } from "./pool/metrics.ts";
export { type CloseOptions, Pool, type PoolOptions } from "./pool/open_pool.ts";
export type { RangeHandle, RangeOptions } from "./pool/ranges.ts";
export {
  closeRemoteEnd,
  type RemoteEnd,
  type RemoteEndHandle,
  remoteMpsc,
  remoteMpscBytes,
  type RemoteMpscOptions,
  remoteOneshot,
  RemoteOneshotReceiver,
  RemoteOneshotSender,
  type RemotePermit,
  RemoteReceiver,
  RemoteSender,
  remoteWatch,
  RemoteWatchReceiver,
  RemoteWatchSender,
} from "./pool/remote.ts";
export type { RunOptions, Submitter } from "./pool/submitter.ts";
export {
  type NativeArguments,
  type NativeCallOptions,
  type NativeOutput,
  type NativeResult,
  spawnNative,
} from "./blocking/spawn_native.ts";
