import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "./to_future.ts";

/** A future, and what its end has begun. */
abstract class InTurn<T, U> extends Future<U> {
  protected first: Future<T> | null;
  protected second: Future<U> | null = null;

  constructor(first: Future<T>) {
    super();
    this.first = first;
  }

  override describe(): string {
    const future = this.first ?? this.second;
    return future === null ? this.what : future.describe();
  }

  protected abstract readonly what: string;

  /** Polls the first, and makes the second where it has ended so. */
  protected abstract pollFirst(first: Future<T>, context: Context): U | Pending;

  override poll(context: Context): U | Pending {
    if (this.first !== null) {
      const value = this.pollFirst(this.first, context);
      if (this.second === null) return value;
    }
    const second = this.second;
    if (second === null) throw consumed(`a future with ${this.what}`);
    try {
      const value = second.poll(context);
      if (value !== Pending) this.second = null;
      return value;
    } catch (error) {
      this.second = null;
      throw error;
    }
  }

  override drop(): void {
    const future = this.first ?? this.second;
    this.first = null;
    this.second = null;
    future?.drop();
  }
}

class AndThen<T, U> extends InTurn<T, U> {
  #f: (value: T) => Spawnable<U>;

  constructor(first: Future<T>, f: (value: T) => Spawnable<U>) {
    super(first);
    this.#f = f;
  }

  protected override get what(): string {
    return "andThen()";
  }

  protected override pollFirst(first: Future<T>, context: Context): Pending {
    let value: T | Pending;
    try {
      value = first.poll(context);
    } catch (error) {
      this.first = null;
      throw error;
    }
    // Dropped in its own poll: what follows would be nobody's.
    if (value === Pending || this.first === null) return Pending;
    this.first = null;
    this.second = toFuture(this.#f(value));
    return Pending;
  }
}

class OrElse<T, U> extends InTurn<T, T | U> {
  #f: (error: unknown) => Spawnable<U>;

  constructor(first: Future<T>, f: (error: unknown) => Spawnable<U>) {
    super(first);
    this.#f = f;
  }

  protected override get what(): string {
    return "orElse()";
  }

  protected override pollFirst(first: Future<T>, context: Context): T | Pending {
    try {
      const value = first.poll(context);
      if (value !== Pending) this.first = null;
      return value;
    } catch (error) {
      if (this.first === null) throw error;
      this.first = null;
      this.second = toFuture<T | U>(this.#f(error));
      return Pending;
    }
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
