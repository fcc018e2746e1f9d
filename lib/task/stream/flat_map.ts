import { type Context, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { Adapter, fail, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { from, type Streamable } from "./from.ts";
import type { Stream } from "./stream.ts";

class FlatMapped<T, U> extends Adapter<T, U> {
  #f: (item: T) => Streamable<U>;
  #inner: Stream<U> | null = null;

  constructor(source: Stream<T>, f: (item: T) => Streamable<U>) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): U | Pending | Ended {
    try {
      for (;;) {
        const { source } = this;
        if (source === null) return Ended;
        if (this.#inner === null) {
          const item = source.pollNext(context);
          if (item === Pending) return Pending;
          if (item === Ended) return this.end();
          const f = this.#f;
          this.#inner = from(f(item));
        }
        const item = this.#inner.pollNext(context);
        if (item !== Ended) return item;
        this.#inner = null;
      }
    } catch (error) {
      return fail(this, error);
    }
  }

  override drop(): void {
    const { source } = this;
    const inner = this.#inner;
    this.source = null;
    this.#inner = null;
    dropAll([inner, source]);
  }
}

/** {@linkcode Stream.flatMap} */
export function flatMap<T, U>(source: Stream<T>, f: (item: T) => Streamable<U>): Stream<U> {
  requireFunction(f, "flatten a stream");
  return new FlatMapped(source, f);
}
