import type { Waker } from "../future.ts";

/** An error that nobody can be given, as the host reports a promise that is rejected and not handled. */
export function report(error: unknown): void {
  Promise.reject(error);
}

/** Wakes. What the waker throws is reported: it is no failure of who wakes, and takes nobody else's wake-up. */
export function wakeSafely(waker: Waker): void {
  try {
    waker.wake();
  } catch (error) {
    report(error);
  }
}
