import { shown } from "./arguments.ts";

/** signal(7): the standard signals of x86-64 and arm64, from number 1 on. */
const NAMES = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
] as const;

/** A standard signal's name: signal(7). */
export type StandardSignal = typeof NAMES[number];

/** A standard signal by its name, or a realtime signal by its number, 34 to 64. */
export type Signal = StandardSignal | number;

const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/** The number of a signal. Throws a `TypeError` or `RangeError` for what is none. */
export function signalNumber(what: string, signal: Signal): number {
  if (typeof signal !== "number") {
    const index = NAMES.indexOf(signal);
    if (index === -1) throw new TypeError(`${what}: signal is ${shown(signal)}, the name of none`);
    return index + 1;
  }
  if (Number.isInteger(signal) && signal >= FIRST_REALTIME && signal <= LAST_REALTIME) return signal;
  throw new RangeError(
    `${what}: signal is ${signal}, not the number of a realtime signal, ${FIRST_REALTIME} to ${LAST_REALTIME}; ` +
      "the others go by their names",
  );
}

/** The signal of a number. */
export function signalOf(number: number): Signal {
  return NAMES[number - 1] ?? number;
}
