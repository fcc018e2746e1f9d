import type { Executor } from "./executor.ts";
import { type Context, Future, Pending, type Waker } from "./future.ts";

/**
 * A future that an executor owns, the leaf that wakes and is woken. It is its own waker and its own context,
 * and its place in the run queue is a field, so that waking and polling allocate nothing.
 */
export class Task<T> implements Waker, Context {
  /** The next in the run queue; the executor's alone. */
  next: Task<unknown> | null = null;
  /** Its neighbours among the living; the executor's alone. */
  before: Task<unknown> | null = null;
  after: Task<unknown> | null = null;
  #executor: Executor;
  #future: Future<T> | null;
  #queued = false;
  #hasTurn = false;
  /** Why it was aborted in a turn of its own, which goes on up to where it would wait. */
  #abortion: { reason: unknown } | null = null;
  #result: { value: T } | { error: unknown } | null = null;
  #joiner: Waker | null = null;

  constructor(executor: Executor, future: Future<T>) {
    this.#executor = executor;
    this.#future = future;
  }

  get waker(): Waker {
    return this;
  }

  get isFinished(): boolean {
    return this.#result !== null;
  }

  /** Unparks: queued once, however often it is woken before its turn. */
  wake(): void {
    if (this.#queued || this.#future === null) return;
    this.#queued = true;
    this.#executor.push(this);
  }

  /** One turn, given by the executor. */
  run(): void {
    this.#queued = false;
    const future = this.#future;
    if (future === null) return;
    this.#hasTurn = true;
    try {
      const value = future.poll(this);
      if (value !== Pending) this.#finish({ value });
    } catch (error) {
      this.#finish({ error });
    }
    this.#hasTurn = false;
    if (this.#abortion !== null) this.abort(this.#abortion.reason);
  }

  /**
   * Drops the future where it stands; the handle fails with `reason`, or with what a `finally` block threw.
   * Does nothing once it has finished.
   */
  abort(reason: unknown): void {
    const future = this.#future;
    if (future === null) return;
    if (this.#hasTurn) {
      this.#abortion ??= { reason };
      return;
    }
    this.#future = null;
    try {
      future.drop();
      this.#finish({ error: reason });
    } catch (error) {
      this.#finish({ error });
    }
  }

  #finish(result: { value: T } | { error: unknown }): void {
    this.#future = null;
    this.#result = result;
    this.#executor.finished(this);
    this.#joiner?.wake();
    this.#joiner = null;
  }

  /** The result, or the waker kept for it. */
  join(waker: Waker): T | Pending {
    if (this.#result === null) {
      if (this.#joiner !== null && this.#joiner !== waker) {
        throw new Error("cannot wait for a task: another task waits for it already");
      }
      this.#joiner = waker;
      return Pending;
    }
    if ("error" in this.#result) throw this.#result.error;
    return this.#result.value;
  }

  /** Wakes nobody at the end. */
  unjoin(): void {
    this.#joiner = null;
  }
}

/** The end of a spawned task, to be waited for. Dropping it does not abort the task. */
export class JoinHandle<T> extends Future<T> {
  #task: Task<T>;

  constructor(task: Task<T>) {
    super();
    this.#task = task;
  }

  /** The task's value; throws what the task threw, or an `AbortError` where it was aborted. */
  override poll(context: Context): T | Pending {
    return this.#task.join(context.waker);
  }

  override drop(): void {
    this.#task.unjoin();
  }

  get isFinished(): boolean {
    return this.#task.isFinished;
  }

  /**
   * Drops the task where it stands, its `finally` blocks run. A task that aborts itself ends where it would
   * wait next. Does nothing once it has finished.
   */
  abort(reason: unknown = new DOMException("the task was aborted", "AbortError")): void {
    this.#task.abort(reason);
  }
}
