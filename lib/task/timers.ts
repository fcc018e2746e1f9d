import type { Waker } from "./future.ts";

/** One deadline. A cancelled one stays in its heap until it is due, and wakes nobody. */
export class Timer {
  readonly deadline: number;
  #waker: Waker | null;

  constructor(deadline: number, waker: Waker) {
    this.deadline = deadline;
    this.#waker = waker;
  }

  /** The same deadline, another waker: a future may be polled from another task. */
  rearm(waker: Waker): void {
    this.#waker = waker;
  }

  cancel(): void {
    this.#waker = null;
  }

  fire(): void {
    this.#waker?.wake();
  }
}

/** Deadlines in a binary heap, the nearest first. */
export class Timers {
  #heap: Timer[] = [];

  /** The nearest deadline, or `Infinity`. */
  get next(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].deadline;
  }

  add(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].deadline <= timer.deadline) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  /** Wakes whatever is due at `now`, in the order of the deadlines. */
  expire(now: number): void {
    while (this.#heap.length > 0 && this.#heap[0].deadline <= now) this.#takeFirst().fire();
  }

  #takeFirst(): Timer {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.length - 1;
    const moved = heap[last];
    heap.length = last;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && heap[child + 1].deadline < heap[child].deadline) child++;
      if (moved.deadline <= heap[child].deadline) break;
      heap[at] = heap[child];
      at = child;
    }
    if (last > 0) heap[at] = moved;
    return first;
  }
}
