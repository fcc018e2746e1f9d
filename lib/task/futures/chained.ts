import { currentRuntime } from "../runtime/current.ts";
import { Delivery } from "../runtime/delivery.ts";
import { type Future, Pending } from "../future.ts";
import type { Runtime } from "../runtime/runtime.ts";

/**
 * What `then` gives, and what polls the future for it. `await` calls `then` with the two functions of a promise of its
 * own and looks at nothing that comes back, so that the promise which others would chain to is made only where they do.
 */
class Chained<T, A, B> extends Delivery<T> implements Promise<A | B> {
  readonly [Symbol.toStringTag] = "Promise";
  #onFulfilled: (value: T) => A | PromiseLike<A>;
  #onRejected: (reason: unknown) => B | PromiseLike<B>;
  /** What the functions have given. */
  #outcome: A | B | PromiseLike<A | B> | Pending = Pending;
  #promise: Promise<A | B> | null = null;
  #resolve: ((outcome: A | B | PromiseLike<A | B>) => void) | null = null;

  constructor(
    runtime: Runtime,
    future: Future<T>,
    onFulfilled: (value: T) => A | PromiseLike<A>,
    onRejected: (reason: unknown) => B | PromiseLike<B>,
  ) {
    super(runtime, future);
    this.#onFulfilled = onFulfilled;
    this.#onRejected = onRejected;
  }

  protected override deliver(value: T): void {
    try {
      this.#settle(this.#onFulfilled(value));
    } catch (error) {
      this.#settle(Promise.reject(error));
    }
  }

  protected override fail(error: unknown): void {
    try {
      this.#settle(this.#onRejected(error));
    } catch (error) {
      this.#settle(Promise.reject(error));
    }
  }

  #settle(outcome: A | B | PromiseLike<A | B>): void {
    this.#outcome = outcome;
    this.#resolve?.(outcome);
  }

  #asPromise(): Promise<A | B> {
    return this.#promise ??= new Promise((resolve) => {
      if (this.#outcome === Pending) this.#resolve = resolve;
      else resolve(this.#outcome);
    });
  }

  then<C = A | B, D = never>(
    onFulfilled?: ((value: A | B) => C | PromiseLike<C>) | null,
    onRejected?: ((reason: unknown) => D | PromiseLike<D>) | null,
  ): Promise<C | D> {
    return this.#asPromise().then(onFulfilled, onRejected);
  }

  catch<D = never>(onRejected?: ((reason: unknown) => D | PromiseLike<D>) | null): Promise<A | B | D> {
    return this.#asPromise().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<A | B> {
    return this.#asPromise().finally(onFinally);
  }
}

/** As `Promise`'s, of a future that was not awaited before. */
export function chained<T, A, B>(
  future: Future<T>,
  onFulfilled: (value: T) => A | PromiseLike<A>,
  onRejected: (reason: unknown) => B | PromiseLike<B>,
): Promise<A | B> {
  const runtime = currentRuntime();
  const chained = new Chained(runtime, future, onFulfilled, onRejected);
  runtime.begin(chained);
  return chained;
}
