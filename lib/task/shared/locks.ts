import { type Future, Pending } from "../future.ts";
import { Retry } from "./retry.ts";

/** As `SharedMutexGuard`. */
export interface RobustGuard extends Disposable {
  readonly ownerDied: boolean;
}

/** As `SharedMutex`. */
export interface RobustMutex<G extends RobustGuard> {
  readonly ownerDied: boolean;
  tryLock(): G | undefined;
  unlock(): void;
}

/** As `SharedSemaphore`. */
export interface TryAcquire {
  tryAcquire(): boolean;
}

/** As `SharedCondvar`. */
export interface Notifying {
  readonly notifications: number;
}

class Lock<G extends RobustGuard> extends Retry<G> {
  readonly #mutex: RobustMutex<G>;

  constructor(mutex: RobustMutex<G>) {
    super();
    this.#mutex = mutex;
  }

  protected override attempt(): G | Pending {
    return this.#mutex.tryLock() ?? Pending;
  }

  protected override call(): string {
    return "lockShared()";
  }
}

/**
 * Locks a `SharedMutex` without blocking the thread. It belongs to the thread: its tasks keep each other out too, but
 * for them a `Mutex` is quicker. Where the owner died the guard tells, as with `lockSync`. Fails as `tryLock` throws.
 *
 * It tries again in each turn of the runtime at first, then every 1, 2, 4 and 8 ms: so it comes up to 8 ms late, and
 * others may overtake it.
 */
export function lockShared<G extends RobustGuard>(mutex: RobustMutex<G>): Future<G> {
  return new Lock(mutex);
}

class Acquire extends Retry<void> {
  readonly #semaphore: TryAcquire;

  constructor(semaphore: TryAcquire) {
    super();
    this.#semaphore = semaphore;
  }

  protected override attempt(): void | Pending {
    if (!this.#semaphore.tryAcquire()) return Pending;
  }

  protected override call(): string {
    return "acquireShared()";
  }
}

/** Takes one away from a `SharedSemaphore` without blocking the thread; as late as `lockShared`. */
export function acquireShared(semaphore: TryAcquire): Future<void> {
  return new Acquire(semaphore);
}

/** How often it is looked whether who held the mutex died, as often as those who sleep in the kernel do. */
const HEARTBEAT_MS = 100;

class Wait<G extends RobustGuard> extends Retry<G> {
  readonly #condvar: Notifying;
  readonly #mutex: RobustMutex<G>;
  #before: number | undefined = undefined;
  #nextLook = 0;

  constructor(condvar: Notifying, mutex: RobustMutex<G>) {
    super();
    this.#condvar = condvar;
    this.#mutex = mutex;
  }

  protected override attempt(): G | Pending {
    if (this.#before === undefined) return this.#begin();
    const isNotified = this.#condvar.notifications !== this.#before;
    if (!isNotified && performance.now() < this.#nextLook) return Pending;
    const guard = this.#mutex.tryLock();
    if (guard === undefined) return Pending;
    if (isNotified || guard.ownerDied) return guard;
    guard[Symbol.dispose]();
    this.#nextLook = performance.now() + HEARTBEAT_MS;
    return Pending;
  }

  #begin(): Pending {
    const mutex = this.#mutex;
    if (mutex.ownerDied) {
      throw new Error(
        "cannot wait for a SharedCondvar: an owner of the mutex died; call its markConsistent() first",
      );
    }
    this.#before = this.#condvar.notifications;
    this.#nextLook = performance.now() + HEARTBEAT_MS;
    mutex.unlock();
    return Pending;
  }

  protected override call(): string {
    return "waitShared()";
  }
}

/**
 * Unlocks the mutex that this thread holds, waits until a `SharedCondvar` is notified, and locks the mutex again,
 * without blocking the thread; as late as `lockShared`. Gives a new guard: the one before is over at the first poll,
 * and where the wait is dropped nobody holds the mutex. It may end for no reason, and `notifyOne` ends the waits of
 * all tasks; so ask in a loop. Where who held the mutex died the guard tells, within 0.1 s.
 */
export function waitShared<G extends RobustGuard>(condvar: Notifying, mutex: RobustMutex<G>): Future<G> {
  return new Wait(condvar, mutex);
}
