import type { Calls } from "../../jit/calls.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { coop, proceed } from "../runtime/coop.ts";
import { wakeSafely } from "../runtime/report.ts";
import type { Listener } from "./listener.ts";
import { nativeThreads } from "./native_threads.ts";

/** One call on another thread: how its record is written, and what becomes of its result. */
export interface NativeWork<T> {
  /** What it is, for people. */
  describe(): string;
  /** Writes the record. Where it throws, nothing is called. */
  begin(calls: Calls, slot: number): void;
  /** Makes the value of what the record has. Called once, and not where nobody waits any more. */
  end(calls: Calls, slot: number): T;
  /** Lets go of a result that nobody takes: that of a call which was begun when its future was dropped. */
  discard?(result: number): void;
  /** The call needs nothing any more that `begin` has given it: it has ended, or will never be made. Once for each `begin`. */
  release?(): void;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * A call on another thread, begun at the first poll. Dropped before a thread has begun it, it is never made; after that it
 * goes on, and its result is nobody's.
 */
export class NativeFuture<T> extends Future<T> {
  /** Among those that wait for a slot. */
  previous: NativeFuture<unknown> | null = null;
  next: NativeFuture<unknown> | null = null;
  /** Which slot it has, or -1. */
  slot = -1;
  /** Who tells of its end; `null` before it has begun, and after its end. */
  listener: Listener | null = null;
  readonly #work: NativeWork<T>;
  #waker: Waker | null = null;
  #outcome: Outcome<T> | null = null;
  #result = 0;
  #isOver = false;

  constructor(work: NativeWork<T>) {
    super();
    this.#work = work;
  }

  override describe(): string {
    return this.#work.describe();
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed("a call on another thread");
    if (this.listener === null && this.#outcome === null) {
      if (!proceed(context)) return Pending;
      coop.left--;
      this.beginNow();
    }
    const outcome = this.#outcome;
    if (outcome === null) {
      this.#waker = context.waker;
      return Pending;
    }
    this.#isOver = true;
    this.#outcome = null;
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Has the call made though nobody waits for it yet: whether somebody ever does, it is made unless it is dropped. */
  beginNow(): void {
    try {
      nativeThreads().start(this);
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  /** The threads' own: writes the record of its slot. */
  begin(calls: Calls): void {
    this.#work.begin(calls, this.slot);
  }

  /** The threads' own: the call has ended. */
  end(calls: Calls): void {
    this.#result = calls.resultOf(this.slot);
    if (this.#isOver) return this.#work.discard?.(this.#result);
    try {
      this.#outcome = { value: this.#work.end(calls, this.slot) };
    } catch (error) {
      this.#outcome = { error };
    }
    this.#wake();
  }

  /** The threads' own: its record is nobody's any more. */
  release(): void {
    this.#work.release?.();
  }

  /** The threads' own: it cannot be made. */
  fail(error: unknown): void {
    this.#outcome = { error };
    this.#wake();
  }

  #wake(): void {
    const waker = this.#waker;
    this.#waker = null;
    if (waker !== null) wakeSafely(waker);
  }

  override drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waker = null;
    const outcome = this.#outcome;
    this.#outcome = null;
    if (this.listener !== null) nativeThreads().abandon(this);
    else if (outcome !== null && "value" in outcome) this.#work.discard?.(this.#result);
  }
}
