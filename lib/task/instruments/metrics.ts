import type { Runtime } from "../runtime/runtime.ts";
import type { PollTimeBucket } from "./poll_times.ts";

/** What a runtime has done so far, and what there is now. */
export interface RuntimeMetrics {
  /** Tasks that have not ended, and futures that async functions await. */
  readonly alive: number;
  /** Tasks that were spawned, with `main`. */
  readonly spawned: number;
  /** Turns of tasks, and polls of futures that are awaited, but for those that are ready at once. */
  readonly polls: number;
  /** How often one of these was queued for a turn by a wake: those of one that is queued already are not counted. */
  readonly wakes: number;
  /** How often a task gave way since its budget was spent: on this thread, since the runtime began. */
  readonly budgetYields: number;
  /** How often the thread blocked in epoll_wait, or poll(2). */
  readonly parks: number;
  /** How often the thread slept in the host's loop instead. */
  readonly hostSleeps: number;
  /** Edges that the reactor was told of: descriptors that became ready. */
  readonly ioEdges: number;
  /** Descriptors that are watched. */
  readonly registrations: number;
  /** Sleeps, timeouts and intervals that are waited for, but for those that never end. They are counted one by one. */
  readonly timers: number;
  /** Promises that tasks wait for: an async function is one. */
  readonly promises: number;
  /** Who waits for a turn: in the ring, and where that is full in the queue behind it. */
  readonly queued: number;
  /** How many of those are not in the ring. */
  readonly overflow: number;
  /** Who waits until the reactor has been asked, by `yieldNow()`. */
  readonly deferred: number;
  /** How many polls took how long: `null` where `run` was not asked for it. */
  readonly pollTimes: readonly PollTimeBucket[] | null;
}

export function metricsOf(runtime: Runtime): RuntimeMetrics {
  const { executor, reactor, timers } = runtime;
  const { queued, polls, spawned } = executor;
  return {
    alive: executor.live,
    spawned,
    polls,
    // Whatever was queued has had its turn or waits for it, and a spawn queues once.
    wakes: polls + queued - spawned,
    budgetYields: runtime.budgetYields,
    parks: runtime.parks,
    hostSleeps: runtime.hostSleeps,
    ioEdges: runtime.edges,
    registrations: reactor.registrations,
    timers: timers.size,
    promises: runtime.promises,
    queued,
    overflow: executor.overflow,
    deferred: executor.deferred,
    pollTimes: runtime.instruments?.pollTimes?.buckets ?? null,
  };
}
