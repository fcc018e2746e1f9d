import { BUDGET, coop } from "../../../lib/task/runtime/coop.ts";
import { type Future, Pending } from "../../../lib/task/future.ts";
import { Probe } from "../probe.ts";

/** The value of a future that is there at the first poll. */
export function ready<T>(future: Future<T>): T {
  coop.left = BUDGET;
  const value = new Probe().poll(future);
  if (value === Pending) throw new Error("the future is not ready");
  return value;
}

/** A probe that waits for the future already. */
export function waiting(future: Future<unknown>): Probe {
  coop.left = BUDGET;
  const probe = new Probe();
  if (!probe.isPending(future)) throw new Error("the future does not wait");
  return probe;
}
