import type { Context } from "../future.ts";

/** Operations that a task may do in one poll before it gives way: tokio's number. */
export const BUDGET = 128;

/**
 * What is left of the polled task's budget: the executor fills it before each poll, and what makes progress
 * (a message taken, bytes read, a permit) takes one. So a task whose channel is never empty gives way too.
 */
export const coop: { left: number; yields: number } = { left: BUDGET, yields: 0 };

/**
 * Whether the task may make progress: to be asked by a leaf future before it does. Where the budget is spent,
 * the task is woken for its next turn, and the leaf gives `Pending`.
 */
export function proceed(context: Context): boolean {
  if (coop.left > 0) return true;
  coop.yields++;
  context.waker.wake();
  return false;
}
