/** Sleeping on a word of shared memory: futex(2), through libc's `syscall`. */
import { errno } from "../../../ffi/errno.ts";
import { word } from "../../../ffi/host.ts";
import { NULL, pointerTo } from "../../../ffi/pointer.ts";
import { SystemError } from "../../../ffi/system_error.ts";
import type { Pointer } from "../../../ffi/types.ts";
import { dlopenQuietly } from "../../../ffi/dlopen.ts";
import { LIBC } from "../../../ffi/soname.ts";
import type { NativeFunctions, SymbolTable, Word } from "../../../ffi/types.ts";

const table = {
  // unistd.h. The arguments that FUTEX_WAIT and FUTEX_WAKE do not look at are left out.
  syscall: {
    parameters: [
      /* long number */ "i64",
      /* uint32_t *uaddr */ "pointer!",
      /* int futex_op */ "i32",
      /* uint32_t val */ "i32",
      /* const struct timespec *timeout */ "pointer",
    ],
    result: "i32",
    variadic: 1,
    unchecked: true,
  },
} as const satisfies SymbolTable;

const SYS_futex: Word = word(202);
/** Without FUTEX_PRIVATE_FLAG: other processes map the same word elsewhere. */
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const EINTR = 4;
const EAGAIN = 11;
const ETIMEDOUT = 110;
/** Of a second. */
const NANOSECONDS = 1_000_000_000n;
const EVERYBODY = 0x7fffffff;

/**
 * How long a sleep lasts at most before what it waits for is looked at again. A process that is killed may have
 * changed a word and not woken who sleeps on it, so nobody relies on being woken.
 */
export const HEARTBEAT_MS = 100;

let symbols: NativeFunctions<typeof table> | undefined;

/** tv_sec and tv_nsec, at an address that is asked for once. */
const interval = new BigInt64Array(2);
let intervalAt: Pointer | undefined;

function libc(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

/**
 * Sleeps while the word at `pointer` is `expected`, for at most `ms` and never longer than the heartbeat. May end
 * early for no reason.
 */
export function futexWait(pointer: Pointer, expected: number, ms: number): void {
  if (!(ms > 0)) return;
  sleep(pointer, expected, Math.min(ms, HEARTBEAT_MS));
}

/** As much as an interval may be: 31 years. */
const LONGEST_MS = 1e12;

function sleep(pointer: Pointer, expected: number, ms: number): void {
  let timeout = NULL;
  if (ms < LONGEST_MS) {
    // Rounded up, so that no wait ends before its time.
    const nanoseconds = BigInt(Math.ceil(ms * 1e6));
    interval[0] = nanoseconds / NANOSECONDS;
    interval[1] = nanoseconds % NANOSECONDS;
    timeout = intervalAt ??= pointerTo(interval);
  }
  if (libc().syscall(SYS_futex, pointer, FUTEX_WAIT, expected, timeout) === 0) return;
  const failure = errno();
  if (failure !== EAGAIN && failure !== ETIMEDOUT && failure !== EINTR) {
    throw new SystemError(failure, "futex");
  }
}

/**
 * As `futexWait`, but sleeps for all of `ms`, without end where that is `Infinity`: for who is sure to be woken, or has
 * somebody who looks after it.
 */
export function futexSleep(pointer: Pointer, expected: number, ms: number): void {
  if (!(ms > 0)) return;
  sleep(pointer, expected, ms);
}

/** Wakes up to `count` of those who sleep on the word at `pointer`; all where nothing is said. */
export function futexWake(pointer: Pointer, count: number = EVERYBODY): void {
  if (libc().syscall(SYS_futex, pointer, FUTEX_WAKE, count, NULL) === -1) {
    throw new SystemError(errno(), "futex");
  }
}
