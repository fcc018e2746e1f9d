/** The memory of watched signals: a state, a table of watchers, what is known of each signal. */

/** The kernel's `struct sigaction`. */
const ACTION_BYTES = 32;

/** How many may watch at once in the process. */
export const WATCHERS = 256;
const SIGNALS = 65;

/** The state: what is at which byte. */
export const STATE = {
  lock: 0,
  /** How many handlers run. */
  inside: 4,
  /** What is written to an eventfd. */
  one: 8,
  own: 64,
} as const;

/** A watcher: what is at which byte. Free where its signal is 0. */
export const WATCHER = { signal: 0, fd: 4 } as const;
export const WATCHER_SHIFT = 3;

/** A signal: who had it before us, how many watch it, whether who had it is still told, on which thread just now. */
export const SIGNAL = {
  old: 0,
  users: ACTION_BYTES,
  chains: ACTION_BYTES + 4,
  telling: ACTION_BYTES + 8,
} as const;
export const SIGNAL_SHIFT = 6;

/** The symbols of the memory. */
export const NAMES = {
  state: "signal_state",
  watchers: "signal_watchers",
  signals: "signal_signals",
} as const;
/** The memory's bytes, by symbol. */
export const MEMORY: Readonly<Record<string, number>> = {
  [NAMES.state]: 128,
  [NAMES.watchers]: WATCHERS << WATCHER_SHIFT,
  [NAMES.signals]: SIGNALS << SIGNAL_SHIFT,
};
