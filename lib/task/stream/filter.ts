import { type Context, Pending } from "../future.ts";
import { Adapter, fail, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Filtered<T> extends Adapter<T, T> {
  #f: (item: T) => boolean;

  constructor(source: Stream<T>, f: (item: T) => boolean) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const f = this.#f;
    try {
      for (;;) {
        // The function may have dropped it.
        const { source } = this;
        if (source === null) return Ended;
        const item = source.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) return this.end();
        if (f(item)) return item;
      }
    } catch (error) {
      return fail(this, error);
    }
  }
}

class FilterMapped<T, U> extends Adapter<T, U> {
  #f: (item: T) => U | undefined;

  constructor(source: Stream<T>, f: (item: T) => U | undefined) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): U | Pending | Ended {
    const f = this.#f;
    try {
      for (;;) {
        const { source } = this;
        if (source === null) return Ended;
        const item = source.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) return this.end();
        const mapped = f(item);
        if (mapped !== undefined) return mapped;
      }
    } catch (error) {
      return fail(this, error);
    }
  }
}

/** {@linkcode Stream.filter} */
export function filter<T>(source: Stream<T>, f: (item: T) => boolean): Stream<T> {
  requireFunction(f, "filter a stream");
  return new Filtered(source, f);
}

/** {@linkcode Stream.filterMap} */
export function filterMap<T, U>(source: Stream<T>, f: (item: T) => U | undefined): Stream<U> {
  requireFunction(f, "filter and map a stream");
  return new FilterMapped(source, f);
}
