import {
  consumed,
  type Context,
  type Coroutine,
  Future,
  Pending,
  polling,
  WaitInFinallyError,
} from "./future.ts";

/**
 * Resumes the coroutine where it waits, and there `yield*` polls the future again: a value goes on, an error
 * is thrown into it, and `Pending` comes out here.
 */
export function resume<T>(coroutine: Coroutine<T>, context: Context): T | Pending {
  const outer = polling.context;
  polling.context = context;
  polling.isParked = false;
  try {
    let step = coroutine.next();
    while (!step.done && step.value !== Pending) {
      step = coroutine.throw(new TypeError("cannot wait for what a coroutine yields: use yield*"));
    }
    return step.done ? step.value : Pending;
  } finally {
    polling.context = outer;
  }
}

/** Drops what the coroutine waits for, then runs its `finally` blocks, which must not wait. Throws what they throw. */
export function abandon(coroutine: Iterator<symbol, unknown>): void {
  const { context, instead } = polling;
  polling.context = null;
  polling.instead = "dropped";
  try {
    if (coroutine.return?.().done === false) throw new WaitInFinallyError();
  } finally {
    polling.context = context;
    polling.instead = instead;
  }
}

/** What a coroutine waits for that was suspended by a future. It does not notice, nor does the future. */
export function describe(coroutine: Iterator<symbol, unknown>): string {
  const { context, instead } = polling;
  polling.context = null;
  polling.instead = "described";
  try {
    coroutine.next();
    return polling.described === null ? "" : polling.described.describe();
  } finally {
    polling.context = context;
    polling.instead = instead;
    polling.described = null;
  }
}

/** A coroutine as a future, for what polls futures: combinators, `run`. */
export class CoroutineFuture<T> extends Future<T> {
  #coroutine: Coroutine<T> | null;
  #hasTurn = false;
  #isParked = false;

  constructor(coroutine: Coroutine<T>) {
    super();
    this.#coroutine = coroutine;
  }

  override poll(context: Context): T | Pending {
    const coroutine = this.#coroutine;
    if (coroutine === null) throw consumed("a coroutine");
    this.#hasTurn = true;
    let value: T | Pending;
    try {
      value = resume(coroutine, context);
      this.#isParked = polling.isParked;
    } catch (error) {
      this.#coroutine = null;
      throw error;
    } finally {
      this.#hasTurn = false;
    }
    // Dropped by itself: it ends where it would wait.
    if (value === Pending && this.#coroutine === null) abandon(coroutine);
    if (value !== Pending) this.#coroutine = null;
    return value;
  }

  override drop(): void {
    const coroutine = this.#coroutine;
    this.#coroutine = null;
    if (coroutine !== null && !this.#hasTurn) abandon(coroutine);
  }

  override describe(): string {
    const coroutine = this.#coroutine;
    return coroutine !== null && this.#isParked && !this.#hasTurn ? describe(coroutine) : "a coroutine";
  }
}
