import { type Context, Pending } from "../future.ts";
import { Adapter, fail, requireCount, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Skipping<T> extends Adapter<T, T> {
  /** `null` once an item was not skipped. */
  #f: ((item: T) => boolean) | null;

  constructor(source: Stream<T>, f: (item: T) => boolean) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): T | Pending | Ended {
    try {
      for (;;) {
        const { source } = this;
        if (source === null) return Ended;
        const item = source.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) return this.end();
        const f = this.#f;
        if (f === null) return item;
        if (f(item)) continue;
        this.#f = null;
        return item;
      }
    } catch (error) {
      return fail(this, error);
    }
  }
}

/** {@linkcode Stream.skip} */
export function skip<T>(source: Stream<T>, n: number): Stream<T> {
  requireCount(n, 0, "skip items of a stream");
  let left = n;
  return new Skipping(source, () => left-- > 0);
}

/** {@linkcode Stream.skipWhile} */
export function skipWhile<T>(source: Stream<T>, f: (item: T) => boolean): Stream<T> {
  requireFunction(f, "skip items of a stream");
  return new Skipping(source, f);
}
