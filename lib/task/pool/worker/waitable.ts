import type { Spawnable } from "../../futures/to_future.ts";

/** Whether it is to be waited for, as what a job gives: a future, a coroutine or a promise. */
export function isWaitable(value: unknown): value is Spawnable<unknown> {
  if (typeof value !== "object" || value === null) return false;
  if ("then" in value) return typeof value.then === "function";
  return "next" in value && "throw" in value && "return" in value && Symbol.iterator in value;
}
