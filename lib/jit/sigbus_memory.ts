/** The memory of the SIGBUS guard: a state, a table of ranges, a count of faults for each. */

/** As many as the kernel gives maps to a process, by its default. */
export const RANGES = 65_536;

/** The state: what is at which byte. */
export const STATE = {
  lock: 0,
  installed: 4,
  /** How many handlers run. */
  inside: 8,
  /** How many ranges were ever used. */
  used: 16,
  /** The range to use next, by its index plus 1, of those that were released; each has the one after it. */
  free: 24,
  /** What has the signal where we do not want it, what we install, and SIG_DFL. */
  old: 64,
  own: 128,
  fallback: 192,
} as const;

/** A range: what is at which byte. Free where its end is 0. */
export const RANGE = { version: 0, protection: 4, start: 8, end: 16, next: 24 } as const;
export const RANGE_SHIFT = 5;

/** The symbols of the memory. */
export const NAMES = { state: "sigbus_state", ranges: "sigbus_ranges", faults: "sigbus_faults" } as const;
/** The memory's bytes, by symbol. */
export const MEMORY: Readonly<Record<string, number>> = {
  [NAMES.state]: 256,
  [NAMES.ranges]: RANGES << RANGE_SHIFT,
  [NAMES.faults]: RANGES * 4,
};
