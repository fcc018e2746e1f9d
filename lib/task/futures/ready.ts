import { consumed, type Context, Future, Pending } from "../future.ts";

class Ready<T> extends Future<T> {
  #value: T | Pending;

  constructor(value: T) {
    super();
    this.#value = value;
  }

  override poll(): T {
    const value = this.#value;
    if (value === Pending) throw consumed("ready()");
    this.#value = Pending;
    return value;
  }

  override drop(): void {
    this.#value = Pending;
  }
}

class Lazy<T> extends Future<T> {
  #f: (() => T) | null;

  constructor(f: () => T) {
    super();
    this.#f = f;
  }

  override poll(): T {
    const f = this.#f;
    if (f === null) throw consumed("lazy()");
    this.#f = null;
    return f();
  }

  override drop(): void {
    this.#f = null;
  }
}

class Never extends Future<never> {
  override describe(): string {
    return "never()";
  }

  override poll(_context: Context): Pending {
    return Pending;
  }
}

/** A future that is there. */
export function ready<T>(value: T): Future<T> {
  return new Ready(value);
}

/** A future that fails with `error`. */
export function failed(error: unknown): Future<never> {
  return new Lazy(() => {
    throw error;
  });
}

/** What `f` gives when the future is first polled. */
export function lazy<T>(f: () => T): Future<T> {
  if (typeof f !== "function") throw new TypeError("cannot make a lazy future: f is no function");
  return new Lazy(f);
}

/** A future that is never there, such as the branch of a `select` that is not wanted this time. */
export function never(): Future<never> {
  return new Never();
}

/** {@linkcode never}, as Rust calls it. */
export function pending(): Future<never> {
  return new Never();
}
