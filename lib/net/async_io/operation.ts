import { consumed, type Context, Future, Pending } from "../../task/future.ts";

/** A future whose value is taken once, and which is dropped once: what it does is `step`'s. */
export abstract class Operation<T> extends Future<T> {
  #isOver = false;

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed(this.describe());
    let value: T | Pending;
    try {
      value = this.step(context);
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
    if (value !== Pending) this.#isOver = true;
    return value;
  }

  override drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.abandon();
  }

  /** `poll`, where it is not over. What it throws ends it. */
  protected abstract step(context: Context): T | Pending;

  /** Takes back what `step` has arranged, where it is dropped before its end. */
  protected abandon(): void {}
}
