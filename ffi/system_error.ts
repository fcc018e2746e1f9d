/** What becomes of a failed libc call: the one place where errno is translated. */
import { errno } from "./errno.ts";
import { ERRNO } from "./errno_names.ts";

/** What a call was about, for its error. */
export interface SyscallContext {
  readonly path?: string;
  /** The second path or address of a call that has two. */
  readonly dest?: string;
  /** What to do about it, in a sentence without a full stop. */
  readonly hint?: string;
}

/** A call into libc that failed, as errno(3) tells it. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** The name of the number: `"ENOENT"`. */
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  declare readonly path?: string;
  declare readonly dest?: string;

  /** `errno` is the positive number. */
  constructor(errno: number, syscall: string, context: SyscallContext = {}) {
    const [code, message] = ERRNO[errno] ?? [`E${errno}`, "unknown error"];
    const { path, dest, hint } = context;
    const on = path === undefined ? "" : ` ${path}`;
    const to = dest === undefined ? "" : ` to ${dest}`;
    super(`${syscall}${on}${to} failed: ${message} (${code})${hint === undefined ? "" : `; ${hint}`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
    if (dest !== undefined) this.dest = dest;
  }
}

/** The result of a libc call, or a `SystemError` where it is -1. */
export function check(result: number, syscall: string, context?: SyscallContext): number {
  if (result === -1) throw new SystemError(errno(), syscall, context);
  return result;
}
