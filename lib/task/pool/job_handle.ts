import { requireNames } from "../../io/arguments.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../future.ts";
import { wakeSafely } from "../runtime/report.ts";
import { Progress } from "./progress.ts";

/** What a handle asks of the lane that has submitted its job. */
export interface HandleOwner {
  /** Somebody waits for one more of the lane's jobs, or for one less. */
  awaits(change: number): void;
  /** Somebody is about to wait: an end may be there already. */
  glance(): void;
  /** The job is wanted no more. */
  abandon(handle: JobHandle<unknown>, reason: unknown): void;
  /** Holds the thread until the handle's job has ended, or that time of `performance.now()` has come. */
  waitFor(handle: JobHandle<unknown>, until: number): void;
}

const PENDING = 0;
const DONE = 1;
const FAILED = 2;
const TAKEN = 3;

/** How `waitSync` waits. */
export interface WaitSyncOptions {
  /** In milliseconds: for ever where nothing is said. */
  timeout?: number;
}

/**
 * The end of a job, to be waited for once, in this thread: by `await`, by `yield*`, or by `waitSync`. Dropping it does
 * not cancel the job.
 */
export class JobHandle<R> extends Future<R> {
  readonly #owner: HandleOwner;
  #state = PENDING;
  #value: R | Pending = Pending;
  #error: unknown = undefined;
  #waker: Waker | null = null;
  #progress: Progress | null = null;
  /** The pool's own: called once at its end. */
  onEnd: (() => void) | null = null;
  /** The pool's own: called at each report. */
  onReport: ((value: unknown) => void) | null = null;
  /** The pool's own: what is done at its deadline, a time of `performance.now()`. */
  deadline: { readonly at: number; readonly pass: () => void } | null = null;
  /** The pool's own: -1 where the job has no slot, or none any more. */
  slot = -1;

  /** The pool's own. */
  constructor(owner: HandleOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether the job has ended, by whatever, or was cancelled. */
  get isFinished(): boolean {
    return this.#state !== PENDING;
  }

  override describe(): string {
    return "a job of a pool";
  }

  override poll(context: Context): R | Pending {
    if (this.#state === PENDING) this.#owner.glance();
    if (this.#state === PENDING) {
      if (this.#waker === null) this.#owner.awaits(1);
      else if (this.#waker !== context.waker) {
        throw new Error("cannot wait for a job: another task waits for it already; share it with shared()");
      }
      this.#waker = context.waker;
      return Pending;
    }
    return this.#take();
  }

  #take(): R {
    const state = this.#state;
    if (state === TAKEN) throw consumed("a job");
    this.#state = TAKEN;
    const value = this.#value;
    const error = this.#error;
    this.#value = Pending;
    this.#error = undefined;
    if (value === Pending) throw error;
    return value;
  }

  /** The job goes on, and what it comes to is not heard. */
  override drop(): void {
    this.#forgetWaker();
  }

  #forgetWaker(): Waker | null {
    const waker = this.#waker;
    this.#waker = null;
    if (waker !== null) this.#owner.awaits(-1);
    return waker;
  }

  /**
   * Ends the wait at once, with `reason`, an `AbortError` where nothing is said. A job that waits for a thread never
   * runs; one that runs is told by its `currentJob().signal`, and what it comes to is not heard. Does nothing once it
   * has ended.
   */
  cancel(reason: unknown = new DOMException("the job was cancelled", "AbortError")): void {
    if (this.#state !== PENDING) return;
    this.#owner.abandon(this, reason);
    this.fail(reason);
  }

  /**
   * Holds the thread until the job has ended, and gives what it came to. In a worker it runs other jobs meanwhile. Throws
   * a `DOMException` named `TimeoutError` where that takes longer than `timeout`; the job goes on then. Costs the thread
   * its turns: prefer `await` where there is anything else to do.
   */
  waitSync(options: WaitSyncOptions = {}): R {
    requireNames("cannot wait for a job", "options are", options, ["timeout"]);
    const { timeout = Infinity } = options;
    if (!(typeof timeout === "number" && timeout >= 0)) {
      throw new RangeError(`cannot wait for a job: timeout is ${timeout}, and no count of milliseconds`);
    }
    if (this.#waker !== null) {
      throw new Error("cannot wait for a job: a task waits for it already; share it with shared()");
    }
    if (this.#state === PENDING) this.#owner.waitFor(this, performance.now() + timeout);
    if (this.#state === PENDING) {
      throw new DOMException(`the job has not ended within ${timeout} ms`, "TimeoutError");
    }
    return this.#take();
  }

  /**
   * What the job reports by `currentJob().progress`, in order, until its end. It is kept from the first time that this is
   * asked for; before, it is not.
   */
  get progress(): AsyncIterable<unknown> {
    return this.#progress ??= new Progress(this.isFinished, (change) => this.#owner.awaits(change));
  }

  /** The pool's own: whether anybody wants its reports. */
  get hears(): boolean {
    return this.#progress !== null || this.onReport !== null;
  }

  /** The pool's own: the job has reported something. `read` is called once that was read, or where nobody reads. */
  reported(value: unknown, read: () => void): void {
    if (this.onReport !== null) {
      try {
        this.onReport(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (this.#progress === null) read();
    else this.#progress.push(value, read);
  }

  /** The pool's own: the job's end. The first counts. */
  settle(value: R): void {
    if (this.#state !== PENDING) return;
    this.#value = value;
    this.#end(DONE);
  }

  /** The pool's own: the job's failure, where it has not ended. */
  fail(error: unknown): void {
    if (this.#state !== PENDING) return;
    this.#error = error;
    this.#end(FAILED);
  }

  #end(state: number): void {
    this.#state = state;
    this.onEnd?.();
    this.onEnd = null;
    this.#progress?.end();
    const waker = this.#forgetWaker();
    if (waker !== null) wakeSafely(waker);
  }
}
