/**
 * Threads that make calls of C for a thread of JavaScript, which goes on meanwhile. Their whole body is machine code, so
 * that they need nothing of the host: no turn of its loop, no isolate, no addon.
 *
 * A call is a record in memory that belongs to no host: the function, six integers or addresses, the result, and errno
 * as its thread left it. Each record has a stage of 256 KiB beside it for the bytes that C reads or writes, and may be
 * given more; JavaScript copies from and to them. So no call ever has the address of what a collector moves or frees,
 * and one that outlives its JavaScript, be it a worker that was terminated, harms nobody.
 * Source: pthread_create(3), futex(2), eventfd(2).
 *
 * @module
 */
import {
  addressOf,
  check,
  libc,
  type NativeFunctions,
  NULL,
  offset,
  type Pointer,
  pointerAt,
  type SymbolTable,
  SystemError,
  unsafeBufferAt,
} from "../../ffi/mod.ts";
import { dlopenQuietly } from "../../ffi/dlopen.ts";
import { symbolIn } from "../../ffi/loader.ts";
import { LIBC } from "../../ffi/soname.ts";
import {
  CALLS,
  CALLS_BLOCK as BLOCK,
  CALLS_BYTES,
  CALLS_RECORD as RECORD,
  RECORD_SHIFT,
  RING,
  SLOTS,
  STAGE_SHIFT,
} from "./calls_memory.ts";
import { openForProcess } from "./library.ts";
import { processObjects } from "./process_objects.ts";

const CODE = {
  submit: { symbol: CALLS.submit, parameters: ["pointer!", "u32"], result: "i32" },
  close: { symbol: CALLS.close, parameters: ["pointer!"], result: "void" },
} as const satisfies SymbolTable;

const LIBC_TABLE = {
  // sys/eventfd.h
  eventfd: { parameters: [/* unsigned int initval */ "u32", /* int flags */ "i32"], result: "i32" },
  // pthread.h
  pthread_attr_init: { parameters: [/* pthread_attr_t *attr */ "pointer!"], result: "i32" },
  pthread_attr_setstacksize: {
    parameters: [/* pthread_attr_t *attr */ "pointer!", /* size_t stacksize */ "usize"],
    result: "i32",
  },
  pthread_attr_setdetachstate: {
    parameters: [/* pthread_attr_t *attr */ "pointer!", /* int detachstate */ "i32"],
    result: "i32",
  },
  // The C++ ABI for Linux. Where it is lacking, the memory of a thread of JavaScript that has ended stays.
  __cxa_thread_atexit_impl: {
    parameters: [/* void (*func)(void *) */ "function", /* void *obj */ "pointer", /* void *dso */ "pointer"],
    result: "i32",
    optional: true,
  },
} as const satisfies SymbolTable;

/** What libc's own functions ask for, with room; what is not touched takes no memory. */
const STACK_BYTES = 256 * 1024;
const PTHREAD_CREATE_DETACHED = 1;
const NONBLOCK_CLOEXEC = 0o2004000;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_NORESERVE = 0x4000;
/** What submitting gives where the ring has no room. */
const FULL = -1;

/** How many calls may be under way or in the queue. */
export const MOST_CALLS: number = SLOTS;
/** Bytes beside each record. */
export const STAGE_BYTES: number = 1 << STAGE_SHIFT;
/** How many threads make calls where nothing is said. */
export const MOST_THREADS = 64;

interface Opened {
  readonly code: NativeFunctions<typeof CODE>;
  readonly libc: NativeFunctions<typeof LIBC_TABLE>;
  readonly end: Pointer;
  readonly syscall: number;
}

let opened: Opened | undefined;

/** Throws a `NativeUnavailableError` where no machine code can be loaded. */
function open(): Opened {
  if (opened !== undefined) return opened;
  const library = openForProcess(processObjects.calls, CODE);
  const c = dlopenQuietly(LIBC, LIBC_TABLE);
  return opened = {
    code: library.symbols,
    libc: c.symbols,
    end: symbolIn(library.path, CALLS.end) ?? NULL,
    syscall: Number(addressOf(symbolIn(c.path, "syscall") ?? NULL)),
  };
}

function mapMemory(byteLength: number): Pointer {
  const flags = MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE;
  const address = libc().mmap(null, byteLength, PROT_READ_WRITE, flags, -1, 0);
  check(address === -1n ? -1 : 0, "mmap", { hint: "calls on other threads need memory of their own" });
  return pointerAt(BigInt(address));
}

/** How calls are made. */
export interface CallsOptions {
  /** At most so many threads, which are made where they are needed: 64 where nothing is said. */
  threads?: number;
  /** A thread that has had nothing to do for so long ends: 10,000 ms where nothing is said. */
  idleMs?: number;
}

function requireCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(
    `cannot make threads for calls: ${name} is ${String(value)}, not a count up to ${most}`,
  );
}

/**
 * The threads of one thread of JavaScript, and the records that they have in common. Who uses it takes a slot, writes its
 * record, and submits it; and once `fd` is readable, drains what has ended and frees the slots.
 *
 * The memory, 64 MiB of addresses of which as many pages are used as calls have touched, goes with the thread of
 * JavaScript, or with the last call that outlives it.
 */
export class Calls implements Disposable {
  readonly #opened: Opened;
  readonly #block: Pointer;
  readonly #start: number;
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  /** The memory, as 32-bit words: `word` says where a record's are. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** @throws {NativeUnavailableError} where no machine code can be loaded, and a `SystemError` where there is no memory. */
  constructor(options: CallsOptions = {}) {
    const { threads = MOST_THREADS, idleMs = 10_000 } = options;
    requireCount("threads", threads, 4096);
    requireCount("idleMs", idleMs, 86_400_000);
    this.#opened = open();
    const event = check(this.#opened.libc.eventfd(0, NONBLOCK_CLOEXEC), "eventfd");
    try {
      this.#block = mapMemory(CALLS_BYTES);
    } catch (error) {
      libc().close(event);
      throw error;
    }
    this.#start = Number(addressOf(this.#block));
    // SAFETY: mapped just now, and given back when this thread has ended at the earliest, with all that it has.
    const memory = unsafeBufferAt(this.#block, CALLS_BYTES);
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.#prepare(event, threads, idleMs);
  }

  #prepare(event: number, threads: number, idleMs: number): void {
    const { libc: c, end } = this.#opened;
    const { words } = this;
    words[BLOCK.event / 4] = event;
    words[BLOCK.one / 4] = 1;
    words[BLOCK.limit / 4] = threads;
    words[BLOCK.idle / 4] = Math.floor(idleMs / 1000);
    words[BLOCK.idle / 4 + 2] = (idleMs % 1000) * 1e6;
    words[BLOCK.refs / 4] = 1;
    const attributes = offset(this.#block, BLOCK.attributes);
    c.pthread_attr_init(attributes);
    c.pthread_attr_setstacksize(attributes, STACK_BYTES);
    c.pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
    c.__cxa_thread_atexit_impl?.(end, this.#block, this.#block);
  }

  /** An eventfd that becomes readable where calls have ended. It stays this object's: who watches it duplicates it. */
  get event(): number {
    return this.words[BLOCK.event / 4];
  }

  /** How many threads there are. */
  get threads(): number {
    return Atomics.load(this.words, BLOCK.threads / 4);
  }

  /** How many slots are taken. */
  get taken(): number {
    return SLOTS - this.#free.length;
  }

  /** A record to be written, or -1 where all are taken. */
  take(): number {
    return this.#free.pop() ?? -1;
  }

  /** Gives a record back that has ended or was taken back, and what more memory it was given. */
  free(slot: number): void {
    const extra = this.#recordAt(slot) + RECORD.extra / 4;
    if (this.words[extra] !== 0 || this.words[extra + 1] !== 0) {
      const address = (this.words[extra + 1] >>> 0) * 2 ** 32 + (this.words[extra] >>> 0);
      libc().munmap(pointerAt(BigInt(address)), this.words[extra + 2] >>> 0);
      this.words.fill(0, extra, extra + 4);
    }
    this.#free.push(slot);
  }

  #recordAt(slot: number): number {
    return (BLOCK.records >> 2) + (slot << (RECORD_SHIFT - 2));
  }

  /** Says what is called, and how. */
  setFunction(slot: number, address: number, flags: number): void {
    const record = this.#recordAt(slot);
    this.words[record] = address;
    this.words[record + 1] = Math.floor(address / 2 ** 32);
    this.words[record + RECORD.flags / 4] = flags;
  }

  /** Has the call be one of the kernel, by libc's `syscall`: its arguments go from 1 to 5. */
  setSystemCall(slot: number, number: number, flags: number): void {
    this.setFunction(slot, this.#opened.syscall, flags);
    this.setArgument(slot, 0, number);
  }

  /** The argument of that index, from 0 to 5: an integer that a number holds. */
  setArgument(slot: number, index: number, value: number): void {
    const at = this.#recordAt(slot) + RECORD.arguments / 4 + 2 * index;
    this.words[at] = value;
    this.words[at + 1] = Math.floor(value / 2 ** 32);
  }

  /** As `setArgument`: any 64 bits. */
  setWideArgument(slot: number, index: number, value: bigint): void {
    const at = this.#recordAt(slot) + RECORD.arguments / 4 + 2 * index;
    this.words[at] = Number(BigInt.asIntN(32, value));
    this.words[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** Where in `bytes` the slot's stage begins. */
  stageOf(slot: number): number {
    return BLOCK.stages + (slot << STAGE_SHIFT);
  }

  /** The address of the byte of `bytes` at `at`. */
  addressOf(at: number): number {
    return this.#start + at;
  }

  /** Gives the call more memory than its stage, until it is freed: where it is, and a view of it. */
  addMemory(slot: number, byteLength: number): { address: number; bytes: Uint8Array<ArrayBuffer> } {
    requireCount("bytes of a call", byteLength, 0xffffffff);
    const pointer = mapMemory(byteLength);
    const address = Number(addressOf(pointer));
    const extra = this.#recordAt(slot) + RECORD.extra / 4;
    this.words[extra] = address;
    this.words[extra + 1] = Math.floor(address / 2 ** 32);
    this.words[extra + 2] = byteLength;
    // SAFETY: it stays until `free`, after which its one user has forgotten the view.
    return { address, bytes: new Uint8Array(unsafeBufferAt(pointer, byteLength)) };
  }

  /**
   * Has a thread make the call.
   *
   * @throws {SystemError} where there is no thread and none can be made; the slot is still the caller's.
   */
  submit(slot: number): void {
    if (this.words[BLOCK.isClosing / 4] !== 0) {
      throw new Error("cannot make a call: its threads were disposed");
    }
    let failure = this.#opened.code.submit(this.#block, slot);
    if (failure === FULL) {
      this.#compact();
      failure = this.#opened.code.submit(this.#block, slot);
      if (failure === FULL) {
        throw new Error("cannot make a call: the ring is full of calls that nobody takes");
      }
    }
    if (failure === 0) return;
    this.cancel(slot);
    throw new SystemError(failure, "pthread_create", { hint: "a call needs a thread to be made on" });
  }

  /** Takes a call back that nobody has begun: whether it was so. Its slot is the caller's again. */
  cancel(slot: number): boolean {
    const place = BLOCK.ring / 4 + this.words[this.#recordAt(slot) + RECORD.place / 4];
    return Atomics.compareExchange(this.words, place, slot + 1, 0) === slot + 1;
  }

  /** Where all threads block, holes may fill the ring: puts what is left of it together. */
  #compact(): void {
    const { words } = this;
    const [head, tail] = [BLOCK.head / 4, BLOCK.tail / 4];
    const left: number[] = [];
    for (;;) {
      const at = Atomics.load(words, tail);
      if (at === words[head]) break;
      if (Atomics.compareExchange(words, tail, at, (at + 1) | 0) !== at) continue;
      const entry = Atomics.exchange(words, BLOCK.ring / 4 + (at & (RING - 1)), 0);
      if (entry !== 0) left.push(entry);
    }
    for (const entry of left) {
      // A thread that was interrupted may not have taken its entry yet: that place is passed over.
      while (words[BLOCK.ring / 4 + (words[head] & (RING - 1))] !== 0) Atomics.add(words, head, 1);
      const place = words[head] & (RING - 1);
      words[this.#recordAt(entry - 1) + RECORD.place / 4] = place;
      words[BLOCK.ring / 4 + place] = entry;
      Atomics.add(words, head, 1);
    }
  }

  /** Calls `ended` with each slot whose call has ended since, in the order of their ends. The slots stay taken. */
  drain(ended: (slot: number) => void): void {
    const { words } = this;
    // The list begins with the last.
    let first = 0;
    for (let entry = Atomics.exchange(words, BLOCK.done / 4, 0); entry !== 0;) {
      const next = this.#recordAt(entry - 1) + RECORD.next / 4;
      const before = words[next];
      words[next] = first;
      first = entry;
      entry = before;
    }
    while (first !== 0) {
      const slot = first - 1;
      first = words[this.#recordAt(slot) + RECORD.next / 4];
      ended(slot);
    }
  }

  /** Whether calls have ended that were not drained. */
  get hasEnded(): boolean {
    return Atomics.load(this.words, BLOCK.done / 4) !== 0;
  }

  /** What the call has given: exactly, where a number can. */
  resultOf(slot: number): number {
    const at = this.#recordAt(slot) + RECORD.result / 4;
    return this.words[at + 1] * 2 ** 32 + (this.words[at] >>> 0);
  }

  /** All 64 bits of it. */
  wideResultOf(slot: number): bigint {
    const at = this.#recordAt(slot) + RECORD.result / 4;
    return (BigInt(this.words[at + 1]) << 32n) + BigInt(this.words[at] >>> 0);
  }

  /** What errno was when the call had ended: 0 where it said nothing of it. */
  errnoOf(slot: number): number {
    return this.words[this.#recordAt(slot) + RECORD.errno / 4];
  }

  /** Has what was not begun never be made, and the threads end: who is in the middle of a call after that. */
  [Symbol.dispose](): void {
    if (this.words[BLOCK.isClosing / 4] === 0) this.#opened.code.close(this.#block);
  }
}
