import { currentLane } from "./current_lane.ts";
import { Submitter } from "./submitter.ts";

let current: Submitter | undefined;

/**
 * The pool whose worker this thread is, for jobs that submit others: what they wait for goes by other workers, or, by
 * `waitSync`, by this one. Undefined in any other thread.
 */
export function currentPool(): Submitter | undefined {
  if (current !== undefined) return current;
  const lane = currentLane();
  return lane === undefined ? undefined : current = new Submitter(lane);
}
