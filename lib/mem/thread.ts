/**
 * Threads of this process by number, and whether they are there still: proc_pid_stat(5). The kernel gives a number
 * out again, so that a thread is known by its start as well.
 */
import { errno } from "../../ffi/errno.ts";
import { libc } from "../../ffi/libc.ts";
import { mman } from "../../ffi/mman.ts";
import { cString } from "../../ffi/pointer.ts";
import { check, SystemError } from "../../ffi/system_error.ts";

/** A thread, as long as the process runs. */
export interface Thread {
  readonly id: number;
  /** The lower 31 bits of when it began, in clock ticks. */
  readonly start: number;
}

const O_CLOEXEC = 0o2000000;
const ENOENT = 2;
const ESRCH = 3;
// Of the fields after the name in parentheses.
const STATE = 0;
const START = 19;

/**
 * When the thread began of which proc_pid_stat(5) has this line; undefined where it has ended: for a moment the kernel
 * lists it yet, as Z or X, and may have told of its end by then.
 */
export function startIn(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[STATE] === "Z" || fields[STATE] === "X") return undefined;
  return Number(BigInt.asUintN(31, BigInt(fields[START])));
}

/** When the thread began, or undefined where there is none. */
function startOf(id: number): number | undefined {
  const path = `/proc/self/task/${id}/stat`;
  const number = libc().open(cString(path), O_CLOEXEC, 0);
  if (number === -1) {
    const failure = errno();
    if (failure === ENOENT) return undefined;
    throw new SystemError(failure, "open", { path });
  }
  const bytes = new Uint8Array(1024);
  const count = Number(mman().pread(number, bytes, bytes.length, 0));
  const failure = errno();
  libc().close(number);
  if (count === -1) {
    if (failure === ESRCH) return undefined;
    throw new SystemError(failure, "pread", { path });
  }
  return startIn(new TextDecoder("latin1").decode(bytes.subarray(0, count)));
}

let current: Thread | undefined;

/** The one that calls. */
export function currentThread(): Thread {
  if (current !== undefined) return current;
  const path = "/proc/thread-self";
  const bytes = new Uint8Array(64);
  const count = check(Number(libc().readlink(path, bytes, bytes.length)), "readlink", { path });
  const id = Number(new TextDecoder("latin1").decode(bytes.subarray(0, count)).split("/").at(-1));
  const start = startOf(id);
  if (start === undefined) throw new Error(`cannot find thread ${id} in /proc/self/task`);
  return current = { id, start };
}

/** Whether the thread has not ended. */
export function isAlive({ id, start }: Thread): boolean {
  return startOf(id) === start;
}
