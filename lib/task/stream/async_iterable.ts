import { type Context, type Future, Pending, type Waker } from "../future.ts";
import { fromPromise } from "../promise.ts";
import { Ended } from "./ended.ts";
import { Next } from "./next.ts";
import { Stream } from "./stream.ts";

class FromAsyncIterable<T> extends Stream<T> {
  #items: AsyncIterable<T> | null;
  #iterator: AsyncIterator<T> | null = null;
  #step: Future<IteratorResult<T>> | null = null;

  constructor(items: AsyncIterable<T>) {
    super();
    this.#items = items;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const items = this.#items;
    if (items === null) return Ended;
    try {
      const iterator = this.#iterator ??= items[Symbol.asyncIterator]();
      const step = (this.#step ??= fromPromise(iterator.next())).poll(context);
      if (step === Pending) return Pending;
      this.#step = null;
      if (!step.done) return step.value;
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return Ended;
  }

  #end(): void {
    this.#items = null;
    this.#iterator = null;
    this.#step = null;
  }

  override drop(): void {
    const iterator = this.#iterator;
    const step = this.#step;
    this.#end();
    step?.drop();
    iterator?.return?.();
  }
}

/** The items of what `for await` goes through. */
export function fromAsyncIterable<T>(items: AsyncIterable<T>): Stream<T> {
  return new FromAsyncIterable(items);
}

/** A reader's chunks. The host's own iterator would cancel only once the read that is under way has ended. */
class Chunks<T> implements AsyncIterable<T, void> {
  #readable: ReadableStream<T>;

  constructor(readable: ReadableStream<T>) {
    this.#readable = readable;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, void> {
    const reader = this.#readable.getReader();
    return {
      async next() {
        const { done, value } = await reader.read();
        return done ? { done, value: undefined } : { done, value };
      },
      async return() {
        // A stream that has failed meanwhile says so to nobody: it was abandoned.
        await reader.cancel().catch(() => {});
        return { done: true, value: undefined };
      },
    };
  }
}

/** A WHATWG stream's chunks. Locks it at the first poll; dropped, it is cancelled. */
export function fromReadable<T>(readable: ReadableStream<T>): Stream<T> {
  return new FromAsyncIterable(new Chunks(readable));
}

/** An item that a WHATWG stream waits for: `Ended` where that is cancelled meanwhile. */
class Pulled<T> extends Next<T> {
  #waker: Waker | null = null;
  #isCancelled = false;

  protected override pollItem(stream: Stream<T>, context: Context): T | Ended | Pending {
    this.#waker = context.waker;
    return this.#isCancelled ? Ended : super.pollItem(stream, context);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#waker?.wake();
  }
}

/** What the host asks for items. */
class Pulling<T> {
  #stream: Stream<T>;
  #pulled: Pulled<T> | null = null;

  constructor(stream: Stream<T>) {
    this.#stream = stream;
  }

  async pull(controller: ReadableStreamDefaultController<T>): Promise<void> {
    const pulled = this.#pulled = new Pulled(this.#stream);
    const item = await pulled;
    if (this.#pulled === null) return;
    if (item === Ended) controller.close();
    else controller.enqueue(item);
  }

  cancel(): void {
    const pulled = this.#pulled;
    this.#pulled = null;
    pulled?.cancel();
    this.#stream.drop();
  }
}

/** {@linkcode Stream.toReadable} */
export function toReadable<T>(stream: Stream<T>, strategy?: QueuingStrategy<T>): ReadableStream<T> {
  return new ReadableStream<T>(new Pulling(stream), strategy ?? { highWaterMark: 0 });
}
