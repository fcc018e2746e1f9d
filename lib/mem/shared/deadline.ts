/** How long a call may wait. */
export interface WaitOptions {
  /** In milliseconds: for ever where nothing is said, and not at all where it is 0. */
  timeout?: number;
}

/** The deadline of what waits for nobody, and throws nothing for it. */
export const NEVER = 0;

/** When the wait is over, on `performance.now()`'s clock. Throws a `RangeError` for what is no length of time. */
export function deadlineOf(what: string, options: WaitOptions | undefined): number {
  const timeout = options?.timeout;
  if (timeout === undefined) return Infinity;
  if (typeof timeout !== "number" || !(timeout >= 0)) {
    throw new RangeError(`cannot ${what}: timeout is ${timeout}, not a count of milliseconds`);
  }
  return performance.now() + timeout;
}

/** Milliseconds that are left; below 0 where the time was up. */
export function timeLeft(deadline: number): number {
  return deadline === Infinity ? Infinity : deadline - performance.now();
}

/** What a wait throws that was too long. */
export function timeoutError(what: string): DOMException {
  return new DOMException(`cannot ${what}: the time was up`, "TimeoutError");
}
