/** Coroutines for a JoinSet's tasks. */
import { type Coroutine, never, yieldNow } from "../../lib/task/mod.ts";

export function* value<T>(value: T): Coroutine<T> {
  yield* yieldNow();
  return value;
}

/** Never ends, and tells where it is ended. */
export function* waits(ended: string[], name = "ended"): Coroutine<never> {
  try {
    return yield* never();
  } finally {
    ended.push(name);
  }
}
