import { type Context, type Future, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { Adapter, fail, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class AndThen<T, U> extends Adapter<T, U> {
  #f: (item: T) => Spawnable<U>;
  #future: Future<U> | null = null;

  constructor(source: Stream<T>, f: (item: T) => Spawnable<U>) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): U | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      if (this.#future === null) {
        const item = source.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) return this.end();
        const f = this.#f;
        const future = toFuture(f(item));
        if (this.source === null) return dropped(future);
        this.#future = future;
      }
      return this.#pollFuture(this.#future, context);
    } catch (error) {
      return fail(this, error);
    }
  }

  #pollFuture(future: Future<U>, context: Context): U | Pending {
    try {
      const value = future.poll(context);
      if (value !== Pending) this.#future = null;
      return value;
    } catch (error) {
      // It has ended by itself, and is not to be dropped.
      this.#future = null;
      throw error;
    }
  }

  override drop(): void {
    const { source } = this;
    const future = this.#future;
    this.source = null;
    this.#future = null;
    dropAll([future, source]);
  }
}

/** The function has dropped the stream. */
function dropped(future: Future<unknown>): Ended {
  future.drop();
  return Ended;
}

/** {@linkcode Stream.andThen} */
export function andThen<T, U>(source: Stream<T>, f: (item: T) => Spawnable<U>): Stream<U> {
  requireFunction(f, "go on with a stream's items");
  return new AndThen(source, f);
}
