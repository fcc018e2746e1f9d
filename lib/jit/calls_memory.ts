/**
 * What a thread of JavaScript and the threads that make its calls know of each other, in memory that is theirs alone:
 *
 *     0         1 KiB   4 KiB              64 KiB
 *     ┌─────────┬───────┬──────────────────┬───────────────────────────────────┐
 *     │ counts  │ ring  │ 256 records      │ 256 stages of 256 KiB, sparse     │
 *     └─────────┴───────┴──────────────────┴───────────────────────────────────┘
 */

/** What is at which byte. What different threads write is in different cache lines. */
export const CALLS_BLOCK = {
  /** How many entries of the ring nobody has come for, or more: what threads sleep on, by futex(2). */
  permits: 0,
  sleepers: 4,
  /** Whether a thread was woken, or made, that has not come for an entry yet. */
  searching: 8,
  /** Where the owner puts the next entry; how many threads there may be. */
  head: 64,
  limit: 68,
  /** Where threads take the next one. */
  tail: 128,
  /** The last call that has ended, and by `next` those before it: a slot plus 1, or 0. */
  done: 192,
  /** Those to whom the memory belongs: the owner and each thread. */
  refs: 256,
  threads: 260,
  isClosing: 264,
  /** The eventfd that is written where `done` was 0, and what is written. */
  event: 268,
  one: 272,
  /** `struct timespec`: how long a thread sleeps before it ends. */
  idle: 280,
  /** `pthread_attr_t` */
  attributes: 296,
  /** A slot plus 1 in each place, or 0 where it was taken. */
  ring: 1024,
  records: 4096,
  stages: 65_536,
} as const;

/** One call. */
export const CALLS_RECORD = {
  function: 0,
  arguments: 8,
  result: 56,
  errno: 64,
  /** Bit 0: it is made again where a signal has ended it. */
  flags: 68,
  next: 72,
  /** Where in the ring it was put. */
  place: 76,
  /** Memory of the call's own beside its stage, as mmap(2) gave it: its address, or 0, and its bytes. */
  extra: 80,
  extraBytes: 88,
} as const;

export const SLOTS = 256;
/** More than there are slots: what was taken back leaves a hole until a thread has passed it. */
export const RING = 512;
export const RECORD_SHIFT = 7;
export const STAGE_SHIFT = 18;
/** In bytes. */
export const CALLS_BYTES: number = CALLS_BLOCK.stages + (SLOTS << STAGE_SHIFT);
export const FLAG_RETRY = 1;

/** The symbols of the code. */
export const CALLS = {
  submit: "calls_submit",
  rouse: "calls_rouse",
  thread: "calls_thread",
  close: "calls_close",
  end: "calls_end",
  release: "calls_release",
} as const;
