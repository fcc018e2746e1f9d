import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import type { Waiter, Waiters } from "./waiters.ts";

/** Tries, and waits in a list to try again, until it has a value or throws. */
export abstract class Waiting<T> extends Future<T> {
  #waiter: Waiter | null = null;
  #hasEnded = false;

  /** The call that made it. */
  protected abstract readonly call: string;
  /** Where it waits. */
  protected abstract readonly waiters: Waiters;

  /** Takes the value, or nothing. */
  protected abstract attempt(): T | Pending;

  override describe(): string {
    return `${this.call} of a channel`;
  }

  override poll(context: Context): T | Pending {
    if (this.#hasEnded) throw consumed(this.call);
    if (!proceed(context)) return Pending;
    let value: T | Pending;
    try {
      value = this.attempt();
    } catch (error) {
      coop.left--;
      this.drop();
      throw error;
    }
    if (value === Pending) {
      this.#waiter = this.waiters.wait(this.#waiter, context.waker);
      return Pending;
    }
    coop.left--;
    this.drop();
    return value;
  }

  override drop(): void {
    this.#hasEnded = true;
    this.#waiter?.leave();
    this.#waiter = null;
  }
}
