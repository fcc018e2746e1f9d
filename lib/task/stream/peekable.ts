import { type Context, type Future, Pending } from "../future.ts";
import { Adapter, fail } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Next } from "./next.ts";
import type { Stream } from "./stream.ts";

class Peek<T> extends Next<T> {
  #stream: Peekable<T>;

  constructor(stream: Peekable<T>) {
    super(stream);
    this.#stream = stream;
  }

  protected override pollItem(_stream: Stream<T>, context: Context): T | Ended | Pending {
    return this.#stream.pollPeek(context);
  }
}

/** A stream whose next item can be looked at before it is taken. */
export class Peekable<T> extends Adapter<T, T> {
  #peeked: T | Pending = Pending;

  override pollNext(context: Context): T | Pending | Ended {
    const item = this.pollPeek(context);
    this.#peeked = Pending;
    return item;
  }

  /** As `peek`, for what polls by itself. */
  pollPeek(context: Context): T | Pending | Ended {
    if (this.#peeked !== Pending) return this.#peeked;
    const { source } = this;
    if (source === null) return Ended;
    try {
      const item = source.pollNext(context);
      if (item === Ended) return this.end();
      this.#peeked = item;
      return item;
    } catch (error) {
      return fail(this, error);
    }
  }

  /** The item that `next()` gives, which leaves it there; or `Ended`. */
  peek(): Future<T | Ended> {
    return new Peek(this);
  }

  override drop(): void {
    this.#peeked = Pending;
    super.drop();
  }
}

/** {@linkcode Stream.peekable} */
export function peekable<T>(source: Stream<T>): Peekable<T> {
  return new Peekable(source);
}
