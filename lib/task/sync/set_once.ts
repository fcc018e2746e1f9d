import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { type Linked, Queue } from "./queue.ts";
import { Wakes } from "./wakes.ts";

class Place<T> {
  value: T | Pending = Pending;
  readonly queue: Queue<Wait<T>> = new Queue();
}

class Wait<T> extends Future<T> implements Linked<Wait<T>> {
  previous: Wait<T> | null = null;
  next: Wait<T> | null = null;
  waker: Waker | null = null;
  readonly #place: Place<T>;
  #isQueued = false;
  #isOver = false;

  constructor(place: Place<T>) {
    super();
    this.#place = place;
  }

  override describe(): string {
    return "wait() of a SetOnce";
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed("wait()");
    const { value, queue } = this.#place;
    if (value === Pending) {
      this.waker = context.waker;
      if (!this.#isQueued) queue.push(this);
      this.#isQueued = true;
      return Pending;
    }
    if (!proceed(context)) return Pending;
    coop.left--;
    this.#isOver = true;
    return value;
  }

  override drop(): void {
    if (this.#isQueued && !this.#isOver && this.#place.value === Pending) this.#place.queue.remove(this);
    this.#isOver = true;
    this.waker = null;
  }
}

/**
 * A value that is set once, by anybody, and waited for by many.
 *
 * @example
 * ```ts
 * import { run, spawn } from "@oxbow/oxbow/task";
 * import { SetOnce } from "@oxbow/oxbow/sync";
 *
 * const port = new SetOnce<number>();
 *
 * await run(async () => {
 *   const [a, b] = [spawn(() => port.wait()), spawn(() => port.wait())];
 *   port.set(8080);
 *   console.log(await a, await b, port.get()); // 8080 8080 8080
 * });
 * ```
 */
export class SetOnce<T> {
  readonly #place: Place<T> = new Place();

  get isSet(): boolean {
    return this.#place.value !== Pending;
  }

  /** The value; nothing where there is none yet. */
  get(): T | undefined {
    const { value } = this.#place;
    return value === Pending ? undefined : value;
  }

  /** Throws where there is a value. */
  set(value: T): void {
    const place = this.#place;
    if (place.value !== Pending) throw new Error("cannot set a SetOnce: it has its value");
    place.value = value;
    const { queue } = place;
    const wakes = new Wakes();
    for (let each = queue.first; each !== null; each = queue.first) {
      queue.remove(each);
      const { waker } = each;
      each.waker = null;
      wakes.wake(waker);
    }
    wakes.end();
  }

  /** Waits for the value. */
  wait(): Future<T> {
    return new Wait(this.#place);
  }
}
