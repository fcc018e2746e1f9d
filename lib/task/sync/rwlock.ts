import { requireNames } from "../../io/arguments.ts";
import type { Future } from "../future.ts";
import { held, released } from "./held.ts";
import { Acquire, Permits } from "./permits.ts";

/** As many as tokio's. */
const MOST_READERS = 2 ** 29 - 1;

/** What a lock guards, and a permit for each of its readers. */
class Guarded<T> extends Permits {
  value: T;
  readonly readers: number;

  constructor(value: T, readers: number) {
    super(readers);
    this.value = value;
    this.readers = readers;
  }
}

function over(): Error {
  return new Error("cannot use what an RwLock guards: the guard was released");
}

/** One reader's holding of a lock, which ends when it is released or disposed. */
export class RwLockReadGuard<T> implements Disposable {
  #guarded: Guarded<T> | null;

  /** @internal */
  constructor(guarded: Guarded<T>) {
    this.#guarded = guarded;
    held(this, "an RwLockReadGuard");
  }

  /** What the lock guards, which stays as it is. Throws once the guard was released. */
  get value(): T {
    if (this.#guarded === null) throw over();
    return this.#guarded.value;
  }

  get isReleased(): boolean {
    return this.#guarded === null;
  }

  /** Ends the holding. Does nothing the second time. */
  release(): void {
    const guarded = this.#guarded;
    if (guarded === null) return;
    this.#guarded = null;
    released(this);
    guarded.release(1);
  }

  /** As `release`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** The writer's holding of a lock, which ends when it is released, disposed or made a reader's. */
export class RwLockWriteGuard<T> implements Disposable {
  #guarded: Guarded<T> | null;

  /** @internal */
  constructor(guarded: Guarded<T>) {
    this.#guarded = guarded;
    held(this, "an RwLockWriteGuard");
  }

  /** What the lock guards. Throws, to be read and to be set, once the guard was released. */
  get value(): T {
    return this.#held().value;
  }

  set value(value: T) {
    this.#held().value = value;
  }

  get isReleased(): boolean {
    return this.#guarded === null;
  }

  /**
   * Makes the writer a reader, with no other writer in between: the readers who wait next come in too. This guard is
   * as good as released. Throws where it was released.
   */
  downgrade(): RwLockReadGuard<T> {
    const guarded = this.#held();
    this.#guarded = null;
    released(this);
    const guard = new RwLockReadGuard(guarded);
    guarded.release(guarded.readers - 1);
    return guard;
  }

  /** Ends the holding. Does nothing the second time. */
  release(): void {
    const guarded = this.#guarded;
    if (guarded === null) return;
    this.#guarded = null;
    released(this);
    guarded.release(guarded.readers);
  }

  /** As `release`. */
  [Symbol.dispose](): void {
    this.release();
  }

  #held(): Guarded<T> {
    if (this.#guarded === null) throw over();
    return this.#guarded;
  }
}

class Read<T> extends Acquire<RwLockReadGuard<T>> {
  readonly #guarded: Guarded<T>;

  constructor(guarded: Guarded<T>) {
    super(guarded, 1);
    this.#guarded = guarded;
  }

  protected override make(): RwLockReadGuard<T> {
    return new RwLockReadGuard(this.#guarded);
  }

  protected override call(): string {
    return "read()";
  }
}

class Write<T> extends Acquire<RwLockWriteGuard<T>> {
  readonly #guarded: Guarded<T>;

  constructor(guarded: Guarded<T>) {
    super(guarded, guarded.readers);
    this.#guarded = guarded;
  }

  protected override make(): RwLockWriteGuard<T> {
    return new RwLockWriteGuard(this.#guarded);
  }

  protected override call(): string {
    return "write()";
  }
}

/** How many may read at once. */
export interface RwLockOptions {
  /** From 1 to 2²⁹ - 1, which it is where nothing is said. */
  maxReaders?: number;
}

/**
 * A value that many tasks read at once, or one changes. First come, first served: readers who come after a writer
 * that waits are behind it, so that no stream of readers keeps it waiting. Who reads and waits to read again, while a
 * writer waits in between, waits for ever.
 *
 * @example
 * ```ts
 * import { run } from "@oxbow/oxbow/task";
 * import { RwLock } from "@oxbow/oxbow/sync";
 *
 * const routes = new RwLock(new Map([["/", "home"]]));
 *
 * await run(async () => {
 *   {
 *     using guard = await routes.write();
 *     guard.value.set("/about", "about");
 *   }
 *   using reader = await routes.read();
 *   using another = await routes.read();
 *   console.log(reader.value.size, another.value.get("/about")); // 2 about
 * });
 * ```
 */
export class RwLock<T> {
  readonly #guarded: Guarded<T>;

  /** Throws a `RangeError` where `maxReaders` is no such count. */
  constructor(value: T, options: RwLockOptions = {}) {
    requireNames("cannot make an RwLock", "options are", options, ["maxReaders"]);
    const { maxReaders = MOST_READERS } = options;
    if (!Number.isInteger(maxReaders) || maxReaders < 1 || maxReaders > MOST_READERS) {
      throw new RangeError(
        `cannot make an RwLock: maxReaders is ${maxReaders}, not an integer from 1 to ${MOST_READERS}`,
      );
    }
    this.#guarded = new Guarded(value, maxReaders);
  }

  /** Waits until no writer has it or waits before. */
  read(): Future<RwLockReadGuard<T>> {
    return new Read(this.#guarded);
  }

  /** Waits until nobody has it. */
  write(): Future<RwLockWriteGuard<T>> {
    return new Write(this.#guarded);
  }

  /** A reader's guard, where no writer has it or waits, and there are not too many readers. */
  tryRead(): RwLockReadGuard<T> | undefined {
    return this.#guarded.tryTake(1) ? new RwLockReadGuard(this.#guarded) : undefined;
  }

  /** The writer's guard, where nobody has it. */
  tryWrite(): RwLockWriteGuard<T> | undefined {
    const guarded = this.#guarded;
    return guarded.tryTake(guarded.readers) ? new RwLockWriteGuard(guarded) : undefined;
  }
}
