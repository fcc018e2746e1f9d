/** A worker has ended while it ran the job: what it did up to there is done, and whether it did the rest nobody knows. */
export class WorkerCrashError extends Error {
  override name = "WorkerCrashError";
}

/** The pool was closed before the job had ended, or before it was submitted. */
export class PoolClosedError extends Error {
  override name = "PoolClosedError";
}
