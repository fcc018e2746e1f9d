import { consumed, type Context, Future, Pending } from "../future.ts";

class Borrowed<T> extends Future<T> {
  #lender: Future<T> | null;

  constructor(lender: Future<T>) {
    super();
    this.#lender = lender;
  }

  override describe(): string {
    return this.#lender === null ? "borrow()" : this.#lender.describe();
  }

  override poll(context: Context): T | Pending {
    const lender = this.#lender;
    if (lender === null) throw consumed("a borrowed future");
    try {
      const value = lender.poll(context);
      if (value !== Pending) this.#lender = null;
      return value;
    } catch (error) {
      this.#lender = null;
      throw error;
    }
  }

  override drop(): void {
    this.#lender = null;
  }
}

/** {@linkcode Future.borrow} */
export function borrow<T>(lender: Future<T>): Future<T> {
  return new Borrowed(lender);
}
