import type { Waker } from "../future.ts";

/**
 * Wakes many in turn. A waker that throws keeps nobody from being woken: what the first of them threw is thrown
 * at the end.
 */
export class Wakes {
  #failure: { error: unknown } | null = null;

  wake(waker: Waker | null): void {
    if (waker === null) return;
    try {
      waker.wake();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** Throws what a waker has thrown. */
  end(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
