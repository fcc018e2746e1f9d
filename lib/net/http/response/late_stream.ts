import { fromPromise, type Future, ready } from "../../../task/mod.ts";
import type { AsyncRead, AsyncWrite } from "../../async_io/traits.ts";

/** A stream that can be closed. */
type Closable = AsyncRead & AsyncWrite & Disposable;

/**
 * A stream of bytes that is there before its connection is: what is read and written waits until it comes. The first
 * piece that is written goes nowhere; it is the head of an answer that is sent by others.
 */
export class LateStream implements AsyncRead, AsyncWrite, Disposable {
  readonly #coming = Promise.withResolvers<Closable>();
  #stream: Closable | null = null;
  #received: Uint8Array = new Uint8Array(0);
  #isHeadWritten = false;
  #isClosed = false;

  /** The connection is there. `received` is what was read of it already. */
  attach(stream: Closable, received: Uint8Array): void {
    if (this.#isClosed) return stream[Symbol.dispose]();
    this.#stream = stream;
    this.#received = received;
    this.#coming.resolve(stream);
  }

  read(into: Uint8Array): Future<number> {
    return this.#then((stream) => {
      const { length } = this.#received;
      if (length === 0) return stream.read(into);
      const count = Math.min(length, into.length);
      into.set(this.#received.subarray(0, count));
      this.#received = this.#received.subarray(count);
      return ready(count);
    });
  }

  write(bytes: Uint8Array): Future<number> {
    if (this.#takesHead()) return ready(bytes.length);
    return this.#then((stream) => stream.write(bytes));
  }

  writeAll(bytes: Uint8Array): Future<void> {
    if (this.#takesHead()) return ready(undefined);
    return this.#then((stream) => stream.writeAll(bytes));
  }

  shutdown(): Future<void> {
    return this.#then((stream) => stream.shutdown());
  }

  #takesHead(): boolean {
    const isHead = !this.#isHeadWritten;
    this.#isHeadWritten = true;
    return isHead;
  }

  #then<T>(use: (stream: Closable) => Future<T>): Future<T> {
    return this.#stream === null ? fromPromise(this.#coming.promise).andThen(use) : use(this.#stream);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#stream?.[Symbol.dispose]();
  }
}
