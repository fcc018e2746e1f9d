import { type Context, type Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

class Once<T> extends Stream<T> {
  /** `null` once it has ended or was dropped. */
  #future: Future<T> | null;

  constructor(future: Future<T>) {
    super();
    this.#future = future;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const future = this.#future;
    if (future === null) return Ended;
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
    const future = this.#future;
    this.#future = null;
    future?.drop();
  }
}

class FromPoll<T> extends Stream<T> {
  /** `null` once it has ended or was dropped. */
  #poll: ((context: Context) => T | Pending | Ended) | null;
  #drop: (() => void) | null;

  constructor(poll: (context: Context) => T | Pending | Ended, drop: (() => void) | null) {
    super();
    this.#poll = poll;
    this.#drop = drop;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const poll = this.#poll;
    if (poll === null) return Ended;
    try {
      const item = poll(context);
      if (item === Ended) this.#poll = null;
      return item;
    } catch (error) {
      this.#poll = null;
      throw error;
    }
  }

  override drop(): void {
    const drop = this.#poll === null ? null : this.#drop;
    this.#poll = null;
    this.#drop = null;
    drop?.();
  }
}

/** {@linkcode Stream.once} */
export function once<T>(body: Spawnable<T>): Stream<T> {
  return new Once(toFuture(body));
}

/** {@linkcode Stream.fromPoll} */
export function fromPoll<T>(
  poll: (context: Context) => T | Pending | Ended,
  drop?: () => void,
): Stream<T> {
  requireFunction(poll, "make a stream");
  return new FromPoll(poll, drop ?? null);
}
