import type { Future } from "./future.ts";

/** The end of a spawned task, to be waited for once. Dropping it does not abort the task. */
export interface JoinHandle<T> extends Future<T> {
  /** Unique in its runtime, counted from 1. */
  readonly id: number;
  /** What it was named, or the empty string. */
  readonly name: string;
  readonly isFinished: boolean;
  /**
   * Drops the task where it stands, its `finally` blocks run; waiting for it throws `reason`, an `AbortError`
   * where nothing is said. A task that aborts itself ends where it would wait next. An async function is told
   * by its signal, and ends when it does. Does nothing once it has finished: the value, such as an open stream, is
   * still to be taken.
   */
  abort(reason?: unknown): void;
}
