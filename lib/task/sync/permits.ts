import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { type Linked, Queue } from "./queue.ts";
import { Wakes } from "./wakes.ts";

/** A semaphore was closed: no permit of it will be waited for any more. */
export class SemaphoreClosedError extends Error {
  override readonly name = "SemaphoreClosedError";

  constructor() {
    super("cannot acquire a permit: the semaphore was closed");
  }
}

/**
 * The count that every lock here stands on: a mutex has one permit, a lock for readers and a writer has one for each
 * reader, and a writer takes all. Permits go to who waits first, as they come; so while somebody waits there are none.
 */
export class Permits {
  available: number;
  isClosed = false;
  readonly #waiters: Queue<Acquire<unknown>> = new Queue();

  constructor(count: number) {
    this.available = count;
  }

  /** Takes `count` where there are so many. Whoever is woken cannot be overtaken by who comes while it is. */
  tryTake(count: number): boolean {
    if (this.available < count || (this.#waiters.first !== null && count > 0)) return false;
    this.available -= count;
    return true;
  }

  release(count: number): void {
    this.available += count;
    if (this.#waiters.first !== null) this.#give();
  }

  /** Takes away up to `count` of those that nobody has. Returns how many. */
  forget(count: number): number {
    const forgotten = Math.min(count, this.available);
    this.available -= forgotten;
    return forgotten;
  }

  /** An acquisition's own: takes what there is of what it wants, and waits for the rest. */
  enqueue(waiter: Acquire<unknown>): void {
    if (this.#waiters.first === null) {
      waiter.lacking -= this.available;
      this.available = 0;
    }
    this.#waiters.push(waiter);
  }

  /** An acquisition's own: it waits no more. What it has got already goes to the others. */
  leave(waiter: Acquire<unknown>, got: number): void {
    this.#waiters.remove(waiter);
    if (got > 0) this.release(got);
  }

  #give(): void {
    const wakes = new Wakes();
    for (let head = this.#waiters.first; head !== null && this.available > 0; head = this.#waiters.first) {
      const given = Math.min(head.lacking, this.available);
      this.available -= given;
      head.lacking -= given;
      if (head.lacking > 0) break;
      this.#waiters.remove(head);
      wakes.wake(head.granted());
    }
    wakes.end();
  }

  /** Who waits fails; what they got already is free again. */
  close(): void {
    this.isClosed = true;
    const wakes = new Wakes();
    for (let head = this.#waiters.first; head !== null; head = this.#waiters.first) {
      this.#waiters.remove(head);
      this.available += head.refused();
      wakes.wake(head.takeWaker());
    }
    wakes.end();
  }
}

const FRESH = 0;
const QUEUED = 1;
const GRANTED = 2;
const REFUSED = 3;
const OVER = 4;

/** Waits for permits, and makes of them what releases them: a permit or a guard. */
export abstract class Acquire<T> extends Future<T> implements Linked<Acquire<unknown>> {
  previous: Acquire<unknown> | null = null;
  next: Acquire<unknown> | null = null;
  /** How many it has not got yet. */
  lacking: number;
  readonly #wanted: number;
  readonly #permits: Permits;
  #waker: Waker | null = null;
  #state = FRESH;

  constructor(permits: Permits, wanted: number) {
    super();
    this.lacking = wanted;
    this.#wanted = wanted;
    this.#permits = permits;
  }

  /** What the permits are for. It owns them from now on. */
  protected abstract make(): T;

  /** The call that made it, for messages. */
  protected abstract call(): string;

  override describe(): string {
    return this.lacking > 1 ? `${this.call()}, ${this.lacking} permits` : this.call();
  }

  override poll(context: Context): T | Pending {
    if (this.#state === OVER) throw consumed(this.call());
    if (!proceed(context)) return Pending;
    const permits = this.#permits;
    if (permits.isClosed) {
      this.drop();
      throw new SemaphoreClosedError();
    }
    if (this.#state === QUEUED) {
      this.#waker = context.waker;
      return Pending;
    }
    if (this.#state === FRESH && !permits.tryTake(this.#wanted)) {
      this.#waker = context.waker;
      this.#state = QUEUED;
      permits.enqueue(this);
      return Pending;
    }
    this.#state = OVER;
    coop.left--;
    return this.make();
  }

  override drop(): void {
    const state = this.#state;
    this.#state = OVER;
    this.#waker = null;
    if (state === QUEUED) this.#permits.leave(this, this.#wanted - this.lacking);
    else if (state === GRANTED) this.#permits.release(this.#wanted);
  }

  /** Its permits' own: it has all of them, and the waker is to be woken. */
  granted(): Waker | null {
    this.#state = GRANTED;
    return this.takeWaker();
  }

  /** Its permits' own: it will have none. Returns how many it had. */
  refused(): number {
    this.#state = REFUSED;
    return this.#wanted - this.lacking;
  }

  /** Its permits' own. */
  takeWaker(): Waker | null {
    const waker = this.#waker;
    this.#waker = null;
    return waker;
  }
}
