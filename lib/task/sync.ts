/**
 * What tasks of one thread share: locks, counts and notifications that are waited for without blocking it.
 *
 * Each wait is a future: queued at its first poll, first come first served, and itself its place in the queue, so that
 * waiting makes no object and leaving takes the same time however many wait. Every wait can be dropped, by `select`, a
 * timeout or the abortion of its task: what it had got goes to the next, and no notification is lost. What is held is
 * released by `using`, at once; what was forgotten is never released by the collector, and where `OXBOW_DEBUG` is 1
 * in the environment the console tells of it.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { Mutex } from "@oxbow/oxbow/sync";
 *
 * const log = new Mutex<string[]>([]);
 *
 * function* visit(name: string): Coroutine<void> {
 *   using guard = yield* log.lock();
 *   guard.value.push(`${name} comes`);
 *   yield* sleep(1);
 *   guard.value.push(`${name} goes`);
 * }
 *
 * await run(async () => {
 *   const guests = [spawn(visit, "Ann"), spawn(visit, "Bob")];
 *   for (const guest of guests) await guest;
 *   console.log(log.tryLock()?.value.join()); // Ann comes,Ann goes,Bob comes,Bob goes
 * });
 * ```
 *
 * `lockShared` and the others ending so wait for the locks and rings of `@oxbow/oxbow/shared`, which other processes
 * change, without blocking the thread: by trying again, for nothing tells a reactor of a futex.
 *
 * Follows tokio's `sync`.
 *
 * @module
 */
// What is awaited where no runtime runs lives in the host's loop.
import "./runtime/attach.ts";

export { Barrier, type BarrierWaitResult } from "./sync/barrier.ts";
export { Mutex, MutexGuard } from "./sync/mutex.ts";
export { type Notified, Notify } from "./sync/notify.ts";
export { OnceCell } from "./sync/once_cell.ts";
export { SemaphoreClosedError } from "./sync/permits.ts";
export { RwLock, type RwLockOptions, RwLockReadGuard, RwLockWriteGuard } from "./sync/rwlock.ts";
export { Semaphore, SemaphorePermit } from "./sync/semaphore.ts";
export { SetOnce } from "./sync/set_once.ts";
export {
  acquireShared,
  lockShared,
  type Notifying,
  type RobustGuard,
  type RobustMutex,
  type TryAcquire,
  waitShared,
} from "./shared/locks.ts";
export {
  peekShared,
  type Receiving,
  recvShared,
  reserveShared,
  type Sending,
  sendShared,
} from "./shared/ring.ts";
