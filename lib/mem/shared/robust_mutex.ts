/**
 * pthread's own mutex in shared memory: process-shared, robust and error-checking. The kernel walks each thread's
 * list of those it holds when the thread ends, however it ends, and tells the next owner.
 *
 * Source: pthread_mutexattr_setrobust(3), pthread_mutex_clocklock(3).
 */
import { type Pointer, SystemError } from "../../../ffi/mod.ts";
import { dlopenQuietly } from "../../../ffi/dlopen.ts";
import { LIBC } from "../../../ffi/soname.ts";
import type { NativeFunctions, SymbolTable } from "../../../ffi/types.ts";
import { timeLeft, timeoutError } from "./deadline.ts";
import { futexWake } from "./futex.ts";

const table = {
  // pthread.h
  pthread_mutexattr_init: { parameters: [/* pthread_mutexattr_t *attr */ "buffer!"], result: "i32" },
  pthread_mutexattr_setpshared: {
    parameters: [/* pthread_mutexattr_t *attr */ "buffer!", /* int pshared */ "i32"],
    result: "i32",
  },
  pthread_mutexattr_setrobust: {
    parameters: [/* pthread_mutexattr_t *attr */ "buffer!", /* int robustness */ "i32"],
    result: "i32",
  },
  pthread_mutexattr_settype: {
    parameters: [/* pthread_mutexattr_t *attr */ "buffer!", /* int type */ "i32"],
    result: "i32",
  },
  pthread_mutex_init: {
    parameters: [/* pthread_mutex_t *mutex */ "pointer!", /* const pthread_mutexattr_t *attr */ "buffer!"],
    result: "i32",
  },
  pthread_mutex_lock: {
    parameters: [/* pthread_mutex_t *mutex */ "pointer!"],
    result: "i32",
    unchecked: true,
  },
  pthread_mutex_trylock: {
    parameters: [/* pthread_mutex_t *mutex */ "pointer!"],
    result: "i32",
    unchecked: true,
  },
  pthread_mutex_clocklock: {
    parameters: [
      /* pthread_mutex_t *mutex */ "pointer!",
      /* clockid_t clockid */ "i32",
      /* const struct timespec *abstime */ "buffer!",
    ],
    result: "i32",
  },
  pthread_mutex_consistent: { parameters: [/* pthread_mutex_t *mutex */ "pointer!"], result: "i32" },
  pthread_mutex_unlock: {
    parameters: [/* pthread_mutex_t *mutex */ "pointer!"],
    result: "i32",
    unchecked: true,
  },

  // unistd.h
  gettid: { parameters: [], result: "i32" },

  // time.h
  clock_gettime: {
    parameters: [/* clockid_t clockid */ "i32", /* struct timespec *tp */ "buffer!"],
    result: "i32",
  },
} as const satisfies SymbolTable;

const PTHREAD_PROCESS_SHARED = 1;
const PTHREAD_MUTEX_ROBUST = 1;
const PTHREAD_MUTEX_ERRORCHECK = 2;
const CLOCK_MONOTONIC = 1;
const ETIMEDOUT = 110;
const ENOTRECOVERABLE = 131;
/** This thread does not hold the mutex. */
export const EPERM = 1;
/** This thread holds the mutex already. */
export const EDEADLK = 35;
/** Another thread holds the mutex. */
export const EBUSY = 16;
/** The mutex is this thread's, and the thread that held it before has ended. */
export const EOWNERDEAD = 130;
/** futex(2)'s bits of a robust mutex's word. */
const FUTEX_OWNER_DIED = 0x40000000;
const FUTEX_TID_MASK = 0x3fffffff;
/** Where pthread_mutex_t has what kind of mutex it is, in words, and what that is of a robust, shared, checking one. */
const KIND = 4;
const KIND_OF_OURS = 0x92;
/** Of pthread_mutex_t: 40 on x86-64, 48 on arm64. */
export const MUTEX_BYTES = 48;

const HINTS: Readonly<Record<number, string>> = {
  [EDEADLK]: "this thread holds the mutex already, and it cannot be locked twice",
  [EPERM]: "this thread does not hold the mutex",
  [ENOTRECOVERABLE]:
    "an owner died, and the next one unlocked without markConsistent(); what it guards is to be made anew",
};

let symbols: NativeFunctions<typeof table> | undefined;

/** The calls of each locking: out of their table, where V8 looks them up by name each time. */
interface Calls {
  readonly lock: (mutex: Pointer) => number;
  readonly trylock: (mutex: Pointer) => number;
  readonly unlock: (mutex: Pointer) => number;
}

let calls: Calls | undefined;

function pthread(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

/** pthread_mutex_lock(3) and the like, as they are. */
export function mutexCalls(): Calls {
  return calls ??= {
    lock: pthread().pthread_mutex_lock,
    trylock: pthread().pthread_mutex_trylock,
    unlock: pthread().pthread_mutex_unlock,
  };
}

/** The error for what a function of pthread has returned. */
export function mutexError(code: number, call: string): SystemError {
  return new SystemError(code, call, { hint: HINTS[code] });
}

function succeed(code: number, call: string): void {
  if (code !== 0) throw mutexError(code, call);
}

/** Throws where this thread holds a mutex there: its list of those that it holds leads through it. */
export function requireFree(what: string, words: Int32Array<ArrayBuffer>, index: number): void {
  const isMine = (Atomics.load(words, index) & FUTEX_TID_MASK) === pthread().gettid();
  if (isMine && words[index + KIND] === KIND_OF_OURS) {
    throw new Error(`cannot create a ${what}: this thread holds one there; unlock it, or dispose its ring`);
  }
}

/** Makes a mutex of zeros. */
export function initMutex(mutex: Pointer): void {
  const library = pthread();
  const attributes = new Uint8Array(64);
  succeed(library.pthread_mutexattr_init(attributes), "pthread_mutexattr_init");
  succeed(
    library.pthread_mutexattr_setpshared(attributes, PTHREAD_PROCESS_SHARED),
    "pthread_mutexattr_setpshared",
  );
  succeed(
    library.pthread_mutexattr_setrobust(attributes, PTHREAD_MUTEX_ROBUST),
    "pthread_mutexattr_setrobust",
  );
  succeed(
    library.pthread_mutexattr_settype(attributes, PTHREAD_MUTEX_ERRORCHECK),
    "pthread_mutexattr_settype",
  );
  succeed(library.pthread_mutex_init(mutex, attributes), "pthread_mutex_init");
}

/** 0 or `EOWNERDEAD` at the deadline at the latest, of pthread_mutex_clocklock(3), or another error's number. */
function lockUntil(mutex: Pointer, deadline: number): number {
  const library = pthread();
  const time = new BigInt64Array(2);
  // Before the clock: what passes between the two makes the wait longer so, and not shorter.
  const left = BigInt(Math.ceil(Math.min(Math.max(timeLeft(deadline), 0), 1e12) * 1e6));
  succeed(library.clock_gettime(CLOCK_MONOTONIC, time), "clock_gettime");
  const end = time[0] * 1_000_000_000n + time[1] + left;
  time[0] = end / 1_000_000_000n;
  time[1] = end % 1_000_000_000n;
  return library.pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, time);
}

/**
 * pthread_mutex_trylock(3)'s result, `EDEADLK` where this thread holds it. `words[index]` is the mutex's first.
 *
 * Where it says `ENOTRECOVERABLE`, glibc has locked the mutex and leaves it so: whoever waits for it, waits for ever.
 */
export function tryLock(mutex: Pointer, words: Int32Array<ArrayBuffer>, index: number): number {
  const code = mutexCalls().trylock(mutex);
  if (code === ENOTRECOVERABLE && (Atomics.load(words, index) & FUTEX_TID_MASK) === pthread().gettid()) {
    Atomics.store(words, index, 0);
    futexWake(mutex);
  }
  return code;
}

/**
 * Locks the mutex, and waits for it. Gives whether its owner died. Throws a `TimeoutError`, or a `SystemError` where
 * no waiting helps.
 *
 * It does not spin: a holder that is let alone has its core to itself, and is through all its lockings sooner.
 */
export function lock(what: string, mutex: Pointer, deadline: number): boolean {
  const code = deadline === Infinity ? mutexCalls().lock(mutex) : lockUntil(mutex, deadline);
  if (code === 0) return false;
  if (code === EOWNERDEAD) return true;
  if (code === ETIMEDOUT) throw timeoutError(what);
  throw mutexError(code, "pthread_mutex_lock");
}

/** Whether there are zeros where a mutex was: C takes them for one that is this process's alone. */
export function isLost(words: Int32Array<ArrayBuffer>, index: number): boolean {
  return words[index + KIND] === 0;
}

/**
 * Unlocks the mutex. Gives whether it is there still: where its file was cut short under the map there are zeros, and
 * the thread's list goes on leading through them, so that they must stay.
 */
export function unlock(mutex: Pointer, words: Int32Array<ArrayBuffer>, index: number): boolean {
  if (isLost(words, index)) return false;
  const code = mutexCalls().unlock(mutex);
  if (code !== 0) throw mutexError(code, "pthread_mutex_unlock");
  return true;
}

/** Makes the mutex one whose owner died, and that guards what is whole. */
export function makeConsistent(mutex: Pointer): void {
  succeed(pthread().pthread_mutex_consistent(mutex), "pthread_mutex_consistent");
}

/** What a mutex's memory tells of its owner, with nobody asked: glibc has the kernel's word first. */
export function ownerOf(words: Int32Array<ArrayBuffer>, index: number): "none" | "alive" | "died" {
  const word = Atomics.load(words, index);
  if ((word & FUTEX_OWNER_DIED) !== 0) return "died";
  return (word & FUTEX_TID_MASK) === 0 ? "none" : "alive";
}
