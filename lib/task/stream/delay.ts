import { coop } from "../runtime/coop.ts";
import { type Context, Pending } from "../future.ts";
import type { SleepFuture } from "../time/sleep.ts";

/** Whether its time has come: also beside a source that spends the whole budget at each of its polls. */
export function isOver(delay: SleepFuture, context: Context): boolean {
  const lends = coop.left === 0;
  if (lends) coop.left = 1;
  const isOver = delay.poll(context) !== Pending;
  if (lends) coop.left = 0;
  return isOver;
}
