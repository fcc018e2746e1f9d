import { type Context, Future, Pending, type Waker } from "../future.ts";
import { wakeSafely } from "../runtime/report.ts";

/** What a job has reported, with what is to be called once it was read. */
interface Report {
  readonly value: unknown;
  readonly read: () => void;
}

/** What a job reports, in order, for one reader. How much there may be is for its runner to see to. */
export class Progress implements AsyncIterable<unknown> {
  #reports: Report[] = [];
  #hasEnded: boolean;
  #waker: Waker | null = null;
  readonly #awaits: (change: number) => void;

  /** `awaits` is told of who waits for a report. */
  constructor(hasEnded: boolean, awaits: (change: number) => void) {
    this.#hasEnded = hasEnded;
    this.#awaits = awaits;
  }

  push(value: unknown, read: () => void): void {
    this.#reports.push({ value, read });
    this.#wake();
  }

  /** No report will come. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    const waker = this.#waker;
    this.#wait(null);
    if (waker !== null) wakeSafely(waker);
  }

  #wait(waker: Waker | null): void {
    const change = (waker === null ? 0 : 1) - (this.#waker === null ? 0 : 1);
    this.#waker = waker;
    if (change !== 0) this.#awaits(change);
  }

  /** `next`'s own. */
  poll(context: Context): IteratorResult<unknown> | Pending {
    const report = this.#reports.shift();
    if (report !== undefined) {
      report.read();
      return { done: false, value: report.value };
    }
    if (this.#hasEnded) return { done: true, value: undefined };
    this.#wait(context.waker);
    return Pending;
  }

  /** `next`'s own: nobody waits any more. */
  forget(): void {
    this.#wait(null);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return { next: () => new Next(this).toPromise() };
  }
}

class Next extends Future<IteratorResult<unknown>> {
  readonly #progress: Progress;

  constructor(progress: Progress) {
    super();
    this.#progress = progress;
  }

  override poll(context: Context): IteratorResult<unknown> | Pending {
    return this.#progress.poll(context);
  }

  override drop(): void {
    this.#progress.forget();
  }
}
