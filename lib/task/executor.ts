import type { Future } from "./future.ts";
import { JoinHandle, Task } from "./task.ts";

/** The run queue of one thread: first woken, first polled. */
export class Executor {
  #head: Task<unknown> | null = null;
  #tail: Task<unknown> | null = null;
  /** Every task that has not finished, linked both ways, so that all can be dropped. */
  #living: Task<unknown> | null = null;
  #live = 0;

  /** Whether no task waits for its turn. */
  get isIdle(): boolean {
    return this.#head === null;
  }

  /** How many tasks have not finished. */
  get live(): number {
    return this.#live;
  }

  /** Makes the future a task, polled for the first time in its turn. */
  spawn<T>(future: Future<T>): JoinHandle<T> {
    const task = new Task(this, future);
    task.after = this.#living;
    if (this.#living !== null) this.#living.before = task;
    this.#living = task;
    this.#live++;
    task.wake();
    return new JoinHandle(task);
  }

  /** A task's own: queues it. */
  push(task: Task<unknown>): void {
    task.next = null;
    if (this.#tail === null) this.#head = task;
    else this.#tail.next = task;
    this.#tail = task;
  }

  /** A task's own: it has ended. */
  finished(task: Task<unknown>): void {
    const { before, after } = task;
    if (before === null) this.#living = after;
    else before.after = after;
    if (after !== null) after.before = before;
    this.#live--;
  }

  /** Drops every task where it stands, and those that dropping spawns; their handles fail with `reason`. */
  abortAll(reason: unknown): void {
    while (this.#living !== null) this.#living.abort(reason);
  }

  /** Polls up to `budget` tasks, so that the reactor is asked between bursts. Returns how many. */
  run(budget: number): number {
    for (let polled = 0; polled < budget; polled++) {
      const task = this.#head;
      if (task === null) return polled;
      this.#head = task.next;
      if (this.#head === null) this.#tail = null;
      task.run();
    }
    return budget;
  }
}
