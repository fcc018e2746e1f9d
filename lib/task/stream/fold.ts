import { consumed, type Context, Future, Pending } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { fail, requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class Fold<T, A> extends Future<A> {
  /** `null` once it has ended or was dropped. */
  #stream: Stream<T> | null;
  #accumulated: A;
  #f: (accumulated: A, item: T) => A;

  constructor(stream: Stream<T>, initial: A, f: (accumulated: A, item: T) => A) {
    super();
    this.#stream = stream;
    this.#accumulated = initial;
    this.#f = f;
  }

  override poll(context: Context): A | Pending {
    const f = this.#f;
    try {
      for (;;) {
        const stream = this.#stream;
        if (stream === null) throw consumed("a stream's last value");
        const item = stream.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) break;
        this.#accumulated = f(this.#accumulated, item);
      }
    } catch (error) {
      return fail(this, error);
    }
    this.#stream = null;
    return this.#accumulated;
  }

  override drop(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.drop();
  }
}

class ForEach<T> extends Future<void> {
  #stream: Stream<T> | null;
  #f: (item: T) => unknown;
  /** What the function waits for. */
  #future: Future<unknown> | null = null;

  constructor(stream: Stream<T>, f: (item: T) => unknown) {
    super();
    this.#stream = stream;
    this.#f = f;
  }

  override poll(context: Context): void | Pending {
    const f = this.#f;
    try {
      for (;;) {
        if (this.#future !== null && this.#pollFuture(this.#future, context) === Pending) return Pending;
        const stream = this.#stream;
        if (stream === null) throw consumed("the end of forEach()");
        const item = stream.pollNext(context);
        if (item === Pending) return Pending;
        if (item === Ended) break;
        const result = f(item);
        if (isSpawnable(result)) this.#future = toFuture(result);
      }
    } catch (error) {
      return fail(this, error);
    }
    this.#stream = null;
  }

  #pollFuture(future: Future<unknown>, context: Context): unknown {
    try {
      const value = future.poll(context);
      if (value !== Pending) this.#future = null;
      return value;
    } catch (error) {
      this.#future = null;
      throw error;
    }
  }

  override drop(): void {
    const stream = this.#stream;
    const future = this.#future;
    this.#stream = null;
    this.#future = null;
    dropAll([future, stream]);
  }
}

function isSpawnable(result: unknown): result is Spawnable<unknown> {
  if (typeof result !== "object" || result === null) return false;
  return "then" in result || (Symbol.iterator in result && "next" in result);
}

/** {@linkcode Stream.fold} */
export function fold<T, A>(stream: Stream<T>, initial: A, f: (accumulated: A, item: T) => A): Future<A> {
  requireFunction(f, "fold a stream");
  return new Fold(stream, initial, f);
}

/** {@linkcode Stream.collect} */
export function collect<T>(stream: Stream<T>): Future<T[]> {
  return new Fold<T, T[]>(stream, [], append);
}

function append<T>(items: T[], item: T): T[] {
  items.push(item);
  return items;
}

/** {@linkcode Stream.forEach} */
export function forEach<T>(stream: Stream<T>, f: (item: T) => unknown): Future<void> {
  requireFunction(f, "go through a stream");
  return new ForEach(stream, f);
}
