import { listen, unlisten } from "../runtime/abortion.ts";
import type { Waiter } from "../channel/waiters.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";

class Abortable<T> extends Future<T> {
  #future: Future<T> | null;
  #signal: AbortSignal;
  #waiter: Waiter | null = null;

  constructor(future: Future<T>, signal: AbortSignal) {
    super();
    this.#future = future;
    this.#signal = signal;
  }

  override describe(): string {
    return this.#future === null ? "abortable()" : this.#future.describe();
  }

  override poll(context: Context): T | Pending {
    const future = this.#future;
    if (future === null) throw consumed("an abortable future");
    if (this.#signal.aborted) return this.#aborted();
    let value: T | Pending;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (value !== Pending) this.#end();
    else if (this.#future !== null) {
      if (this.#signal.aborted) return this.#aborted();
      if (this.#waiter === null) this.#waiter = listen(this.#signal, context.waker);
      else this.#waiter.waker = context.waker;
    }
    return value;
  }

  #aborted(): never {
    this.drop();
    throw this.#signal.reason;
  }

  #end(): void {
    this.#future = null;
    if (this.#waiter !== null) unlisten(this.#signal, this.#waiter);
    this.#waiter = null;
  }

  override drop(): void {
    const future = this.#future;
    this.#end();
    future?.drop();
  }
}

/** {@linkcode Future.abortable} */
export function abortable<T>(future: Future<T>, signal: AbortSignal): Future<T> {
  if (!(signal instanceof AbortSignal)) {
    throw new TypeError("cannot make a future abortable: signal is no AbortSignal");
  }
  return new Abortable(future, signal);
}
