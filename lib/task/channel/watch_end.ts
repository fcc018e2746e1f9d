import type { Future } from "../future.ts";
import { Changed, type View, WaitFor } from "./cell.ts";

/** What receivers of a watch have in common, in one thread and between several. */
export abstract class WatchEnd<T> implements AsyncIterable<T, void>, Disposable {
  readonly #view: View<T>;

  /** The channel's own. */
  constructor(view: View<T>) {
    this.#view = view;
  }

  /** The latest value. It does not count as seen by that. */
  get value(): T {
    return this.#view.cell.value;
  }

  /** The latest value, which counts as seen from now on. */
  borrowAndUpdate(): T {
    this.markUnchanged();
    return this.value;
  }

  /** Whether there is a value that was not seen. */
  get hasChanged(): boolean {
    return this.#view.seen !== this.#view.cell.version;
  }

  /**
   * Waits for a value that was not seen, and counts it as seen: `true`; or `false` once every sender was closed and
   * the last value was seen. Cancel-safe: dropped before it has ended, it leaves the value unseen.
   */
  changed(): Future<boolean> {
    return new Changed(this.#view);
  }

  /**
   * Waits for a value of which `predicate` holds, the latest one to begin with, and counts it as seen, as every one
   * that it was asked about. Fails with what it throws, and with a `ClosedError` once no value can come.
   */
  waitFor(predicate: (value: T) => boolean): Future<T> {
    if (typeof predicate !== "function") {
      throw new TypeError("cannot wait for a value: predicate is no function");
    }
    return new WaitFor(this.#view, predicate);
  }

  /** Counts the value as not seen. */
  markChanged(): void {
    this.#view.seen = this.#view.cell.version - 1;
  }

  /** Counts the value as seen. */
  markUnchanged(): void {
    this.#view.seen = this.#view.cell.version;
  }

  /** Whether every sender was closed: the value may not have been seen yet. */
  get isClosed(): boolean {
    return this.#view.cell.senders === 0;
  }

  /** Each value that was not seen yet, and the latest alone of those sent between two. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    while (await this.changed()) yield this.value;
  }

  /** Waits for no other value: what waits here ends. */
  abstract close(): void;

  [Symbol.dispose](): void {
    this.close();
  }
}
