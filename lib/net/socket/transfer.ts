import { consumed, type Context, Future, Pending, polling, type Waker } from "../../task/future.ts";
import { parked, withoutContext } from "../../task/futures/future.ts";
import type { StreamIo } from "./stream_io.ts";

/** What reads or writes a stream, and parks until there is something, or room. One of each direction at a time. */
export abstract class Transfer<T> extends Future<T> implements Iterator<Pending, T, void> {
  /** `null` once its value was taken, it has failed, or was dropped. */
  #stream: StreamIo | null;
  readonly #reads: boolean;
  #waker: Waker | null = null;

  constructor(stream: StreamIo, reads: boolean) {
    super();
    this.#stream = stream;
    this.#reads = reads;
  }

  /** What it is called, for people. */
  protected abstract get title(): string;

  /** Gets on as far as it can: `Pending` where it would have to wait, or where the budget is spent. */
  protected abstract attempt(stream: StreamIo, context: Context): T | Pending;

  override describe(): string {
    const stream = this.#stream;
    return stream === null
      ? this.title
      : `${this.title}, ${stream.io.describe(this.#reads ? "read" : "write")}`;
  }

  override poll(context: Context): T | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed(this.title);
    const other = this.#reads ? stream.reader : stream.writer;
    if (other !== null && other !== this) this.#refuse(stream);
    let value: T | Pending;
    try {
      value = this.attempt(stream, context);
    } catch (error) {
      this.drop();
      throw error;
    }
    if (value === Pending) this.#park(stream, context.waker);
    else if (this.#waker === null) this.#stream = null;
    else this.drop();
    return value;
  }

  /** It is its own iterator: a coroutine that reads and writes makes one object for each, and not two. */
  override [Symbol.iterator](): Iterator<Pending, T, void> {
    return this;
  }

  next(): IteratorResult<Pending, T> {
    const { context } = polling;
    if (context === null) return withoutContext(this);
    const value = this.poll(context);
    return value === Pending ? parked() : { done: true, value };
  }

  /** The coroutine is dropped. */
  return(value: T): IteratorResult<Pending, T> {
    this.drop();
    return { done: true, value };
  }

  #refuse(stream: StreamIo): never {
    this.#stream = null;
    stream.refuseSecond(this.#reads ? "read" : "write");
  }

  #park(stream: StreamIo, waker: Waker): void {
    const before = this.#waker;
    if (this.#reads) {
      stream.reader = this;
      if (before !== null && before !== waker) stream.io.forgetReader(before);
      stream.io.waitReadable(waker);
    } else {
      stream.writer = this;
      if (before !== null && before !== waker) stream.io.forgetWriter(before);
      stream.io.waitWritable(waker);
    }
    this.#waker = waker;
  }

  override drop(): void {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    if (this.#reads) {
      if (stream.reader !== this) return;
      stream.reader = null;
      stream.io.forgetReader(this.#waker);
    } else {
      if (stream.writer !== this) return;
      stream.writer = null;
      stream.io.forgetWriter(this.#waker);
    }
  }
}
