import { shown } from "../../io/arguments.ts";
import { type Context, type Future, Pending } from "../future.ts";
import { fail } from "./adapter.ts";
import { fromAsyncIterable, fromReadable } from "./async_iterable.ts";
import { Ended } from "./ended.ts";
import { fromIterable } from "./iterable.ts";
import { Stream } from "./stream.ts";

/** A channel's receiving end: `undefined` is its end. */
export interface Receiving<T> extends Disposable {
  /** The next message, polled. */
  pollRecv(context: Context): T | undefined | Pending;
}

/** An interval. */
export interface Ticking {
  /** When the next tick was due, polled. */
  pollTick(context: Context): number | Pending;
  /** Waits for the tick no more. */
  dropTick(): void;
}

/** A value that changes: a watch's receiving end. */
export interface Watching<T> extends Disposable {
  /** The latest value. */
  readonly value: T;
  /** False once it changes no more. */
  changed(): Future<boolean>;
}

/** What a stream can be made of. */
export type Streamable<T> =
  | Stream<T>
  | Iterable<T>
  | AsyncIterable<T>
  | ReadableStream<T>
  | Receiving<T>;

class Received<T> extends Stream<T> {
  #receiver: Receiving<T> | null;

  constructor(receiver: Receiving<T>) {
    super();
    this.#receiver = receiver;
  }

  override pollNext(context: Context): T | Pending | Ended {
    if (this.#receiver === null) return Ended;
    try {
      const message = this.#receiver.pollRecv(context);
      if (message !== undefined) return message;
    } catch (error) {
      return fail(this, error);
    }
    this.#receiver = null;
    return Ended;
  }

  override drop(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.[Symbol.dispose]();
  }
}

class Ticks extends Stream<number> {
  #interval: Ticking | null;

  constructor(interval: Ticking) {
    super();
    this.#interval = interval;
  }

  override pollNext(context: Context): number | Pending | Ended {
    if (this.#interval === null) return Ended;
    try {
      return this.#interval.pollTick(context);
    } catch (error) {
      return fail(this, error);
    }
  }

  override drop(): void {
    const interval = this.#interval;
    this.#interval = null;
    interval?.dropTick();
  }
}

class Watched<T> extends Stream<T> {
  #receiver: Watching<T> | null;
  #changed: Future<boolean> | null = null;

  constructor(receiver: Watching<T>) {
    super();
    this.#receiver = receiver;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const receiver = this.#receiver;
    if (receiver === null) return Ended;
    const changed = this.#changed ??= receiver.changed();
    const hasChanged = changed.poll(context);
    if (hasChanged === Pending) return Pending;
    this.#changed = null;
    if (hasChanged) return receiver.value;
    this.drop();
    return Ended;
  }

  override drop(): void {
    const receiver = this.#receiver;
    const changed = this.#changed;
    this.#receiver = null;
    this.#changed = null;
    changed?.drop();
    receiver?.[Symbol.dispose]();
  }
}

/** {@linkcode Stream.from} */
export function from<T>(source: Streamable<T>): Stream<T> {
  if (source instanceof Stream) return source;
  if (typeof source === "string") return fromIterable(source);
  if (typeof source === "object" && source !== null) {
    if ("pollRecv" in source) return new Received(source);
    if (source instanceof ReadableStream) return fromReadable(source);
    if (Symbol.asyncIterator in source) return fromAsyncIterable(source);
    if (Symbol.iterator in source) return fromIterable(source);
  }
  throw new TypeError(
    `cannot make a stream of ${shown(source)}: it is no stream, iterable, async iterable or receiver`,
  );
}

/** {@linkcode Stream.ticks} */
export function ticks(interval: Ticking): Stream<number> {
  return new Ticks(interval);
}

/** {@linkcode Stream.changes} */
export function changes<T>(receiver: Watching<T>): Stream<T> {
  return new Watched(receiver);
}
