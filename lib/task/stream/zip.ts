import { type Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { fail } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

class Zipped<T, U> extends Stream<[T, U]> {
  #left: Stream<T> | null;
  #right: Stream<U> | null;
  /** What one side has given, while the other has not. */
  #first: T | Pending = Pending;
  #second: U | Pending = Pending;

  constructor(left: Stream<T>, right: Stream<U>) {
    super();
    this.#left = left;
    this.#right = right;
  }

  override pollNext(context: Context): [T, U] | Pending | Ended {
    const left = this.#left;
    const right = this.#right;
    if (left === null || right === null) return Ended;
    try {
      if (this.#first === Pending) {
        const item = left.pollNext(context);
        if (item === Ended) {
          this.#left = null;
          return this.#end();
        }
        this.#first = item;
      }
      if (this.#second === Pending) {
        const item = right.pollNext(context);
        if (item === Ended) {
          this.#right = null;
          return this.#end();
        }
        this.#second = item;
      }
      const first = this.#first;
      const second = this.#second;
      if (first === Pending || second === Pending) return Pending;
      this.#first = Pending;
      this.#second = Pending;
      return [first, second];
    } catch (error) {
      return fail(this, error);
    }
  }

  /** One side has ended: the other is dropped. */
  #end(): Ended {
    this.drop();
    return Ended;
  }

  override drop(): void {
    const streams = [this.#left, this.#right];
    this.#left = null;
    this.#right = null;
    this.#first = Pending;
    this.#second = Pending;
    dropAll(streams);
  }
}

/** {@linkcode Stream.zip} */
export function zip<T, U>(left: Stream<T>, right: Stream<U>): Stream<[T, U]> {
  return new Zipped(left, right);
}
