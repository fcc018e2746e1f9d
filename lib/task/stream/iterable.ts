import { coop, proceed } from "../runtime/coop.ts";
import { type Context, Pending } from "../future.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

class FromIterable<T> extends Stream<T> {
  /** `null` once it has ended or was dropped. */
  #items: Iterable<T> | null;
  #iterator: Iterator<T> | null = null;

  constructor(items: Iterable<T>) {
    super();
    this.#items = items;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const items = this.#items;
    if (items === null) return Ended;
    if (!proceed(context)) return Pending;
    coop.left--;
    try {
      const step = (this.#iterator ??= items[Symbol.iterator]()).next();
      if (!step.done) return step.value;
    } catch (error) {
      // As in a loop: an iterator that throws has ended, and is not closed.
      this.#end();
      throw error;
    }
    this.#end();
    return Ended;
  }

  #end(): void {
    this.#items = null;
    this.#iterator = null;
  }

  override drop(): void {
    const iterator = this.#iterator;
    this.#end();
    iterator?.return?.();
  }
}

/** An array, without its iterator: half the time. */
class FromArray<T> extends Stream<T> {
  #items: readonly T[];
  #next = 0;

  constructor(items: readonly T[]) {
    super();
    this.#items = items;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const at = this.#next;
    if (at >= this.#items.length) return this.#end();
    if (!proceed(context)) return Pending;
    coop.left--;
    this.#next = at + 1;
    return this.#items[at];
  }

  /** What is appended to the array later comes too late. */
  #end(): Ended {
    this.#next = Infinity;
    return Ended;
  }

  override drop(): void {
    this.#items = [];
    this.#next = Infinity;
  }
}

class Repeated<T> extends Stream<T> {
  #item: T | Ended;

  constructor(item: T) {
    super();
    this.#item = item;
  }

  override pollNext(context: Context): T | Pending | Ended {
    if (this.#item === Ended) return Ended;
    if (!proceed(context)) return Pending;
    coop.left--;
    return this.#item;
  }

  override drop(): void {
    this.#item = Ended;
  }
}

/** The items of what a loop goes through. */
export function fromIterable<T>(items: Iterable<T>): Stream<T> {
  return Array.isArray(items) ? new FromArray<T>(items) : new FromIterable(items);
}

/** {@linkcode Stream.repeat} */
export function repeat<T>(item: T): Stream<T> {
  return new Repeated(item);
}
