/**
 * tokio's model in TypeScript: futures that are polled, tasks that park and unpark, a reactor over epoll.
 *
 * A task that would block leaves its waker in the reactor, under its descriptor's token, and gives
 * `Pending`. `run` owns the thread: it polls the tasks that were woken, lets the host's promises advance,
 * and parks in epoll_wait until a descriptor or a timer is ready, whose task is then woken and polled
 * again. A task is a `Future`, a coroutine whose `yield*` waits, or an async function.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow/task";
 *
 * function* double(n: number): Coroutine<number> {
 *   yield* sleep(1);
 *   return 2 * n;
 * }
 *
 * console.log(await run(async () => await spawn(double, 1) + await spawn(double, 20))); // 42
 * ```
 *
 * Follows tokio's `Runtime`, `AsyncFd` and `ScheduledIo`, and epoll(7).
 *
 * @module
 */
export { AsyncFd } from "./async_fd.ts";
export { attach } from "./runtime/attach.ts";
export { consumeBudget, hasBudget, unconstrained } from "./runtime/budget.ts";
export { type Context, type Coroutine, Future, Pending, WaitInFinallyError, type Waker } from "./future.ts";
export { fromPromise, type PromiseSource } from "./promise.ts";
export type { Fuse } from "./futures/fuse.ts";
export { join, tryJoin } from "./futures/join.ts";
export { joinAll, tryJoinAll } from "./futures/join_all.ts";
export { pollFn } from "./futures/poll_fn.ts";
export { race, type Won } from "./futures/race.ts";
export { failed, lazy, never, pending, ready } from "./futures/ready.ts";
export { select, type Selected, type SelectOptions } from "./futures/select.ts";
export type { Shared } from "./futures/shared.ts";
export type { Output, Spawnable } from "./futures/to_future.ts";
export { type AbortHandle, type Joined, type JoinedSettled, JoinSet } from "./join_set.ts";
export { now } from "./time/clock.ts";
export { Interval, interval, intervalAt, type IntervalOptions, type MissedTick } from "./time/interval.ts";
export { RemoteNotify } from "./remote_notify.ts";
export type { RemoteNotifyHandle } from "./remote_notify/cells.ts";
export { RemoteNotifier } from "./remote_notify/remote_notifier.ts";
export { Runtime } from "./instruments/runtime.ts";
export type { RuntimeMetrics } from "./instruments/metrics.ts";
export type { PollTimeBucket } from "./instruments/poll_times.ts";
export type { RuntimeDump, TaskDump } from "./instruments/dump.ts";
export { run, type RunOptions } from "./runtime/run.ts";
export { Scope, scope, type ScopeOptions } from "./scope.ts";
export { ctrlC, shutdownSignal, Signal } from "./signal.ts";
export { spawn, type SpawnOptions, spawnWith } from "./spawn.ts";
export { type Sleep, sleep, sleepUntil } from "./time/sleep.ts";
export { TaskLocal } from "./task_local.ts";
export { timeout, timeoutAt } from "./time/timeout.ts";
export { yieldNow } from "./yield_now.ts";
export { Task } from "./current_task.ts";
export type { JoinHandle } from "./join_handle.ts";
