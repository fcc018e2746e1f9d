import { type Context, type Coroutine, type Future, Pending } from "../future.ts";
import type { Spawnable } from "../futures/to_future.ts";
import type { Ended } from "./ended.ts";
import type { Streamable, Ticking, Watching } from "./from.ts";
import type { Emit } from "./generate.ts";
import { Loop, Next } from "./next.ts";
import type { Peekable } from "./peekable.ts";

let methods: typeof import("./methods.ts");

/** The methods' own: their classes extend `Stream`, so that they are there only after it. */
export function provideMethods(given: typeof import("./methods.ts")): void {
  methods = given;
}

/**
 * Values that come one after another: lazy, polled, dropped. `pollNext` gives the next item, or keeps the waker and
 * gives `Pending`, or gives `Ended`, then and ever after. Items are anything else, `undefined` too.
 *
 * It is read in three ways: by `pollNext`, by `yield* stream.next()` in a coroutine, and by `for await`, which drops
 * it where the loop is left. What a method makes of it owns it: it polls and drops it, and nobody else may. A stream
 * whose function throws has dropped its source, passes the error on once, and has ended.
 */
export abstract class Stream<T> implements AsyncIterable<T, void>, Disposable {
  /** `next()`'s own: who waits for the next item. */
  waiting: Future<unknown> | null = null;

  /** Throws what the stream fails with, and has ended then. */
  abstract pollNext(context: Context): T | Pending | Ended;

  /** Abandons it: it has ended, and what it has arranged is taken back. Does nothing at its end, or a second time. */
  drop(): void {}

  [Symbol.dispose](): void {
    this.drop();
  }

  /** What can be gone through: a stream, an iterable or async iterable, a WHATWG stream, a channel's receiver. */
  static from<T>(source: Streamable<T>): Stream<T> {
    return methods.from(source);
  }

  /**
   * What the coroutine gives out by `yield* emit(item)`. It goes on when the next item is asked for; dropping the
   * stream runs its `finally` blocks.
   */
  static generate<T>(body: (emit: Emit<T>) => Coroutine<void>): Stream<T> {
    return methods.generate(body);
  }

  /** What `f` gives for a state, with the state for the next item; or `Ended`. */
  static unfold<S, T>(
    initial: S,
    f: (state: S) => Spawnable<readonly [item: T, state: S] | Ended>,
  ): Stream<T> {
    return methods.unfold(initial, f);
  }

  /** What `poll` gives, which keeps `pollNext`'s rules. `drop` is called where it is abandoned before its end. */
  static fromPoll<T>(poll: (context: Context) => T | Pending | Ended, drop?: () => void): Stream<T> {
    return methods.fromPoll(poll, drop);
  }

  /** The value of a future, a coroutine or a promise. */
  static once<T>(body: Spawnable<T>): Stream<T> {
    return methods.once(body);
  }

  /** The same item for ever. */
  static repeat<T>(item: T): Stream<T> {
    return methods.repeat(item);
  }

  /** No item. */
  static empty(): Stream<never> {
    return methods.from<never>([]);
  }

  /** No item and no end. */
  static pending(): Stream<never> {
    return methods.fromPoll<never>(never);
  }

  /** The ticks of an interval: when each was due. */
  static ticks(interval: Ticking): Stream<number> {
    return methods.ticks(interval);
  }

  /** A watch's values that its receiver has not seen yet, the latest alone of those sent between two. */
  static changes<T>(receiver: Watching<T>): Stream<T> {
    return methods.changes(receiver);
  }

  /** The next item, or `Ended`. Safe to drop: the item stays the next one. One waits at a time. */
  next(): Future<T | Ended> {
    return new Next(this);
  }

  /** `for await`: leaving the loop drops the stream. */
  [Symbol.asyncIterator](): AsyncIterator<T, void, void> {
    return new Loop(this);
  }

  /** What `f` makes of each item. */
  map<U>(f: (item: T) => U): Stream<U> {
    return methods.map(this, f);
  }

  /** What `f` waits for, given each item, one after another. */
  andThen<U>(f: (item: T) => Spawnable<U>): Stream<U> {
    return methods.andThen(this, f);
  }

  /** The items for which `f` gives true, and their type where it tells that. */
  filter<U extends T>(f: (item: T) => item is U): Stream<U>;
  /** The items for which `f` gives true. */
  filter(f: (item: T) => boolean): Stream<T>;
  filter(f: (item: T) => boolean): Stream<T> {
    return methods.filter(this, f);
  }

  /** What `f` makes of each item, without those for which it gives `undefined`. */
  filterMap<U>(f: (item: T) => U | undefined): Stream<U> {
    return methods.filterMap(this, f);
  }

  /** The items of what `f` gives for each item, one stream after another. */
  flatMap<U>(f: (item: T) => Streamable<U>): Stream<U> {
    return methods.flatMap(this, f);
  }

  /** Each item, once `f` has seen it. */
  inspect(f: (item: T) => void): Stream<T> {
    return methods.inspect(this, f);
  }

  /** Each item behind its index. */
  enumerate(): Stream<[index: number, item: T]> {
    return methods.enumerate(this);
  }

  /** What has come of `initial` at each item: `fold` on the way. */
  scan<A>(initial: A, f: (accumulated: A, item: T) => A): Stream<A> {
    return methods.scan(this, initial, f);
  }

  /** The first `n` items: drops the stream with the last of them. */
  take(n: number): Stream<T> {
    return methods.take(this, n);
  }

  /** The items before the first one for which `f` gives false: drops the stream with that. */
  takeWhile(f: (item: T) => boolean): Stream<T> {
    return methods.takeWhile(this, f);
  }

  /** The items until `end` has a value: drops the stream then. Fails with what `end` fails with. */
  takeUntil(end: Spawnable<unknown>): Stream<T> {
    return methods.takeUntil(this, end);
  }

  /** What `f` makes of each item, until it gives `Ended`: drops the stream then. */
  mapWhile<U>(f: (item: T) => U | Ended): Stream<U> {
    return methods.mapWhile(this, f);
  }

  /** The items after the first `n`. */
  skip(n: number): Stream<T> {
    return methods.skip(this, n);
  }

  /** The items from the first one on for which `f` gives false. */
  skipWhile(f: (item: T) => boolean): Stream<T> {
    return methods.skipWhile(this, f);
  }

  /** Its items, then those of `other`, which is not polled before. */
  chain<U>(other: Streamable<U>): Stream<T | U> {
    return methods.chain(this, methods.from(other));
  }

  /** Pairs of items, until one of the two has ended: drops the other then. */
  zip<U>(other: Streamable<U>): Stream<[T, U]> {
    return methods.zip(this, methods.from(other));
  }

  /** The items of both, as they come. Where both always have one they take turns. Ends when both have. */
  merge<U>(other: Streamable<U>): Stream<T | U> {
    return methods.merge(this, methods.from(other));
  }

  /** Arrays of `n` items each; the last one has what is left, if any. */
  chunks(n: number): Stream<T[]> {
    return methods.chunks(this, n);
  }

  /** Arrays of `n` items each, or of fewer, where `ms` milliseconds have passed since the first was waited for. */
  chunksTimeout(n: number, ms: number): Stream<T[]> {
    return methods.chunksTimeout(this, n, ms);
  }

  /**
   * The values of its items, which are futures, coroutines or promises, in its order. Up to `n` of them are under way
   * at once, and only those are polled that were woken. Failures keep to the order, too; the rest is dropped then.
   */
  buffered<U>(this: Stream<Spawnable<U>>, n: number): Stream<U> {
    return methods.buffered(this, n);
  }

  /** `buffered`, in the order in which they come. `Infinity`: any number at once. */
  bufferedUnordered<U>(this: Stream<Spawnable<U>>, n: number): Stream<U> {
    return methods.bufferedUnordered(this, n);
  }

  /** At most one item in `ms` milliseconds: those that come sooner wait in the source. */
  throttle(ms: number): Stream<T> {
    return methods.throttle(this, ms);
  }

  /** The items behind which none comes for `ms` milliseconds; the others are left out. */
  debounce(ms: number): Stream<T> {
    return methods.debounce(this, ms);
  }

  /** Fails with a `DOMException` named `TimeoutError` where an item is waited for longer than `ms` milliseconds. */
  timeout(ms: number): Stream<T> {
    return methods.timeout(this, ms);
  }

  /** Fails with `signal.reason` once the signal is aborted. */
  abortable(signal: AbortSignal): Stream<T> {
    return methods.abortable(this, signal);
  }

  /** Stays ended, for a stream written by somebody who does not see to that. */
  fuse(): Stream<T> {
    return methods.take(this, Infinity);
  }

  /** Its next item can be looked at before it is taken. */
  peekable(): Peekable<T> {
    return methods.peekable(this);
  }

  /** Calls `f` with each item, and waits for what it gives where that is a future, a coroutine or a promise. */
  forEach(f: (item: T) => unknown): Future<void> {
    return methods.forEach(this, f);
  }

  /** What has come of `initial` at the end, where `f` is given what has come of it so far and each item. */
  fold<A>(initial: A, f: (accumulated: A, item: T) => A): Future<A> {
    return methods.fold(this, initial, f);
  }

  /** An array of all items. */
  collect(): Future<T[]> {
    return methods.collect(this);
  }

  /** A WHATWG stream, which asks for an item when it is read, or for as many before as `strategy` says. */
  toReadable(strategy?: QueuingStrategy<T>): ReadableStream<T> {
    return methods.toReadable(this, strategy);
  }
}

function never(): Pending {
  return Pending;
}
