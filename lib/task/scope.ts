import { currentRuntime } from "./runtime/current.ts";
import { consumed, type Context, Future, Pending, type Waker } from "./future.ts";
import { wakeSafely } from "./runtime/report.ts";
import { Queue } from "./sync/queue.ts";
import { type Spawnable, toFuture } from "./futures/to_future.ts";
import { spawnInto } from "./spawn.ts";
import type { JoinHandle } from "./join_handle.ts";
import { type OwnedTask, TaskExtras } from "./task.ts";

/** How a scope that is left by `await using` treats the tasks that are still at work. */
export interface ScopeOptions {
  /** Waits for them, or cancels them first: `"join"` where nothing is said. */
  onExit?: "join" | "cancel";
}

/** Who waits for a scope's end beside its owner. */
let joinsOf: (scope: Scope) => Queue<Joined>;

/**
 * Tasks that do not outlive a block. Whoever leaves the scope waits for all that were spawned in it; the first
 * that fails cancels the others, and its error is what the scope throws. Coroutines and futures are dropped where
 * they stand; an async function can only be told, by its signal, and is waited for.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, scope, sleep } from "@oxbow/oxbow/task";
 *
 * function* fetchPart(part: number): Coroutine<string> {
 *   yield* sleep(1);
 *   return `part ${part}`;
 * }
 *
 * await run(() =>
 *   scope(function* (s): Coroutine<void> {
 *     const parts = [s.spawn(fetchPart, 1), s.spawn(fetchPart, 2)];
 *     for (const part of parts) console.log(yield* part);
 *   })
 * );
 * ```
 */
export class Scope implements AsyncDisposable, Disposable {
  #cancelsAtExit: boolean;
  #children: Set<OwnedTask<unknown>> = new Set();
  #controller: AbortController | null = null;
  /** The first failure of a child, or why it was cancelled. */
  #failure: { error: unknown } | null = null;
  #isCancelled = false;
  #isClosed = false;
  #waker: Waker | null = null;
  #joins: Queue<Joined> = new Queue();

  constructor(options: ScopeOptions = {}) {
    const { onExit = "join" } = options;
    if (onExit !== "join" && onExit !== "cancel") {
      throw new TypeError(`cannot make a scope: onExit is ${String(onExit)}, neither "join" nor "cancel"`);
    }
    this.#cancelsAtExit = onExit === "cancel";
  }

  /** Makes a task that does not outlive the scope. Throws once the scope was left or cancelled. */
  spawn<A extends unknown[], T>(fn: (...args: A) => Spawnable<T>, ...args: A): JoinHandle<T> {
    if (this.#isClosed) throw new Error("cannot spawn in a scope that was left");
    if (this.#isCancelled) throw new Error("cannot spawn in a scope that was cancelled");
    const task = spawnInto(currentRuntime().executor, new TaskExtras("", this), fn, args);
    this.#children.add(task);
    return task;
  }

  /** How many of its tasks are at work. */
  get size(): number {
    return this.#children.size;
  }

  /** Aborted when the scope is cancelled, for async functions and whatever else takes a signal. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isCancelled) this.#controller.abort(this.#failure?.error);
    return this.#controller.signal;
  }

  /** Aborts all tasks of the scope, and lets none begin. The scope's end throws `reason`, an `AbortError` where nothing is said. */
  cancel(reason: unknown = new DOMException("the scope was cancelled", "AbortError")): void {
    this.#cancel({ error: reason });
  }

  #cancel(failure: { error: unknown } | null): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#failure ??= failure;
    const reason = failure?.error ?? new DOMException("the scope was left", "AbortError");
    this.#controller?.abort(reason);
    for (const child of this.#children) child.abort(reason);
    this.#wake();
  }

  /** A task's own: it has ended. */
  childEnded(child: OwnedTask<unknown>): void {
    this.#children.delete(child);
    if (child.hasFailed && !child.wasAborted) this.#cancel({ error: child.error });
    if (this.#children.size === 0) this.#wake();
  }

  #wake(): void {
    const waker = this.#waker;
    this.#waker = null;
    if (waker !== null) wakeSafely(waker);
    if (this.#children.size > 0) return;
    for (let joined = this.#joins.first; joined !== null;) {
      const { next, waker } = joined;
      if (waker !== null) wakeSafely(waker);
      joined = next;
    }
  }

  /** Waits until no task of the scope is left, after which none begins any more. Throws the first failure, or the reason of its cancellation. */
  join(): Future<void> {
    return new Joined(this);
  }

  /** `scope`'s own: whether no task is left, or the waker kept for when none is. Throws what the scope throws. */
  pollJoined(context: Context): void | Pending {
    if (this.#children.size > 0) {
      this.#waker = context.waker;
      return Pending;
    }
    this.#isClosed = true;
    if (this.#failure !== null) throw this.#failure.error;
  }

  static {
    joinsOf = (scope) => scope.#joins;
  }

  /** `scope`'s own: why the body is to end, where it is; the waker is kept for when that is so. */
  pollFailure(context: Context): { error: unknown } | null {
    if (this.#failure === null) this.#waker = context.waker;
    return this.#failure;
  }

  /** The end of `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#cancelsAtExit) this.#cancel(null);
    await this.join();
  }

  /** Cancels what is left, without waiting for it: coroutines and futures are dropped here and now. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#cancel(null);
  }
}

class Joined extends Future<void> {
  previous: Joined | null = null;
  next: Joined | null = null;
  waker: Waker | null = null;
  #scope: Scope | null;

  constructor(scope: Scope) {
    super();
    this.#scope = scope;
  }

  override describe(): string {
    return this.#scope === null ? "a scope" : `a scope of ${this.#scope.size} tasks`;
  }

  override poll(context: Context): void | Pending {
    const scope = this.#scope;
    if (scope === null) throw consumed("a scope");
    if (scope.size > 0) {
      if (this.waker === null) joinsOf(scope).push(this);
      this.waker = context.waker;
      return Pending;
    }
    this.drop();
    scope.pollJoined(context);
  }

  override drop(): void {
    if (this.waker !== null && this.#scope !== null) joinsOf(this.#scope).remove(this);
    this.waker = null;
    this.#scope = null;
  }
}

const FRESH = 0;
const BODY = 1;
const CHILDREN = 2;
const DONE = 3;

class Scoped<T> extends Future<T> {
  #make: ((scope: Scope) => Spawnable<T>) | null;
  #scope: Scope = new Scope();
  #body: Future<T> | null = null;
  /** A promise that was made already cannot be dropped: its end is waited for. */
  #isAsync = false;
  #value: T | Pending = Pending;
  #state = FRESH;

  constructor(make: (scope: Scope) => Spawnable<T>) {
    super();
    this.#make = make;
  }

  override describe(): string {
    return this.#body === null ? `a scope of ${this.#scope.size} tasks` : this.#body.describe();
  }

  override poll(context: Context): T | Pending {
    if (this.#state === DONE) throw consumed("a scope");
    try {
      if (this.#state === FRESH) this.#begin();
      if (this.#state === BODY) this.#pollBody(context);
      if (this.#state === BODY || this.#scope.pollJoined(context) === Pending) return Pending;
    } catch (error) {
      this.#state = DONE;
      throw error;
    }
    this.#state = DONE;
    return this.#value;
  }

  #begin(): void {
    const make = this.#make;
    this.#make = null;
    this.#state = BODY;
    if (make === null) return;
    try {
      const body = make(this.#scope);
      this.#isAsync = !(body instanceof Future) && "then" in body;
      this.#body = toFuture(body);
    } catch (error) {
      this.#scope.cancel(error);
      this.#state = CHILDREN;
    }
  }

  #pollBody(context: Context): void {
    const body = this.#body;
    if (body === null) return;
    try {
      if (this.#scope.pollFailure(context) !== null && !this.#isAsync) {
        this.#state = CHILDREN;
        this.#body = null;
        body.drop();
        return;
      }
      const value = body.poll(context);
      if (value === Pending) return;
      this.#value = value;
    } catch (error) {
      this.#scope.cancel(error);
    }
    this.#state = CHILDREN;
    this.#body = null;
  }

  override drop(): void {
    if (this.#state === DONE) return;
    this.#state = DONE;
    const body = this.#body;
    this.#body = null;
    try {
      body?.drop();
    } finally {
      this.#scope[Symbol.dispose]();
    }
  }
}

/**
 * Calls `body` with a scope of its own and waits for it and for all tasks that were spawned in the scope. Where the
 * body or a task fails the others are dropped, and that error is thrown. Dropping it drops them all; async functions
 * are only told.
 */
export function scope<T>(body: (scope: Scope) => Spawnable<T>): Future<T> {
  if (typeof body !== "function") throw new TypeError("cannot open a scope: body is no function");
  return new Scoped(body);
}
