import { BUDGET, coop } from "./coop.ts";
import type { Executor } from "./executor.ts";
import { type Context, type Future, Pending, polling, type Waker } from "./future.ts";
import { type Living, type Runnable, turn } from "./task.ts";

/** A future that a promise waits for: polled like a task, and told to the promise's two functions. */
export class Delivery<T> implements Runnable, Living, Waker, Context {
  #executor: Executor;
  #future: Future<T> | null;
  #resolve: (value: T) => void;
  #reject: (reason: unknown) => void;
  #settled: () => void;
  #key = -1;
  #queued = false;
  /** The task that awaits it, as far as that is known; 0 otherwise. */
  readonly awaiter: number = (turn.task ?? turn.ofAsync?.getStore())?.id ?? 0;

  constructor(
    executor: Executor,
    future: Future<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
    settled: () => void,
  ) {
    this.#executor = executor;
    this.#future = future;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#settled = settled;
  }

  /** What is awaited, as that says itself. */
  get waitsFor(): string {
    return this.#future === null ? "" : this.#future.describe();
  }

  get waker(): Waker {
    return this;
  }

  wake(): void {
    if (this.#queued || this.#future === null) return;
    this.#queued = true;
    this.#executor.push(this);
  }

  run(): void {
    this.#queued = false;
    const future = this.#future;
    if (future === null) return;
    const { task } = turn;
    const { context } = polling;
    turn.task = null;
    polling.context = this;
    coop.left = BUDGET;
    try {
      const value = future.poll(this);
      if (value !== Pending) {
        this.#end();
        this.#resolve(value);
      } else if (this.#key === -1) this.#key = this.#executor.keep(this);
    } catch (error) {
      this.#end();
      this.#reject(error);
    }
    turn.task = task;
    polling.context = context;
  }

  /** The runtime ends: what is awaited is dropped, and the promise rejected, so that its function goes on. */
  abort(reason: unknown): void {
    const future = this.#future;
    if (future === null) return;
    this.#end();
    try {
      future.drop();
      this.#reject(reason);
    } catch (error) {
      this.#reject(error);
    }
  }

  #end(): void {
    this.#future = null;
    if (this.#key !== -1) this.#executor.ended(this.#key);
    this.#settled();
  }
}
