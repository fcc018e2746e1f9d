import { BUDGET, coop } from "./coop.ts";
import { type Context, type Future, Pending, polling, type Waker } from "../futures/future.ts";
import type { Runtime } from "./runtime.ts";
import type { Living, Runnable } from "../task.ts";
import { turn } from "./turn.ts";

/** A future that a promise waits for: polled like a task, and told to the promise. */
export abstract class Delivery<T> implements Runnable, Living, Waker, Context {
  #runtime: Runtime;
  #future: Future<T> | null;
  #key = -1;
  #queued = false;
  /** The task that awaits it, as far as that is known; 0 otherwise. */
  readonly awaiter: number;

  constructor(runtime: Runtime, future: Future<T>) {
    this.#runtime = runtime;
    this.#future = future;
    const task = turn.task ?? turn.ofAsync?.getStore();
    this.awaiter = task === undefined ? 0 : task.id;
  }

  /** The value is there. */
  protected abstract deliver(value: T): void;

  /** The future has failed. */
  protected abstract fail(error: unknown): void;

  /** Whether the promise was told. */
  get isOver(): boolean {
    return this.#future === null;
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
    this.#runtime.executor.push(this);
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
        this.deliver(value);
      } else if (this.#key === -1) this.#key = this.#runtime.executor.keep(this);
    } catch (error) {
      this.#end();
      this.fail(error);
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
      this.fail(reason);
    } catch (error) {
      this.fail(error);
    }
  }

  #end(): void {
    this.#future = null;
    if (this.#key !== -1) this.#runtime.executor.ended(this.#key);
    this.#runtime.hasReactions = true;
  }
}

/** A future as a promise. */
export class PromiseDelivery<T> extends Delivery<T> {
  #resolve: (value: T) => void;
  #reject: (reason: unknown) => void;

  constructor(
    runtime: Runtime,
    future: Future<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    super(runtime, future);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override deliver(value: T): void {
    this.#resolve(value);
  }

  protected override fail(error: unknown): void {
    this.#reject(error);
  }
}
