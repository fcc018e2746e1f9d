import { type Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { fail } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

class Merged<T, U> extends Stream<T | U> {
  #left: Stream<T> | null;
  #right: Stream<U> | null;
  /** Whether the right one is asked first: they take turns. */
  #isRightsTurn = false;

  constructor(left: Stream<T>, right: Stream<U>) {
    super();
    this.#left = left;
    this.#right = right;
  }

  override pollNext(context: Context): T | U | Pending | Ended {
    const isRightsTurn = this.#isRightsTurn;
    this.#isRightsTurn = !isRightsTurn;
    try {
      const first = isRightsTurn ? this.#pollRight(context) : this.#pollLeft(context);
      if (first !== Pending && first !== Ended) return first;
      const second = isRightsTurn ? this.#pollLeft(context) : this.#pollRight(context);
      return second === Ended ? first : second;
    } catch (error) {
      return fail(this, error);
    }
  }

  #pollLeft(context: Context): T | Pending | Ended {
    if (this.#left === null) return Ended;
    const item = this.#left.pollNext(context);
    if (item === Ended) this.#left = null;
    return item;
  }

  #pollRight(context: Context): U | Pending | Ended {
    if (this.#right === null) return Ended;
    const item = this.#right.pollNext(context);
    if (item === Ended) this.#right = null;
    return item;
  }

  override drop(): void {
    const streams = [this.#left, this.#right];
    this.#left = null;
    this.#right = null;
    dropAll(streams);
  }
}

/** {@linkcode Stream.merge} */
export function merge<T, U>(left: Stream<T>, right: Stream<U>): Stream<T | U> {
  return new Merged(left, right);
}
