import { consumed, type Context, Future, Pending } from "../future.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

/** Throws where another future waits for an item of the stream: each would wait for what the other takes. */
function requireAlone(waiting: unknown, self: unknown): void {
  if (waiting !== null && waiting !== self) {
    throw new Error("cannot wait for the next item: another next() of the stream waits; drop that one first");
  }
}

/** The next item. Nothing is kept in it, so that nothing is lost with it. */
export class Next<T> extends Future<T | Ended> {
  #stream: Stream<T> | null;

  constructor(stream: Stream<T>) {
    super();
    this.#stream = stream;
  }

  override poll(context: Context): T | Ended | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed("next()");
    requireAlone(stream.waiting, this);
    stream.waiting = this;
    let item: T | Ended | Pending;
    try {
      item = this.pollItem(stream, context);
    } catch (error) {
      this.drop();
      throw error;
    }
    if (item !== Pending) this.drop();
    return item;
  }

  protected pollItem(stream: Stream<T>, context: Context): T | Ended | Pending {
    return stream.pollNext(context);
  }

  override drop(): void {
    const stream = this.#stream;
    this.#stream = null;
    if (stream !== null && stream.waiting === this) stream.waiting = null;
  }
}

/** `Next` for a loop: where it is dropped, its runtime has ended, and nobody else would drop the stream. */
class NextResult<T> extends Future<IteratorResult<T, void>> {
  #stream: Stream<T>;
  #next: Next<T>;

  constructor(stream: Stream<T>) {
    super();
    this.#stream = stream;
    this.#next = new Next(stream);
  }

  override poll(context: Context): IteratorResult<T, void> | Pending {
    const value = this.#next.poll(context);
    if (value === Pending) return Pending;
    return value === Ended ? { done: true, value: undefined } : { done: false, value };
  }

  override drop(): void {
    this.#next.drop();
    this.#stream.drop();
  }
}

/** `for await` over a stream: what leaves the loop drops it. */
export class Loop<T> implements AsyncIterator<T, void, void> {
  #stream: Stream<T>;

  constructor(stream: Stream<T>) {
    this.#stream = stream;
  }

  next(): Promise<IteratorResult<T, void>> {
    return new NextResult(this.#stream).toPromise();
  }

  return(): Promise<IteratorResult<T, void>> {
    try {
      this.#stream.drop();
      return Promise.resolve({ done: true, value: undefined });
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
