import type { AsyncLocalStorage } from "node:async_hooks";
import type { OwnedTask } from "../task.ts";

/** The task that is polled now, and whose an async function is, where the host was asked to carry that. */
export const turn: {
  task: OwnedTask<unknown> | null;
  /** How many tasks have their turn in another one's. */
  depth: number;
  ofAsync: AsyncLocalStorage<OwnedTask<unknown>> | null;
} = { task: null, depth: 0, ofAsync: null };
