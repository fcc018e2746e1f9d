import { report } from "./report.ts";
import type { OwnedTask } from "../task.ts";

/**
 * The errors of tasks that nobody has waited for. One is reported as the host reports a promise that is
 * rejected and not handled, once it is sure that nobody will see it: when the task's handle is collected, or its
 * runtime ends.
 */
export class UnseenFailures {
  /** By the tasks' ids. */
  #errors: Map<number, unknown> = new Map();
  #handles: FinalizationRegistry<number> = new FinalizationRegistry((id) => this.#report(id));

  /** A task has failed, and nobody waits for it so far. */
  add(task: OwnedTask<unknown>, error: unknown): void {
    // V8 keeps the frames, and by them the task, until the stack is asked for as text.
    if (error instanceof Error) String(error.stack);
    this.#errors.set(task.id, error);
    this.#handles.register(task, task.id, task);
  }

  /** Somebody has seen it after all. */
  seen(task: OwnedTask<unknown>): void {
    if (this.#errors.delete(task.id)) this.#handles.unregister(task);
  }

  /** Reports all that nobody has seen: their runtime ends. */
  report(): void {
    for (const id of this.#errors.keys()) this.#report(id);
  }

  #report(id: number): void {
    if (!this.#errors.has(id)) return;
    report(this.#errors.get(id));
    this.#errors.delete(id);
  }
}
