import { turn } from "./runtime/turn.ts";
import { OwnedTask } from "./task.ts";

/** A task, as those see it that it polls. It is no future: an async function may return it. */
export class Task {
  #task: OwnedTask<unknown>;

  private constructor(task: OwnedTask<unknown>) {
    if (!(task instanceof OwnedTask)) throw new TypeError("cannot make a Task: call Task.current");
    this.#task = task;
  }

  /**
   * The task that has its turn. In an async function that is so up to its first `await`; further where
   * `asyncContext` was asked for. Throws where there is none.
   */
  static current(): Task {
    return new Task(currentTask());
  }

  /** The current task's signal, which is aborted when the task is. */
  static signal(): AbortSignal {
    return currentTask().signal;
  }

  /** Unique in its runtime, counted from 1. */
  get id(): number {
    return this.#task.id;
  }

  /** What it was named, or the empty string. */
  get name(): string {
    return this.#task.name;
  }

  /** How often it was polled. */
  get polls(): number {
    return this.#task.polls;
  }

  get isFinished(): boolean {
    return this.#task.isFinished;
  }

  /** Aborted when the task is. */
  get signal(): AbortSignal {
    return this.#task.signal;
  }

  /** Unparks it: it is polled again in its turn. tokio 0.1's `notify`. */
  wake(): void {
    this.#task.wake();
  }

  /** As the handle's. */
  abort(reason?: unknown): void {
    this.#task.abort(reason);
  }
}

function currentTask(): OwnedTask<unknown> {
  const task = turn.task ?? turn.ofAsync?.getStore();
  if (task === undefined) throw new Error("cannot tell the current task: no task has its turn");
  return task;
}
