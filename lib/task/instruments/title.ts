import { OwnedTask, type Runnable } from "../task.ts";

/** What a task is called; else it is a promise that a future is awaited by. */
export function titleOf(runnable: Runnable): string {
  return runnable instanceof OwnedTask ? runnable.title : "await";
}
