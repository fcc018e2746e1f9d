import type { JobHandle } from "./job_handle.ts";

/** A job that has no slot yet. */
export interface Waiting {
  readonly handle: JobHandle<unknown>;
  readonly fn: number;
  readonly args: readonly unknown[];
  readonly pin: number;
  readonly deadline: number;
}

/** So many gaps at the front are kept before the line moves up. */
const MOST_GAPS = 1024;

/** Jobs that wait for a slot, first in, first out. One that is withdrawn leaves a gap: each call costs the same. */
export class WaitingLine {
  #line: (Waiting | null)[] = [];
  /** The place of the line's first element, counted from the first job ever. */
  #base = 0;
  #front = 0;
  readonly #places: Map<JobHandle<unknown>, number> = new Map();

  /** How many wait. */
  get size(): number {
    return this.#places.size;
  }

  push(waiting: Waiting): void {
    this.#places.set(waiting.handle, this.#base + this.#line.length);
    this.#line.push(waiting);
  }

  /** The one that is next, which stays, or null. */
  first(): Waiting | null {
    if (this.#places.size === 0) return null;
    while (this.#line[this.#front] === null) this.#front++;
    return this.#line[this.#front];
  }

  /** Takes out a job, wherever it stands; `false` where it does not wait. */
  remove(handle: JobHandle<unknown>): boolean {
    const place = this.#places.get(handle);
    if (place === undefined) return false;
    this.#places.delete(handle);
    this.#line[place - this.#base] = null;
    if (this.#places.size === 0) this.#moveUp(this.#line.length);
    else if (this.#front > MOST_GAPS && 2 * this.#front > this.#line.length) this.#moveUp(this.#front);
    return true;
  }

  #moveUp(count: number): void {
    this.#line = this.#line.slice(count);
    this.#base += count;
    this.#front = 0;
  }

  /** Takes out all, in their order. */
  drain(): Waiting[] {
    const all = this.#line.filter((waiting) => waiting !== null);
    this.#places.clear();
    this.#moveUp(this.#line.length);
    return all;
  }
}
