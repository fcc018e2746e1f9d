import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, type Coroutine, Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";
import { requireFunction } from "./adapter.ts";
import { Ended } from "./ended.ts";
import { Stream } from "./stream.ts";

/** Gives out an item of `Stream.generate`: `yield* emit(item)`, in its own coroutine, one item at a time. */
export type Emit<T> = (item: T) => Future<void>;

const FRESH = 0;
const GIVEN = 1;
const TAKEN = 2;

/** Is polled twice: where it gives its item out, and where the stream is asked for the next one. */
class Emission<T> extends Future<void> {
  #stream: Generated<T>;
  #item: T;
  #state = FRESH;

  constructor(stream: Generated<T>, item: T) {
    super();
    this.#stream = stream;
    this.#item = item;
  }

  override poll(context: Context): void | Pending {
    switch (this.#state) {
      case FRESH:
        if (!proceed(context)) return Pending;
        coop.left--;
        this.#stream.emit(this.#item);
        this.#state = GIVEN;
        return Pending;
      case GIVEN:
        this.#state = TAKEN;
        return;
      default:
        throw consumed("emit()");
    }
  }
}

class Generated<T> extends Stream<T> {
  /** `null` once it was called, or dropped. */
  #body: ((emit: Emit<T>) => Coroutine<void>) | null;
  #future: Future<void> | null = null;
  #emitted: T | Pending = Pending;
  #isPolled = false;

  constructor(body: (emit: Emit<T>) => Coroutine<void>) {
    super();
    this.#body = body;
  }

  /** An emission's own. */
  emit(item: T): void {
    if (!this.#isPolled || this.#emitted !== Pending) {
      throw new Error("cannot emit: only the stream's own coroutine may, and one item at a time");
    }
    this.#emitted = item;
  }

  override pollNext(context: Context): T | Pending | Ended {
    this.#begin();
    const future = this.#future;
    if (future === null) return Ended;
    this.#isPolled = true;
    try {
      if (future.poll(context) !== Pending) this.#future = null;
    } catch (error) {
      this.#future = null;
      throw error;
    } finally {
      this.#isPolled = false;
    }
    const item = this.#emitted;
    this.#emitted = Pending;
    return item === Pending && this.#future === null ? Ended : item;
  }

  #begin(): void {
    const body = this.#body;
    if (body === null) return;
    this.#body = null;
    this.#future = toFuture(body((item) => new Emission(this, item)));
  }

  override drop(): void {
    const future = this.#future;
    this.#body = null;
    this.#future = null;
    future?.drop();
  }
}

class Unfolded<S, T> extends Stream<T> {
  #state: S;
  /** `null` once it has ended or was dropped. */
  #f: ((state: S) => Spawnable<readonly [item: T, state: S] | Ended>) | null;
  #future: Future<readonly [item: T, state: S] | Ended> | null = null;

  constructor(initial: S, f: (state: S) => Spawnable<readonly [item: T, state: S] | Ended>) {
    super();
    this.#state = initial;
    this.#f = f;
  }

  override pollNext(context: Context): T | Pending | Ended {
    const f = this.#f;
    if (f === null) return Ended;
    try {
      const step = (this.#future ??= toFuture(f(this.#state))).poll(context);
      if (step === Pending) return Pending;
      this.#future = null;
      if (step !== Ended) {
        this.#state = step[1];
        return step[0];
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return Ended;
  }

  #end(): void {
    this.#f = null;
    this.#future = null;
  }

  override drop(): void {
    const future = this.#future;
    this.#end();
    future?.drop();
  }
}

/** {@linkcode Stream.generate} */
export function generate<T>(body: (emit: Emit<T>) => Coroutine<void>): Stream<T> {
  requireFunction(body, "generate a stream");
  return new Generated(body);
}

/** {@linkcode Stream.unfold} */
export function unfold<S, T>(
  initial: S,
  f: (state: S) => Spawnable<readonly [item: T, state: S] | Ended>,
): Stream<T> {
  requireFunction(f, "unfold a stream");
  return new Unfolded(initial, f);
}
