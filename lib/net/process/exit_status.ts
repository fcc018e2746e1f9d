import type { ExitStatus as Ended } from "../../io/pid_fd.ts";
import type { Signal } from "../../io/signals.ts";

/** How a child ended. */
export interface ExitStatus {
  /** Whether it ended by itself, with code 0. */
  readonly success: boolean;
  /** What it gave to exit(3), or returned from `main`: 0 to 255. Not there where a signal ended it. */
  readonly code?: number;
  /** The signal that ended it. */
  readonly signal?: Signal;
  /** Whether the signal had it write a core file. */
  readonly dumpedCore?: boolean;
}

/** waitid(2)'s word, and whether it is a good one. */
export function exitStatusOf(ended: Ended): ExitStatus {
  return { success: ended.code === 0, ...ended };
}
