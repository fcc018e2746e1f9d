import { type Context, Pending } from "../future.ts";
import { Adapter, fail, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Mapped<T, U> extends Adapter<T, U> {
  #f: (item: T) => U;

  constructor(source: Stream<T>, f: (item: T) => U) {
    super(source);
    this.#f = f;
  }

  override pollNext(context: Context): U | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      const item = source.pollNext(context);
      if (item === Pending) return Pending;
      if (item === Ended) return this.end();
      const f = this.#f;
      return f(item);
    } catch (error) {
      return fail(this, error);
    }
  }
}

/** {@linkcode Stream.map} */
export function map<T, U>(source: Stream<T>, f: (item: T) => U): Stream<U> {
  requireFunction(f, "map a stream");
  return new Mapped(source, f);
}

/** {@linkcode Stream.inspect} */
export function inspect<T>(source: Stream<T>, f: (item: T) => void): Stream<T> {
  requireFunction(f, "inspect a stream");
  return new Mapped(source, (item) => {
    f(item);
    return item;
  });
}

/** {@linkcode Stream.enumerate} */
export function enumerate<T>(source: Stream<T>): Stream<[number, T]> {
  let index = 0;
  return new Mapped(source, (item) => [index++, item]);
}

/** {@linkcode Stream.scan} */
export function scan<T, A>(source: Stream<T>, initial: A, f: (accumulated: A, item: T) => A): Stream<A> {
  requireFunction(f, "scan a stream");
  let accumulated = initial;
  return new Mapped(source, (item) => accumulated = f(accumulated, item));
}
