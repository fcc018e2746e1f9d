import { requireFlag, requireNames, shown } from "../io/arguments.ts";
import type { OpenOptions } from "../io/fd.ts";

/** How a file is opened: open(2). Reading is the default where nothing is said. */
export interface FileOptions extends OpenOptions {
  /** Each write goes to the end of the file; asks for `write`. */
  append?: boolean;
  /** Makes the file, and fails with `EEXIST` where there is one; asks for `write`. */
  createNew?: boolean;
  /** Fails with the signal's reason once it is aborted. */
  signal?: AbortSignal;
}

const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const O_CLOEXEC = 0o2000000;

const NAMES: readonly string[] = [
  "read",
  "write",
  "append",
  "create",
  "createNew",
  "truncate",
  "mode",
  "signal",
] satisfies (keyof FileOptions)[];

/** Throws for what are no permissions of a file. */
export function requireMode(what: string, mode: number): void {
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return;
  throw new RangeError(`${what}: mode is ${shown(mode)}, and no permissions from 0 to 0o7777`);
}

/** What open(2) is told, and what for. */
export interface Opening {
  readonly flags: number;
  readonly mode: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** Throws a `TypeError` or `RangeError` for options that contradict each other. */
export function openingOf(what: string, options: FileOptions): Opening {
  requireNames(what, "options are", options, NAMES);
  const { read: asked, write, append, create, createNew, truncate, mode = 0o666 } = options;
  for (const [name, value] of Object.entries({ read: asked, write, append, create, createNew, truncate })) {
    requireFlag(what, name, value);
  }
  requireMode(what, mode);
  const writes = write === true;
  const reads = asked ?? !writes;
  const [needs] = Object.entries({ append, create, createNew, truncate }).find(([, on]) => on === true) ?? [];
  if (needs !== undefined && !writes) throw new TypeError(`${what}: ${needs} asks for write`);
  if (!reads && !writes) throw new TypeError(`${what}: neither read nor write is asked for`);
  const access = writes ? (reads ? O_RDWR : O_WRONLY) : 0;
  const flags = access | (append ? O_APPEND : 0) | (create ? O_CREAT : 0) |
    (createNew ? O_CREAT | O_EXCL : 0) |
    (truncate ? O_TRUNC : 0) | O_CLOEXEC;
  return { flags, mode, reads, writes };
}
