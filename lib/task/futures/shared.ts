import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";

const PENDING = 0;
const FULFILLED = 1;
const FAILED = 2;

/** The one future, and those who wait for it, which it wakes. */
class Source<T> implements Context, Waker {
  /** Readers and handles that were not dropped. */
  holders = 0;
  #future: Future<T> | null;
  #state = PENDING;
  #value: T | Pending = Pending;
  #error: unknown = undefined;
  /** Whether it is to be polled: it was never, or has been woken. */
  #isWoken = true;
  #isPolled = false;
  #firstWaiting: Reader<T> | null = null;

  constructor(future: Future<T>) {
    this.#future = future;
  }

  get waker(): Waker {
    return this;
  }

  /** Wakes all of them, and the first of them polls: one that was woken alone may never have a turn. */
  wake(): void {
    this.#isWoken = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (let reader = this.#firstWaiting; reader !== null; reader = this.#firstWaiting) {
      this.leave(reader);
      reader.waker?.wake();
    }
  }

  read(reader: Reader<T>): T | Pending {
    const future = this.#future;
    if (future !== null && this.#isWoken && !this.#isPolled) {
      this.#isWoken = false;
      this.#isPolled = true;
      try {
        const value = future.poll(this);
        if (value !== Pending) {
          this.#value = value;
          this.#end(FULFILLED);
        }
      } catch (error) {
        this.#error = error;
        this.#end(FAILED);
      }
      this.#isPolled = false;
    }
    if (this.#state === FAILED) throw this.#error;
    if (this.#state === PENDING) this.#wait(reader);
    return this.#value;
  }

  #end(state: number): void {
    this.#state = state;
    this.#future = null;
    this.#wakeAll();
  }

  #wait(reader: Reader<T>): void {
    if (!reader.isWaiting) {
      reader.isWaiting = true;
      reader.next = this.#firstWaiting;
      if (reader.next !== null) reader.next.previous = reader;
      this.#firstWaiting = reader;
    }
    // In its own poll it has woken those who waited before.
    if (this.#isWoken) this.#wakeAll();
  }

  leave(reader: Reader<T>): void {
    if (!reader.isWaiting) return;
    reader.isWaiting = false;
    if (reader.previous === null) this.#firstWaiting = reader.next;
    else reader.previous.next = reader.next;
    if (reader.next !== null) reader.next.previous = reader.previous;
    reader.previous = null;
    reader.next = null;
  }

  describe(): string {
    return this.#future === null ? "shared()" : this.#future.describe();
  }

  release(): void {
    if (--this.holders > 0) return;
    const future = this.#future;
    this.#future = null;
    future?.drop();
  }
}

/** Waits for the source once. */
class Reader<T> extends Future<T> {
  waker: Waker | null = null;
  isWaiting = false;
  previous: Reader<T> | null = null;
  next: Reader<T> | null = null;
  #source: Source<T> | null;

  constructor(source: Source<T>) {
    super();
    this.#source = source;
    source.holders++;
  }

  override describe(): string {
    return this.#source === null ? "shared()" : this.#source.describe();
  }

  override poll(context: Context): T | Pending {
    const source = this.#source;
    if (source === null) throw consumed("a reader of a shared future");
    this.waker = context.waker;
    try {
      const value = source.read(this);
      if (value !== Pending) this.drop();
      return value;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    const source = this.#source;
    if (source === null) return;
    this.#source = null;
    this.waker = null;
    source.leave(this);
    source.release();
  }
}

/**
 * A future for many readers: each has the same value, or the same error thrown. It may be awaited and `yield*`ed
 * as often as one likes, by many tasks at once. What it is given to, such as a `join` or a `select`, owns it and
 * may drop it: give each its `clone()`. With the last of them the future is dropped.
 */
export class Shared<T> extends Future<T> {
  #source: Source<T> | null;
  #reader: Reader<T> | null = null;
  #waker: Waker | null = null;

  /** A future's own: see {@linkcode Future.shared}. */
  constructor(source: Source<T>) {
    super();
    this.#source = source;
    source.holders++;
  }

  /** One more, that can be dropped without this one. */
  clone(): Shared<T> {
    return new Shared(this.#held());
  }

  #held(): Source<T> {
    if (this.#source === null) throw new Error("cannot use a shared future: this clone of it was dropped");
    return this.#source;
  }

  override describe(): string {
    return this.#source === null ? "shared()" : this.#source.describe();
  }

  /** The value, also where it was taken before. Throws what the future fails with. */
  override poll(context: Context): T | Pending {
    const reader = this.#reader ??= new Reader(this.#held());
    if (reader.isWaiting && this.#waker !== context.waker) {
      throw new Error("cannot wait for a shared future: another task waits for it; give each a clone()");
    }
    this.#waker = context.waker;
    try {
      const value = reader.poll(context);
      if (value !== Pending) this.#reader = null;
      return value;
    } catch (error) {
      this.#reader = null;
      throw error;
    }
  }

  /** The future is dropped, where nobody else holds it. */
  override drop(): void {
    const source = this.#source;
    if (source === null) return;
    const reader = this.#reader;
    this.#source = null;
    this.#reader = null;
    this.#waker = null;
    reader?.drop();
    source.release();
  }

  /** Waits with a reader of its own. */
  override [Symbol.iterator](): Iterator<Pending, T, void> {
    return new Reader(this.#held())[Symbol.iterator]();
  }

  /** Waits with a reader of its own. */
  override toPromise(): Promise<T> {
    return this.#source === null ? super.toPromise() : new Reader(this.#source).toPromise();
  }
}

/** {@linkcode Future.shared} */
export function shared<T>(future: Future<T>): Shared<T> {
  return new Shared(new Source(future));
}
