import { type Context, Future, Pending } from "../future.ts";

/** A future that may be polled after its end: it pends then. */
export class Fuse<T> extends Future<T> {
  #future: Future<T> | null;

  /** {@linkcode Future.fuse} */
  constructor(future: Future<T>) {
    super();
    this.#future = future;
  }

  /** Whether its value was taken, it has failed, or it was dropped. */
  get isTerminated(): boolean {
    return this.#future === null;
  }

  override describe(): string {
    return this.#future === null ? "fuse()" : this.#future.describe();
  }

  /** Its value, once, then `Pending` for ever. Throws what it fails with. */
  override poll(context: Context): T | Pending {
    const future = this.#future;
    if (future === null) return Pending;
    try {
      const value = future.poll(context);
      if (value !== Pending) this.#future = null;
      return value;
    } catch (error) {
      this.#future = null;
      throw error;
    }
  }

  /** Drops what it polls. */
  override drop(): void {
    const future = this.#future;
    this.#future = null;
    future?.drop();
  }
}

/** {@linkcode Future.fuse} */
export function fuse<T>(future: Future<T>): Fuse<T> {
  return new Fuse(future);
}
