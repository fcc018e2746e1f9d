import { currentRuntime } from "./current.ts";
import { Future } from "./future.ts";
import { isCoroutine, type Spawnable } from "./futures/to_future.ts";
import { fromPromise } from "./promise.ts";
import type { Body, JoinHandle, Start, Task } from "./task.ts";

/** The prototype of generator functions: calling one runs nothing of it. */
const GENERATOR_FUNCTION: object = Object.getPrototypeOf(function* () {});

/** A function that is called at the first poll. */
class Call<A extends unknown[], T> implements Start<T> {
  #fn: (...args: A) => Spawnable<T>;
  #args: A;

  constructor(fn: (...args: A) => Spawnable<T>, args: A) {
    this.#fn = fn;
    this.#args = args;
  }

  begin(task: Task<T>): Body<T> {
    const body = this.#fn(...this.#args);
    if (body instanceof Future || isCoroutine(body)) return body;
    task.becomesAsync();
    return fromPromise(body);
  }
}

/**
 * Makes a task of the thread's runtime: `fn` is called with `args` in the task's first turn, and what it gives is
 * polled. A coroutine is given as its function and arguments, so that the function can be hoisted: V8 takes
 * microseconds for a generator function written inline. Costs some 100 ns.
 */
export function spawn<A extends unknown[], T>(fn: (...args: A) => Spawnable<T>, ...args: A): JoinHandle<T> {
  const { executor } = currentRuntime();
  if (Object.getPrototypeOf(fn) === GENERATOR_FUNCTION) {
    const body = fn(...args);
    if (!(body instanceof Future) && isCoroutine(body)) return executor.spawn(null, body, null, null);
  }
  if (typeof fn !== "function") throw new TypeError("cannot spawn: fn is no function");
  return executor.spawn(new Call(fn, args), null, null, null);
}
