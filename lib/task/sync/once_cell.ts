import { coop, proceed } from "../runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../future.ts";
import { lazy } from "../futures/ready.ts";
import type { Spawnable } from "../futures/to_future.ts";
import { Acquire, Permits } from "./permits.ts";

/** As many permits as nobody counts down. */
const EVERYBODY = 2 ** 50;

/** The value of a cell, and the permit to make it. */
class Place<T> extends Permits {
  value: T | Pending = Pending;

  constructor() {
    super(1);
  }

  /** Sets the value, after which all have their turn at once. */
  fill(value: T): void {
    this.value = value;
    this.release(EVERYBODY);
  }
}

/** Waits for its turn to make the value. */
class Turn extends Acquire<void> {
  protected override make(): void {}

  protected override call(): string {
    return "getOrInit()";
  }
}

class GetOrInit<T> extends Future<T> {
  readonly #place: Place<T>;
  readonly #init: () => Spawnable<T>;
  #turn: Turn | null = null;
  #making: Future<T> | null = null;
  #isOver = false;

  constructor(place: Place<T>, init: () => Spawnable<T>) {
    super();
    this.#place = place;
    this.#init = init;
  }

  override describe(): string {
    return this.#making === null ? "getOrInit()" : this.#making.describe();
  }

  override poll(context: Context): T | Pending {
    if (this.#isOver) throw consumed("getOrInit()");
    if (this.#making !== null) return this.#make(this.#making, context);
    const place = this.#place;
    if (place.value !== Pending) {
      if (!proceed(context)) return Pending;
      coop.left--;
      this.drop();
      return place.value;
    }
    const turn = this.#turn ??= new Turn(place, 1);
    if (turn.poll(context) === Pending) return Pending;
    this.#turn = null;
    this.#making = lazy(this.#init).andThen((body) => body);
    return this.#make(this.#making, context);
  }

  #make(making: Future<T>, context: Context): T | Pending {
    let value: T | Pending;
    try {
      value = making.poll(context);
    } catch (error) {
      this.#fail();
      throw error;
    }
    // Dropped in its own poll, it has had its turn.
    if (value === Pending || this.#isOver) return Pending;
    this.#isOver = true;
    this.#making = null;
    this.#place.fill(value);
    return value;
  }

  /** It has failed: the next one has its turn. */
  #fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#making = null;
    this.#place.release(1);
  }

  override drop(): void {
    this.#isOver = true;
    const turn = this.#turn;
    const making = this.#making;
    this.#turn = null;
    this.#making = null;
    turn?.drop();
    if (making === null) return;
    try {
      making.drop();
    } finally {
      this.#place.release(1);
    }
  }
}

/**
 * A value that is made once, by the first who asks for it; the others wait for it. Where it fails, or whoever makes
 * it is dropped, the next of those who wait makes it, by its own function.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow/task";
 * import { OnceCell } from "@oxbow/oxbow/sync";
 *
 * const token = new OnceCell<string>();
 *
 * function* login(): Coroutine<string> {
 *   yield* sleep(1);
 *   console.log("logged in"); // logged in
 *   return "s3cret";
 * }
 *
 * function* request(path: string): Coroutine<string> {
 *   return `${path} with ${yield* token.getOrInit(login)}`;
 * }
 *
 * await run(async () => {
 *   const [a, b] = [spawn(request, "/a"), spawn(request, "/b")];
 *   console.log(await a, await b); // /a with s3cret /b with s3cret
 * });
 * ```
 */
export class OnceCell<T> {
  readonly #place: Place<T> = new Place();

  /** A cell that has its value. */
  static of<T>(value: T): OnceCell<T> {
    const cell = new OnceCell<T>();
    cell.set(value);
    return cell;
  }

  get isInitialized(): boolean {
    return this.#place.value !== Pending;
  }

  /** The value; nothing where there is none yet. */
  get(): T | undefined {
    const { value } = this.#place;
    return value === Pending ? undefined : value;
  }

  /** Throws where there is a value, or one is being made. */
  set(value: T): void {
    const place = this.#place;
    if (place.value !== Pending) throw new Error("cannot set a OnceCell: it has its value");
    if (!place.tryTake(1)) throw new Error("cannot set a OnceCell: its value is being made");
    place.fill(value);
  }

  /**
   * The value. Where there is none, `init` is called, and what it gives is polled by whoever asked; others wait. Fails
   * as `init` does, for this one alone. A promise cannot be dropped: where `init` is an async function and the wait for
   * it is dropped, it goes on and its value is lost. An `init` that asks for the same cell waits for ever.
   */
  getOrInit(init: () => Spawnable<T>): Future<T> {
    if (typeof init !== "function") throw new TypeError("cannot wait for a OnceCell: init is no function");
    return new GetOrInit(this.#place, init);
  }
}
