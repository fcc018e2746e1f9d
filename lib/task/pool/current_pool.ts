import type { Lane } from "./lane.ts";
import { Submitter } from "./submitter.ts";

let current: Submitter | undefined;

/** A worker's own. */
export function setCurrentPool(lane: Lane): void {
  current = new Submitter(lane);
}

/**
 * The pool whose worker this thread is, for jobs that submit others: what they wait for goes by other workers, or, by
 * `waitSync`, by this one. Undefined in any other thread.
 */
export function currentPool(): Submitter | undefined {
  return current;
}
