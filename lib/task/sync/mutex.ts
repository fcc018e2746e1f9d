import type { Future } from "../future.ts";
import { held, released } from "./held.ts";
import { Acquire, Permits } from "./permits.ts";

/** What a mutex guards, and its one permit. */
class Guarded<T> extends Permits {
  value: T;

  constructor(value: T) {
    super(1);
    this.value = value;
  }
}

/** One holding of a mutex, which ends when it is released or disposed. */
export class MutexGuard<T> implements Disposable {
  #guarded: Guarded<T> | null;

  /** @internal */
  constructor(guarded: Guarded<T>) {
    this.#guarded = guarded;
    held(this, "a MutexGuard");
  }

  /** What the mutex guards. Throws, to be read and to be set, once the guard was released. */
  get value(): T {
    return this.#held().value;
  }

  set value(value: T) {
    this.#held().value = value;
  }

  get isReleased(): boolean {
    return this.#guarded === null;
  }

  /** Unlocks the mutex: who waits first has it now. Does nothing the second time. */
  release(): void {
    const guarded = this.#guarded;
    if (guarded === null) return;
    this.#guarded = null;
    released(this);
    guarded.release(1);
  }

  /** As `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  #held(): Guarded<T> {
    if (this.#guarded === null) throw new Error("cannot use what a Mutex guards: the guard was released");
    return this.#guarded;
  }
}

class Lock<T> extends Acquire<MutexGuard<T>> {
  readonly #guarded: Guarded<T>;

  constructor(guarded: Guarded<T>) {
    super(guarded, 1);
    this.#guarded = guarded;
  }

  protected override make(): MutexGuard<T> {
    return new MutexGuard(this.#guarded);
  }

  protected override call(): string {
    return "lock()";
  }
}

/**
 * A value that one task at a time has, also while it waits for something else: first come, first served.
 *
 * Between two waits a task has the thread to itself, and what it does needs no lock. One is needed where a change
 * goes on over a wait. A task that is dropped while it waits is out of the queue, and one that holds the guard by
 * `using` unlocks; nothing is poisoned by an error. Who locks the mutex that it holds waits for ever. A lock and an
 * unlock that nobody contends make two objects, the future and the guard.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { Mutex } from "@oxbow/oxbow/sync";
 *
 * const balance = new Mutex(100);
 *
 * function* withdraw(amount: number): Coroutine<boolean> {
 *   using guard = yield* balance.lock();
 *   if (guard.value < amount) return false;
 *   yield* sleep(1); // ask the bank
 *   guard.value -= amount;
 *   return true;
 * }
 *
 * await run(async () => {
 *   const [first, second] = [spawn(withdraw, 80), spawn(withdraw, 80)];
 *   console.log(await first, await second); // true false
 * });
 * ```
 */
export class Mutex<T> {
  readonly #guarded: Guarded<T>;

  constructor(value: T) {
    this.#guarded = new Guarded(value);
  }

  get isLocked(): boolean {
    return this.#guarded.available === 0;
  }

  /** Waits until no other task holds it. Its place in the queue is that of its first poll. */
  lock(): Future<MutexGuard<T>> {
    return new Lock(this.#guarded);
  }

  /** Locks it where nobody holds it, and nobody was given it. */
  tryLock(): MutexGuard<T> | undefined {
    return this.#guarded.tryTake(1) ? new MutexGuard(this.#guarded) : undefined;
  }
}
