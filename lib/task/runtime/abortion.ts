import { type Waiter, Waiters } from "../channel/waiters.ts";
import type { Waker } from "../future.ts";

/** Those who wait for one signal, for which it has one listener: hosts look at all of them to add or remove one. */
class Listeners implements EventListenerObject {
  readonly waiters: Waiters = new Waiters();

  handleEvent(): void {
    this.waiters.wakeAll();
  }
}

const listenersOf = new WeakMap<AbortSignal, Listeners>();

/** Has `waker` woken once the signal, which is not aborted yet, is. */
export function listen(signal: AbortSignal, waker: Waker): Waiter {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new Listeners();
    listenersOf.set(signal, listeners);
    signal.addEventListener("abort", listeners, { once: true });
  }
  return listeners.waiters.wait(null, waker);
}

/** Wakes it no more. The signal keeps nothing of those who wait once the last of them is gone. */
export function unlisten(signal: AbortSignal, waiter: Waiter): void {
  waiter.leave();
  const listeners = listenersOf.get(signal);
  if (listeners === undefined || listeners.waiters.length > 0) return;
  listenersOf.delete(signal);
  signal.removeEventListener("abort", listeners);
}
