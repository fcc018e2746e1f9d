import { type Context, type Future, Pending } from "../future.ts";
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

/** {@linkcode Stream.toReadable} */
export function toReadable<T>(stream: Stream<T>, strategy?: QueuingStrategy<T>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const item = await new Next(stream);
      if (item === Ended) controller.close();
      else controller.enqueue(item);
    },
    cancel() {
      stream.drop();
    },
  }, strategy ?? { highWaterMark: 0 });
}
