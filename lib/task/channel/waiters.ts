import type { Waker } from "../future.ts";
import { Wakes } from "../sync/wakes.ts";

/** One that waits. Made where a future must wait and not before, so that those that are ready have fewer fields. */
export class Waiter {
  waker: Waker;
  /** How much it waits for, where that is counted. */
  wanted: number;
  /** The one it stands in: none once it was woken. */
  list: Waiters | null = null;
  previous: Waiter | null = null;
  next: Waiter | null = null;

  constructor(waker: Waker, wanted: number) {
    this.waker = waker;
    this.wanted = wanted;
  }

  /** Leaves the list that it stands in. */
  leave(): void {
    this.list?.remove(this);
  }
}

/** Those who wait, in the order in which they came. */
export class Waiters {
  first: Waiter | null = null;
  #last: Waiter | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(waiter: Waiter): void {
    const last = this.#last;
    waiter.list = this;
    waiter.previous = last;
    if (last === null) this.first = waiter;
    else last.next = waiter;
    this.#last = waiter;
    this.#length++;
  }

  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    waiter.list = null;
    waiter.previous = null;
    waiter.next = null;
    this.#length--;
  }

  /** Lets `waker` be woken, as the one who waits already or as a new one. */
  wait(waiter: Waiter | null, waker: Waker): Waiter {
    if (waiter === null) waiter = new Waiter(waker, 0);
    else waiter.waker = waker;
    if (waiter.list === null) this.push(waiter);
    return waiter;
  }

  /** Wakes those who wait now: whoever comes back meanwhile waits for the next time. */
  wakeAll(): void {
    const wakes = new Wakes();
    for (let left = this.#length; left > 0; left--) {
      const waiter = this.first;
      if (waiter === null) break;
      this.remove(waiter);
      wakes.wake(waiter.waker);
    }
    wakes.end();
  }
}
