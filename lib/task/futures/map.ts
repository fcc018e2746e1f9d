import { consumed, type Context, Future, Pending } from "../future.ts";

class Mapped<T, U> extends Future<U> {
  #future: Future<T> | null;
  #f: (value: T) => U;

  constructor(future: Future<T>, f: (value: T) => U) {
    super();
    this.#future = future;
    this.#f = f;
  }

  override describe(): string {
    return this.#future === null ? "map()" : this.#future.describe();
  }

  override poll(context: Context): U | Pending {
    const future = this.#future;
    if (future === null) throw consumed("a mapped future");
    let value: T | Pending;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#future = null;
      throw error;
    }
    // Dropped in its own poll: nobody asks what f makes of it.
    if (value === Pending || this.#future === null) return Pending;
    this.#future = null;
    return this.#f(value);
  }

  override drop(): void {
    const future = this.#future;
    this.#future = null;
    future?.drop();
  }
}

/** {@linkcode Future.map} */
export function map<T, U>(future: Future<T>, f: (value: T) => U): Future<U> {
  if (typeof f !== "function") throw new TypeError("cannot map a future: f is no function");
  return new Mapped(future, f);
}

/** {@linkcode Future.inspect} */
export function inspect<T>(future: Future<T>, f: (value: T) => void): Future<T> {
  if (typeof f !== "function") throw new TypeError("cannot inspect a future: f is no function");
  return new Mapped(future, (value) => {
    f(value);
    return value;
  });
}
