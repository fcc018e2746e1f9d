import { coop, proceed } from "./coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFuture } from "../futures/to_future.ts";

/** More than any turn takes. */
const UNLIMITED = 2 ** 30;

class Unconstrained<T> extends Future<T> {
  #future: Future<T>;

  constructor(future: Future<T>) {
    super();
    this.#future = future;
  }

  override poll(context: Context): T | Pending {
    const { left } = coop;
    coop.left = UNLIMITED;
    try {
      return this.#future.poll(context);
    } finally {
      coop.left = left;
    }
  }

  override drop(): void {
    this.#future.drop();
  }
}

/**
 * Polls the future outside its task's budget: it does not give way for as long as it makes progress, and nobody
 * else has a turn. tokio's `unconstrained`.
 */
export function unconstrained<T>(future: Spawnable<T>): Future<T> {
  return new Unconstrained(toFuture(future));
}

class ConsumeBudget extends Future<void> {
  #isDone = false;

  override poll(context: Context): void | Pending {
    if (this.#isDone) throw consumed("consumeBudget()");
    if (!proceed(context)) return Pending;
    coop.left--;
    this.#isDone = true;
  }
}

/**
 * Takes one of the 128 operations that a task may do in a turn, and gives way where none is left: for loops that wait
 * for nothing, in which `yieldNow` at each step would be too slow.
 *
 * @example
 * ```ts
 * import { consumeBudget, type Coroutine, run } from "@oxbow/oxbow/task";
 *
 * function* sum(numbers: Iterable<number>): Coroutine<number> {
 *   let sum = 0;
 *   for (const number of numbers) {
 *     sum += number;
 *     yield* consumeBudget();
 *   }
 *   return sum;
 * }
 *
 * console.log(await run(() => sum([1, 2, 3]))); // 6
 * ```
 */
export function consumeBudget(): Future<void> {
  return new ConsumeBudget();
}

/** Whether the task that has its turn may do more in it. */
export function hasBudget(): boolean {
  return coop.left > 0;
}
