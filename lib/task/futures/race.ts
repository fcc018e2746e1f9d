import { type Child, Children } from "./children.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { type Spawnable, toFutures } from "./to_future.ts";

/** Who was first, and its value. */
export interface Won<T> {
  /** Its place among those that were given. */
  index: number;
  value: T;
}

class Race<T> extends Future<Won<T>> {
  #children: Children<T>;
  #hasEnded = false;

  constructor(futures: readonly Future<T>[]) {
    super();
    this.#children = new Children(futures);
  }

  override describe(): string {
    return `race(${this.#children.describe()})`;
  }

  override poll(context: Context): Won<T> | Pending {
    if (this.#hasEnded) throw consumed("race()");
    const children = this.#children;
    children.begin(context.waker);
    for (let child = children.take(); child !== null; child = children.take()) {
      const value = this.#pollChild(child);
      if (value === Pending) continue;
      this.drop();
      return { index: child.index, value };
    }
    return Pending;
  }

  #pollChild(child: Child<T>): T | Pending {
    try {
      return child.poll();
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    try {
      this.drop();
    } catch (dropped) {
      throw new SuppressedError(dropped, error);
    }
    throw error;
  }

  override drop(): void {
    this.#hasEnded = true;
    this.#children.drop();
  }
}

/**
 * The first of them that is there, and its index; the others are dropped. Throws where the first to end fails.
 * Only what was woken is polled. Of those that are there at once the first in their order wins: see `select` for
 * a fair choice.
 */
export function race<T>(bodies: Iterable<Spawnable<T>>): Future<Won<T>> {
  const futures = toFutures(bodies);
  if (futures.length === 0) throw new RangeError("cannot race: there is nothing to wait for");
  return new Race(futures);
}
