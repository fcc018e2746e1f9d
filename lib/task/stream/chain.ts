import type { Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { fail } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

class Chained<T, U> extends Stream<T | U> {
  #first: Stream<T> | null;
  #second: Stream<U> | null;

  constructor(first: Stream<T>, second: Stream<U>) {
    super();
    this.#first = first;
    this.#second = second;
  }

  override pollNext(context: Context): T | U | Pending | Ended {
    try {
      if (this.#first !== null) {
        const item = this.#first.pollNext(context);
        if (item !== Ended) return item;
        this.#first = null;
      }
      if (this.#second === null) return Ended;
      const item = this.#second.pollNext(context);
      if (item === Ended) this.#second = null;
      return item;
    } catch (error) {
      return fail(this, error);
    }
  }

  override drop(): void {
    const streams = [this.#first, this.#second];
    this.#first = null;
    this.#second = null;
    dropAll(streams);
  }
}

/** {@linkcode Stream.chain} */
export function chain<T, U>(first: Stream<T>, second: Stream<U>): Stream<T | U> {
  return new Chained(first, second);
}
