import { AsyncLocalStorage } from "node:async_hooks";

/** What a job is told of itself. */
export interface CurrentJob {
  /** Aborted once the job is wanted no more, with a reason that says so: in an async function or a coroutine. */
  readonly signal: AbortSignal;
  /** Whether it is wanted no more: to be looked at by a job that holds its thread. */
  readonly isCancelled: boolean;
  /** When it is to have ended, in milliseconds since 1970, or `Infinity`. */
  readonly deadline: number;
  /** The thread that runs it, counted from 1. */
  readonly lane: number;
  /**
   * Reports to who has submitted it: `JobHandle.progress`, `onProgress`. Gives `false` where nothing was sent, because
   * 16 reports have not been read yet. Throws what cannot be cloned.
   */
  progress(value: unknown): boolean;
}

/** The job that has the thread, of those that are done when they return: what it is told is made when it asks. */
export const onStack: { make: ((slot: number) => CurrentJob) | null; slot: number; job: CurrentJob | null } =
  {
    make: null,
    slot: -1,
    job: null,
  };

/** The job that an async function is of, after its `await`s too. */
export const ofAsync: AsyncLocalStorage<CurrentJob> = new AsyncLocalStorage();

/** The job that this is called in; undefined where it is in none. What it gives is to be kept: asking costs some 50 ns. */
export function currentJob(): CurrentJob | undefined {
  const { make, slot } = onStack;
  if (make !== null && slot >= 0) return onStack.job ??= make(slot);
  return ofAsync.getStore();
}
