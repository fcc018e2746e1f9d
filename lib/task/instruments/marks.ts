import { OwnedTask, type Runnable } from "../task.ts";
import { titleOf } from "./title.ts";

/** Tells each turn to whoever observes the host's performance entries, by its task's name. */
export function markTurn(runnable: Runnable, start: number, end: number): void {
  const detail = runnable instanceof OwnedTask
    ? { task: runnable.id, poll: runnable.polls, isFinished: runnable.isFinished }
    : null;
  performance.measure(titleOf(runnable), { start, end, detail });
}
