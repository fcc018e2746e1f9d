import { type Context, Future, Pending, type Waker } from "../future.ts";
import type { Crew } from "./crew.ts";
import type { Lane } from "./lane.ts";

/** Starts all threads, and ends when they are there, or fails where one could not start. */
export class Arrivals extends Future<void> {
  readonly #lane: Lane;
  readonly #crew: Crew;
  #missing: number;
  #error: Error | null = null;
  #waker: Waker | null = null;
  #hasBegun = false;

  constructor(lane: Lane, crew: Crew, threads: number) {
    super();
    this.#lane = lane;
    this.#crew = crew;
    this.#missing = threads;
  }

  override poll(context: Context): void | Pending {
    if (!this.#hasBegun) this.#begin();
    if (this.#error !== null || this.#missing === 0) {
      this.drop();
      if (this.#error !== null) throw this.#error;
      return;
    }
    if (this.#waker === null) this.#lane.awaits(1);
    this.#waker = context.waker;
    return Pending;
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#crew.startAll((error) => {
      this.#missing--;
      this.#error ??= error;
      this.#waker?.wake();
    });
  }

  override drop(): void {
    if (this.#waker !== null) this.#lane.awaits(-1);
    this.#waker = null;
  }
}
