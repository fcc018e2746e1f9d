import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { type Linked, Queue } from "./queue.ts";
import { Wakes } from "./wakes.ts";

const FRESH = 0;
const QUEUED = 1;
/** By `notifyOne`: to be passed on by who does not take it. */
const BY_ONE = 2;
const BY_LAST = 3;
/** By `notifyWaiters`. */
const BY_ALL = 4;
const OVER = 5;

/** The wait for a notification. */
export interface Notified extends Future<void> {
  /**
   * Begins to wait before the first poll: from now on `notifyOne` counts it among those who wait. Returns whether it
   * was notified already.
   */
  enable(): boolean;
}

class Waiter extends Future<void> implements Notified, Linked<Waiter> {
  previous: Waiter | null = null;
  next: Waiter | null = null;
  state = FRESH;
  waker: Waker | null = null;
  readonly #list: NotifyList;
  /** How often all were notified when it was made. */
  readonly #round: number;

  constructor(list: NotifyList) {
    super();
    this.#list = list;
    this.#round = list.round;
  }

  enable(): boolean {
    if (this.state === FRESH) this.#begin();
    return this.state !== QUEUED;
  }

  override describe(): string {
    return "notified()";
  }

  override poll(context: Context): void | Pending {
    if (this.state === OVER) throw consumed("notified()");
    if (!proceed(context)) return Pending;
    if (this.state === FRESH) this.#begin();
    if (this.state === QUEUED) {
      this.waker = context.waker;
      return Pending;
    }
    this.state = OVER;
    coop.left--;
  }

  /** Takes what there is for it, or queues. Who was told with all others leaves a stored permit where it is. */
  #begin(): void {
    const list = this.#list;
    if (list.round !== this.#round) this.state = BY_ALL;
    else if (list.isStored) {
      list.isStored = false;
      this.state = BY_ONE;
    } else {
      this.state = QUEUED;
      list.queue.push(this);
    }
  }

  override drop(): void {
    const { state } = this;
    this.state = OVER;
    this.waker = null;
    if (state === QUEUED) this.#list.queue.remove(this);
    else if (state === BY_ONE || state === BY_LAST) this.#list.notify(state);
  }
}

class NotifyList {
  readonly queue: Queue<Waiter> = new Queue();
  isStored = false;
  round = 0;

  /** Notifies the first or the last who waits; where nobody does, the next who comes. */
  notify(how: typeof BY_ONE | typeof BY_LAST): void {
    const { queue } = this;
    const waiter = how === BY_ONE ? queue.first : queue.last;
    if (waiter === null) {
      this.isStored = true;
      return;
    }
    queue.remove(waiter);
    waiter.state = how;
    const { waker } = waiter;
    waiter.waker = null;
    waker?.wake();
  }

  notifyAll(): void {
    this.round++;
    let waiter = this.queue.first;
    this.queue.first = null;
    this.queue.last = null;
    // All of them are notified before the first is woken, whatever a waker does to the others.
    for (let each = waiter; each !== null; each = each.next) each.state = BY_ALL;
    const wakes = new Wakes();
    while (waiter !== null) {
      const { next, waker }: Waiter = waiter;
      waiter.previous = null;
      waiter.next = null;
      waiter.waker = null;
      wakes.wake(waker);
      waiter = next;
    }
    wakes.end();
  }
}

/**
 * Tells a task that something has happened, and not what: look at it again.
 *
 * `notifyOne` wakes who waits first; where nobody waits it is stored, once, and the next wait ends at once. So
 * nothing is missed between looking and waiting. A wait that was notified and is dropped before it was polled passes
 * the notification on. `notifyWaiters` ends every wait that was made until then, and stores nothing.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, spawn } from "@oxbow/oxbow/task";
 * import { Notify } from "@oxbow/oxbow/sync";
 *
 * const jobs: string[] = [];
 * const more = new Notify();
 *
 * function* worker(): Coroutine<string> {
 *   for (;;) {
 *     const job = jobs.shift();
 *     if (job !== undefined) return job;
 *     yield* more.notified();
 *   }
 * }
 *
 * await run(async () => {
 *   const task = spawn(worker);
 *   jobs.push("sweep");
 *   more.notifyOne();
 *   console.log(await task); // sweep
 * });
 * ```
 */
export class Notify {
  readonly #list = new NotifyList();

  /** Waits to be notified. `notifyWaiters` counts it from now on, `notifyOne` from its first poll or `enable()`. */
  notified(): Notified {
    return new Waiter(this.#list);
  }

  /** Notifies who waits first; where nobody does, whoever waits next. */
  notifyOne(): void {
    this.#list.notify(BY_ONE);
  }

  /** Notifies who waits last; where nobody does, whoever waits next. */
  notifyLast(): void {
    this.#list.notify(BY_LAST);
  }

  /** Notifies all who wait, and nobody who comes later. */
  notifyWaiters(): void {
    this.#list.notifyAll();
  }
}
