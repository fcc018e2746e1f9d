import { consumed, type Context, Future, Pending } from "../future.ts";

class Finally<T> extends Future<T> {
  #future: Future<T> | null;
  #f: () => void;
  #hasBegun = false;

  constructor(future: Future<T>, f: () => void) {
    super();
    this.#future = future;
    this.#f = f;
  }

  override describe(): string {
    return this.#future === null ? "finally()" : this.#future.describe();
  }

  override poll(context: Context): T | Pending {
    const future = this.#future;
    if (future === null) throw consumed("a future with finally()");
    this.#hasBegun = true;
    let value: T | Pending;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (value !== Pending) this.#end();
    return value;
  }

  /** Where the future was dropped in its own poll, `f` was called then. */
  #end(): void {
    if (this.#future === null) return;
    this.#future = null;
    this.#f();
  }

  override drop(): void {
    const future = this.#future;
    if (future === null) return;
    this.#future = null;
    try {
      future.drop();
    } finally {
      if (this.#hasBegun) this.#f();
    }
  }
}

/** {@linkcode Future.finally} */
export function atEnd<T>(future: Future<T>, f: () => void): Future<T> {
  if (typeof f !== "function") throw new TypeError("cannot call f at a future's end: f is no function");
  return new Finally(future, f);
}
