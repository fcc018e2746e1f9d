import type { Lane } from "./lane.ts";

let current: Lane | undefined;

/** A worker's own: which lane its thread has. */
export function setCurrentLane(lane: Lane): void {
  current = lane;
}

/** The lane of the worker that this thread is. */
export function currentLane(): Lane | undefined {
  return current;
}
