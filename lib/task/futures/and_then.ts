import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "./to_future.ts";

class AndThen<T, U> extends Future<U> {
  #first: Future<T> | null;
  #f: (value: T) => Spawnable<U>;
  #second: Future<U> | null = null;

  constructor(first: Future<T>, f: (value: T) => Spawnable<U>) {
    super();
    this.#first = first;
    this.#f = f;
  }

  override describe(): string {
    const future = this.#first ?? this.#second;
    return future === null ? "andThen()" : future.describe();
  }

  override poll(context: Context): U | Pending {
    const first = this.#first;
    if (first !== null) {
      let value: T | Pending;
      try {
        value = first.poll(context);
      } catch (error) {
        this.#first = null;
        throw error;
      }
      // Dropped in its own poll: what follows would be nobody's.
      if (value === Pending || this.#first === null) return Pending;
      this.#first = null;
      this.#second = toFuture(this.#f(value));
    }
    const second = this.#second;
    if (second === null) throw consumed("a future with andThen()");
    try {
      const value = second.poll(context);
      if (value !== Pending) this.#second = null;
      return value;
    } catch (error) {
      this.#second = null;
      throw error;
    }
  }

  override drop(): void {
    const future = this.#first ?? this.#second;
    this.#first = null;
    this.#second = null;
    future?.drop();
  }
}

class OrElse<T, U> extends Future<T | U> {
  #first: Future<T> | null;
  #f: (error: unknown) => Spawnable<U>;
  #second: Future<U> | null = null;

  constructor(first: Future<T>, f: (error: unknown) => Spawnable<U>) {
    super();
    this.#first = first;
    this.#f = f;
  }

  override describe(): string {
    const future = this.#first ?? this.#second;
    return future === null ? "andThen()" : future.describe();
  }

  override poll(context: Context): T | U | Pending {
    const first = this.#first;
    if (first !== null) {
      try {
        const value = first.poll(context);
        if (value !== Pending) this.#first = null;
        return value;
      } catch (error) {
        if (this.#first === null) throw error;
        this.#first = null;
        this.#second = toFuture(this.#f(error));
      }
    }
    const second = this.#second;
    if (second === null) throw consumed("a future with orElse()");
    try {
      const value = second.poll(context);
      if (value !== Pending) this.#second = null;
      return value;
    } catch (error) {
      this.#second = null;
      throw error;
    }
  }

  override drop(): void {
    const future = this.#first ?? this.#second;
    this.#first = null;
    this.#second = null;
    future?.drop();
  }
}

/** {@linkcode Future.andThen} */
export function andThen<T, U>(future: Future<T>, f: (value: T) => Spawnable<U>): Future<U> {
  if (typeof f !== "function") throw new TypeError("cannot go on after a future: f is no function");
  return new AndThen(future, f);
}

/** {@linkcode Future.orElse} */
export function orElse<T, U>(future: Future<T>, f: (error: unknown) => Spawnable<U>): Future<T | U> {
  if (typeof f !== "function") throw new TypeError("cannot go on after a failure: f is no function");
  return new OrElse(future, f);
}
