import { consumed, type Context, Future, Pending } from "../future.ts";

class Settled<T> extends Future<PromiseSettledResult<T>> {
  #future: Future<T> | null;

  constructor(future: Future<T>) {
    super();
    this.#future = future;
  }

  override describe(): string {
    return this.#future === null ? "settled()" : this.#future.describe();
  }

  override poll(context: Context): PromiseSettledResult<T> | Pending {
    const future = this.#future;
    if (future === null) throw consumed("a future with settled()");
    try {
      const value = future.poll(context);
      if (value === Pending) return Pending;
      this.#future = null;
      return { status: "fulfilled", value };
    } catch (reason) {
      this.#future = null;
      return { status: "rejected", reason };
    }
  }

  override drop(): void {
    const future = this.#future;
    this.#future = null;
    future?.drop();
  }
}

/** {@linkcode Future.settled} */
export function settled<T>(future: Future<T>): Future<PromiseSettledResult<T>> {
  return new Settled(future);
}
