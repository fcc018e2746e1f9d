import { coop } from "../runtime/coop.ts";
import { describeAll } from "./describe_all.ts";
import { dropAll } from "./drop_all.ts";
import { type Context, type Future, Pending, type Waker } from "../future.ts";

/** One of many futures of one owner: its context and its waker, so that the owner knows who was woken. */
export class Child<T> implements Context, Waker {
  readonly index: number;
  /** `null` once it has ended or was dropped. */
  future: Future<T> | null;
  /** Behind it among those to be polled. */
  next: Child<T> | null = null;
  isQueued = false;
  #children: Children<T>;

  constructor(children: Children<T>, index: number, future: Future<T>) {
    this.index = index;
    this.future = future;
    this.#children = children;
  }

  get waker(): Waker {
    return this;
  }

  wake(): void {
    if (!this.isQueued && this.future !== null) this.#children.queue(this);
  }

  /** Polls its future, which is gone once it has given its value or has failed. */
  poll(): T | Pending {
    try {
      const value = this.future === null ? Pending : this.future.poll(this);
      if (value !== Pending) this.#end();
      return value;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    if (this.future !== null) this.#children.left--;
    this.future = null;
  }
}

/**
 * Futures that are polled only where they were woken: a wake puts its child in a list, in order, and wakes the
 * owner's task, once for all that are in the list.
 */
export class Children<T> {
  /** How many have not ended. */
  left: number;
  #all: Child<T>[] = [];
  #first: Child<T> | null = null;
  #last: Child<T> | null = null;
  #queued = 0;
  /** How many of the queued are polled in this turn: whoever is woken meanwhile waits for the next. */
  #turn = 0;
  #waker: Waker | null = null;
  #hasWoken = true;

  constructor(futures: readonly Future<T>[]) {
    this.left = futures.length;
    for (let i = 0; i < futures.length; i++) {
      const child = new Child(this, i, futures[i]);
      this.#all.push(child);
      this.queue(child);
    }
  }

  /** A child's own: it was woken. */
  queue(child: Child<T>): void {
    child.isQueued = true;
    if (this.#last === null) this.#first = child;
    else this.#last.next = child;
    this.#last = child;
    this.#queued++;
    if (!this.#hasWoken) this.#wake();
  }

  #wake(): void {
    this.#hasWoken = true;
    this.#waker?.wake();
  }

  /** The owner is polled: those who are woken from now on wake `waker`. */
  begin(waker: Waker): void {
    this.#waker = waker;
    this.#hasWoken = false;
    this.#turn = this.#queued;
  }

  /** The next to be polled in this turn; `null` at its end, or where the budget is spent. */
  take(): Child<T> | null {
    while (this.#turn > 0) {
      if (coop.left === 0) return this.#giveWay();
      this.#turn--;
      const child = this.#shift();
      if (child !== null && child.future !== null) return child;
    }
    return null;
  }

  #shift(): Child<T> | null {
    const child = this.#first;
    if (child === null) return null;
    this.#first = child.next;
    if (child.next === null) this.#last = null;
    child.next = null;
    child.isQueued = false;
    this.#queued--;
    return child;
  }

  #giveWay(): null {
    this.#turn = 0;
    coop.yields++;
    if (!this.#hasWoken) this.#wake();
    return null;
  }

  /** What those wait for that have not ended. */
  describe(): string {
    return describeAll(this.#all.map(({ future }) => future));
  }

  /** Drops those that have not ended. Throws what dropping throws, once all are dropped. */
  drop(): void {
    const futures: (Future<T> | null)[] = [];
    for (const child of this.#all) {
      futures.push(child.future);
      child.future = null;
    }
    this.#all = [];
    this.#first = null;
    this.#last = null;
    this.#queued = 0;
    this.#turn = 0;
    this.#waker = null;
    this.left = 0;
    dropAll(futures);
  }
}
