import { type Context, type Future, Pending, type Waker } from "../future.ts";
import { dropAll } from "../futures/drop_all.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { Adapter, fail } from "./adapter.ts";
import { Ended } from "./ended.ts";
import type { Stream } from "./stream.ts";

class TakenUntil<T> extends Adapter<T, T> {
  /** `null` once it has ended by itself. */
  #end: Future<unknown> | null;

  constructor(source: Stream<T>, end: Future<unknown>) {
    super(source);
    this.#end = end;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      if (this.#hasCome(context)) {
        this.drop();
        return Ended;
      }
      const item = source.pollNext(context);
      if (item !== Ended) return item;
      this.end();
      this.drop();
      return Ended;
    } catch (error) {
      return fail(this, error);
    }
  }

  #hasCome(context: Context): boolean {
    try {
      if (this.#end?.poll(context) === Pending) return false;
    } catch (error) {
      this.#end = null;
      throw error;
    }
    this.#end = null;
    return true;
  }

  override drop(): void {
    const { source } = this;
    const end = this.#end;
    this.source = null;
    this.#end = null;
    dropAll([end, source]);
  }
}

class Abortable<T> extends Adapter<T, T> {
  #signal: AbortSignal;
  #waker: Waker | null = null;
  #isListening = false;
  #aborted: () => void = () => this.#waker?.wake();

  constructor(source: Stream<T>, signal: AbortSignal) {
    super(source);
    this.#signal = signal;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const { source } = this;
    if (source === null) return Ended;
    try {
      this.#signal.throwIfAborted();
      const item = source.pollNext(context);
      if (item === Pending) this.#listen(context);
      else if (item === Ended) {
        this.end();
        this.drop();
      }
      return item;
    } catch (error) {
      return fail(this, error);
    }
  }

  #listen(context: Context): void {
    this.#waker = context.waker;
    if (this.#isListening) return;
    this.#isListening = true;
    this.#signal.addEventListener("abort", this.#aborted);
  }

  override drop(): void {
    this.#waker = null;
    if (this.#isListening) this.#signal.removeEventListener("abort", this.#aborted);
    this.#isListening = false;
    super.drop();
  }
}

/** {@linkcode Stream.takeUntil} */
export function takeUntil<T>(source: Stream<T>, end: Spawnable<unknown>): Stream<T> {
  return new TakenUntil(source, toFuture(end));
}

/** {@linkcode Stream.abortable} */
export function abortable<T>(source: Stream<T>, signal: AbortSignal): Stream<T> {
  if (!(signal instanceof AbortSignal)) {
    throw new TypeError("cannot make a stream abortable: signal is no AbortSignal");
  }
  return new Abortable(source, signal);
}
