/** The memory of the SIGBUS guard: a state, a table of ranges, a count of faults for each. */

/** As many as the kernel gives maps to a process, by its default. */
export const RANGES = 65_536;

/** The state: what is at which byte. */
export const STATE = {
  lock: 0,
  /** Whether it was ever installed. */
  installed: 4,
  /** How many handlers run. */
  inside: 8,
  /** Who puts a page in. */
  filling: 12,
  /** How many ranges were ever used. */
  used: 16,
  /** The range to use next, by its index plus 1, of those that were released; each has the one after it. */
  free: 24,
  /**
   * Who has the signal where we do not want it: before us when the handler was installed last, and when it was first.
   * Then what we install, SIG_DFL, and what is there now.
   */
  old: 64,
  first: 96,
  own: 128,
  fallback: 160,
  current: 192,
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
