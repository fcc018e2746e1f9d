import type { Future } from "../future.ts";
import { held, released } from "./held.ts";
import { Acquire, Permits, SemaphoreClosedError } from "./permits.ts";

/** So many that what is added and given back is still counted exactly. */
const MAX_PERMITS = 2 ** 50;

function requireCount(verb: string, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > MAX_PERMITS) {
    throw new RangeError(`cannot ${verb}: count is ${count}, not an integer from 0 to ${MAX_PERMITS}`);
  }
}

/** Permits of a semaphore, which go back when it is released or disposed. */
export class SemaphorePermit implements Disposable {
  readonly #permits: Permits;
  #count: number;

  /** @internal */
  constructor(permits: Permits, count: number) {
    this.#permits = permits;
    this.#count = count;
    if (count > 0) held(this, "a SemaphorePermit");
  }

  /** How many permits it is: 0 once it was released. */
  get count(): number {
    return this.#count;
  }

  /** Gives the permits back. Does nothing the second time. */
  release(): void {
    const count = this.#take();
    if (count > 0) this.#permits.release(count);
  }

  /** As `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** Never gives the permits back: the semaphore has fewer from now on. Returns how many. */
  forget(): number {
    return this.#take();
  }

  /** Makes `count` of them a permit of their own; nothing where it has fewer. */
  split(count: number): SemaphorePermit | undefined {
    requireCount("split a SemaphorePermit", count);
    if (count > this.#count) return undefined;
    this.#count -= count;
    if (this.#count === 0) released(this);
    return new SemaphorePermit(this.#permits, count);
  }

  /** Takes the permits of another of the same semaphore, which is as good as released then. */
  merge(other: SemaphorePermit): void {
    if (other.#permits !== this.#permits) {
      throw new TypeError("cannot merge SemaphorePermits: they are of two semaphores");
    }
    if (other === this) return;
    const isEmpty = this.#count === 0;
    this.#count += other.#take();
    if (isEmpty && this.#count > 0) held(this, "a SemaphorePermit");
  }

  #take(): number {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) released(this);
    return count;
  }
}

class AcquirePermit extends Acquire<SemaphorePermit> {
  readonly #permits: Permits;
  readonly #count: number;

  constructor(permits: Permits, count: number) {
    super(permits, count);
    this.#permits = permits;
    this.#count = count;
  }

  protected override make(): SemaphorePermit {
    return new SemaphorePermit(this.#permits, this.#count);
  }

  protected override call(): string {
    return "acquire()";
  }
}

/**
 * A count of permits that tasks acquire and give back, and wait for while there are none.
 *
 * First come, first served: who wants many permits and waits first collects them as they come back, and is not
 * overtaken by who wants few. A wait that is dropped gives what it had collected to the next.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { Semaphore } from "@oxbow/oxbow/sync";
 *
 * const connections = new Semaphore(2);
 * let open = 0;
 * let most = 0;
 *
 * function* request(): Coroutine<void> {
 *   using _permit = yield* connections.acquire();
 *   most = Math.max(most, ++open);
 *   yield* sleep(1);
 *   open--;
 * }
 *
 * await run(async () => {
 *   for (const task of [spawn(request), spawn(request), spawn(request)]) await task;
 * });
 * console.log(most, connections.availablePermits); // 2 2
 * ```
 */
export class Semaphore {
  /** The most permits that it may have at a time. */
  static readonly MAX_PERMITS: number = MAX_PERMITS;

  readonly #permits: Permits;

  /** Throws a `RangeError` where `permits` is no count. */
  constructor(permits: number) {
    requireCount("make a Semaphore", permits);
    this.#permits = new Permits(permits);
  }

  /** How many permits nobody has. */
  get availablePermits(): number {
    return this.#permits.available;
  }

  get isClosed(): boolean {
    return this.#permits.isClosed;
  }

  /** Waits for a permit. Fails with a `SemaphoreClosedError` once the semaphore is closed. */
  acquire(): Future<SemaphorePermit> {
    return new AcquirePermit(this.#permits, 1);
  }

  /** Waits until it has `count` permits, all in one. Fails as `acquire` does. */
  acquireMany(count: number): Future<SemaphorePermit> {
    requireCount("acquire permits", count);
    return new AcquirePermit(this.#permits, count);
  }

  /** Takes `count` permits where so many are there; nothing otherwise. Throws a `SemaphoreClosedError`. */
  tryAcquire(count = 1): SemaphorePermit | undefined {
    requireCount("acquire permits", count);
    if (this.#permits.isClosed) throw new SemaphoreClosedError();
    return this.#permits.tryTake(count) ? new SemaphorePermit(this.#permits, count) : undefined;
  }

  /** Adds permits, also to a closed one. Throws a `RangeError` where there would be more than `MAX_PERMITS`. */
  addPermits(count: number): void {
    requireCount("add permits", count);
    const { available } = this.#permits;
    if (available + count > MAX_PERMITS) {
      throw new RangeError(`cannot add permits: ${available} + ${count} is over ${MAX_PERMITS}`);
    }
    this.#permits.release(count);
  }

  /** Takes away up to `count` of the permits that nobody has, for good. Returns how many. */
  forgetPermits(count: number): number {
    requireCount("forget permits", count);
    return this.#permits.forget(count);
  }

  /** Fails who waits, and who will. Permits can still be given back. */
  close(): void {
    this.#permits.close();
  }
}
