import { type Context, Pending } from "../future.ts";
import { Adapter, fail, requireCount, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Taken<T> extends Adapter<T, T> {
  #left: number;

  constructor(source: Stream<T>, n: number) {
    super(source);
    this.#left = n;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    if (this.#left === 0) {
      this.drop();
      return Ended;
    }
    try {
      const item = source.pollNext(context);
      if (item === Pending) return Pending;
      if (item === Ended) return this.end();
      if (--this.#left === 0) this.drop();
      return item;
    } catch (error) {
      return fail(this, error);
    }
  }
}

class MappedWhile<T, U> extends Adapter<T, U> {
  #f: (item: T) => U | Ended;

  constructor(source: Stream<T>, f: (item: T) => U | Ended) {
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
      const mapped = f(item);
      if (mapped === Ended) this.drop();
      return mapped;
    } catch (error) {
      return fail(this, error);
    }
  }
}

/** {@linkcode Stream.take} */
export function take<T>(source: Stream<T>, n: number): Stream<T> {
  requireCount(n, 0, "take items of a stream");
  return new Taken(source, n);
}

/** {@linkcode Stream.takeWhile} */
export function takeWhile<T>(source: Stream<T>, f: (item: T) => boolean): Stream<T> {
  requireFunction(f, "take items of a stream");
  return new MappedWhile(source, (item) => f(item) ? item : Ended);
}

/** {@linkcode Stream.mapWhile} */
export function mapWhile<T, U>(source: Stream<T>, f: (item: T) => U | Ended): Stream<U> {
  requireFunction(f, "map a stream");
  return new MappedWhile(source, f);
}
