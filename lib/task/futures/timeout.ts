import { BUDGET, coop } from "../coop.ts";
import { sleep } from "../sleep.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "./to_future.ts";

class Timeout<T> extends Future<T> {
  #future: Future<T> | null;
  #ms: number;
  #sleep: Future<void>;

  constructor(ms: number, future: Future<T>) {
    super();
    this.#future = future;
    this.#ms = ms;
    this.#sleep = sleep(ms);
  }

  override poll(context: Context): T | Pending {
    const future = this.#future;
    if (future === null) throw consumed("a future with a timeout");
    let value: T | Pending;
    try {
      value = future.poll(context);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (value !== Pending) this.#end();
    else if (this.#future !== null && this.#hasExpired(context)) {
      this.drop();
      throw new DOMException(`the value was not there within ${this.#ms} ms`, "TimeoutError");
    }
    return value;
  }

  #hasExpired(context: Context): boolean {
    // A future that spends the whole budget at each of its polls must not outlast its time.
    const { left } = coop;
    coop.left = BUDGET;
    try {
      return this.#sleep.poll(context) !== Pending;
    } catch (error) {
      this.drop();
      throw error;
    } finally {
      coop.left = left;
    }
  }

  #end(): void {
    this.#future = null;
    this.#sleep.drop();
  }

  override drop(): void {
    const future = this.#future;
    if (future === null) return;
    this.#end();
    future.drop();
  }
}

/**
 * The value of `body`, where it is there within `ms` milliseconds of the first poll. Else it is dropped, and the
 * future fails with a `DOMException` named `TimeoutError`.
 */
export function timeout<T>(ms: number, body: Spawnable<T>): Future<T> {
  return new Timeout(ms, toFuture(body));
}
