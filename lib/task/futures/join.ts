import { describeAll } from "./describe_all.ts";
import { dropAll } from "./drop_all.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFutures } from "./to_future.ts";

const SECOND_GOES_FIRST = 1;
const FAILED = 2;
const ENDED = 4;
/** The first failure drops the other. */
const FAILS_FAST = 8;

/** Two futures in one object: the one that most joins are of. */
class Join2<A, B> extends Future<[A, B]> {
  #a: Future<A> | null;
  #b: Future<B> | null;
  #valueA: A | Pending = Pending;
  #valueB: B | Pending = Pending;
  #error: unknown = undefined;
  #state: number;

  constructor(a: Future<A>, b: Future<B>, state: number) {
    super();
    this.#a = a;
    this.#b = b;
    this.#state = state;
  }

  override describe(): string {
    return `join(${describeAll([this.#a, this.#b])})`;
  }

  override poll(context: Context): [A, B] | Pending {
    const state = this.#state;
    if (state & ENDED) throw consumed("join()");
    // By turns, so that one that always spends the budget does not starve the other.
    this.#state = state ^ SECOND_GOES_FIRST;
    if (state & SECOND_GOES_FIRST) {
      this.#pollB(context);
      this.#pollA(context);
    } else {
      this.#pollA(context);
      this.#pollB(context);
    }
    if (this.#a !== null || this.#b !== null) return Pending;
    return this.#end();
  }

  #pollA(context: Context): void {
    const a = this.#a;
    if (a === null) return;
    try {
      const value = a.poll(context);
      if (value === Pending) return;
      this.#a = null;
      this.#valueA = value;
    } catch (error) {
      this.#a = null;
      this.#fail(error);
    }
  }

  #pollB(context: Context): void {
    const b = this.#b;
    if (b === null) return;
    try {
      const value = b.poll(context);
      if (value === Pending) return;
      this.#b = null;
      this.#valueB = value;
    } catch (error) {
      this.#b = null;
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#state & FAILED) return;
    this.#state |= FAILED;
    this.#error = error;
    if ((this.#state & FAILS_FAST) === 0) return;
    const other = this.#a ?? this.#b;
    this.#a = null;
    this.#b = null;
    try {
      other?.drop();
    } catch (dropped) {
      this.#error = new SuppressedError(dropped, error);
    }
  }

  #end(): [A, B] | Pending {
    this.#state |= ENDED;
    if (this.#state & FAILED) throw this.#error;
    const a = this.#valueA;
    const b = this.#valueB;
    return a === Pending || b === Pending ? Pending : [a, b];
  }

  override drop(): void {
    const a = this.#a;
    const b = this.#b;
    this.#a = null;
    this.#b = null;
    this.#state |= ENDED;
    dropAll([a, b]);
  }
}

/** Any number of futures, each polled until it is there. */
class Join extends Future<unknown[]> {
  #futures: (Future<unknown> | null)[];
  #values: unknown[] = [];
  #left: number;
  /** Which goes first at the next poll. */
  #first = 0;
  #error: unknown = undefined;
  #state: number;

  constructor(futures: Future<unknown>[], state: number) {
    super();
    this.#futures = futures;
    this.#left = futures.length;
    this.#state = state;
    for (let i = 0; i < futures.length; i++) this.#values.push(undefined);
  }

  override describe(): string {
    return `join(${describeAll(this.#futures)})`;
  }

  override poll(context: Context): unknown[] | Pending {
    if (this.#state & ENDED) throw consumed("join()");
    const { length } = this.#futures;
    let i = this.#first;
    this.#first = i + 1 < length ? i + 1 : 0;
    for (let count = 0; count < length && this.#left > 0; count++) {
      this.#poll(i, context);
      if (++i === length) i = 0;
    }
    // It was dropped by one that it has polled.
    if (this.#left > 0 || this.#state & ENDED) return Pending;
    this.#state |= ENDED;
    if (this.#state & FAILED) throw this.#error;
    return this.#values;
  }

  #poll(i: number, context: Context): void {
    const future = this.#futures[i];
    if (future === null) return;
    try {
      const value = future.poll(context);
      if (value === Pending) return;
      this.#values[i] = value;
      this.#futures[i] = null;
      this.#left--;
    } catch (error) {
      this.#futures[i] = null;
      this.#left--;
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#state & FAILED) return;
    this.#state |= FAILED;
    this.#error = error;
    if ((this.#state & FAILS_FAST) === 0) return;
    this.#left = 0;
    try {
      dropAll(this.#futures);
    } catch (dropped) {
      this.#error = new SuppressedError(dropped, error);
    }
  }

  override drop(): void {
    this.#state |= ENDED;
    this.#left = 0;
    dropAll(this.#futures);
  }
}

function joined(bodies: Spawnable<unknown>[], state: number): Future<unknown[]> {
  if (bodies.length === 2) {
    const [a, b] = toFutures(bodies);
    return new Join2(a, b, state);
  }
  return new Join(toFutures(bodies), state);
}

/**
 * Waits for all of them, each of another type if need be, as one task: what is not there yet is polled when the
 * task is. Where any fails it throws the first failure, once all have ended: `tryJoin` does not wait for that.
 *
 * @example
 * ```ts
 * import { join, run, sleep } from "@oxbow/oxbow/task";
 *
 * const both = join(sleep(2).map(() => 42), sleep(1).map(() => "text"));
 * console.log(await run(() => both)); // [ 42, "text" ]
 * ```
 */
export function join<T extends unknown[]>(...bodies: { [K in keyof T]: Spawnable<T[K]> }): Future<T>;
export function join(...bodies: Spawnable<unknown>[]): Future<unknown[]> {
  return joined(bodies, 0);
}

/** `join` that fails with the first of them that does, and drops the others then, as `Promise.all` cannot. */
export function tryJoin<T extends unknown[]>(...bodies: { [K in keyof T]: Spawnable<T[K]> }): Future<T>;
export function tryJoin(...bodies: Spawnable<unknown>[]): Future<unknown[]> {
  return joined(bodies, FAILS_FAST);
}
