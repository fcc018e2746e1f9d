import { check, libc, type Pointer } from "../../../../ffi/mod.ts";
import { mman } from "../../../../ffi/mman.ts";
import { offset } from "../../../../ffi/mod.ts";
import { Fd } from "../../../io/fd.ts";
import { createMemfd } from "../../../mem/memfd.ts";
import { memoryOf } from "../../../mem/memory.ts";
import { HandleError, Mmap } from "../../../mem/mmap.ts";
import {
  EBUSY,
  EOWNERDEAD,
  initMutex,
  lock,
  makeConsistent,
  mutexError,
  tryLock,
  unlock,
} from "../../../mem/shared/robust_mutex.ts";
import {
  CAPACITY,
  CONTROL_BYTES,
  CONTROL_WORDS,
  DEAF,
  DESCRIPTOR,
  GONE,
  KIND,
  kindWord,
  MAGIC,
  MUTEX,
  NONCE,
  RING_BYTES,
  STATE,
} from "./layout.ts";

const F_DUPFD_CLOEXEC = 1030;
const NAME = "oxbow-channel";
const WHAT = "use a channel between threads";

/** What a channel's memory is made for. */
export interface Shape {
  readonly kind: number;
  readonly capacity: number;
  readonly ringBytes: number;
}

/** This thread's map of a channel, and the channel's mutex. */
export class Memory {
  /** Those of a channel that has ended, once this thread has left. */
  words: Int32Array<ArrayBuffer>;
  /** The ring's. */
  bytes: Uint8Array<ArrayBuffer>;
  /** In hexadecimal digits. */
  readonly nonce: string;
  #map: Mmap<"write">;
  #mutex: Pointer;
  #isOpen = true;

  private constructor(map: Mmap<"write">) {
    const { bytes, pointer } = memoryOf(map, `cannot ${WHAT}`, 0, map.byteLength);
    this.#map = map;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, CONTROL_WORDS);
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset + CONTROL_BYTES, bytes.length - CONTROL_BYTES);
    this.#mutex = offset(pointer, 4 * MUTEX);
    this.nonce = hexadecimal(bytes.subarray(4 * NONCE, 4 * NONCE + 16));
  }

  static create({ kind, capacity, ringBytes }: Shape): Memory {
    const fd = createMemfd(NAME, CONTROL_BYTES + ringBytes);
    let map: Mmap<"write"> | undefined;
    try {
      map = Mmap.fromFd(fd, { mode: "r+" });
      crypto.getRandomValues(map.bytes(4 * NONCE, 16));
      const memory = new Memory(map);
      const { words } = memory;
      words[KIND] = kindWord(kind);
      words[CAPACITY] = capacity;
      words[RING_BYTES] = ringBytes;
      words[DESCRIPTOR] = fd.number;
      initMutex(memory.#mutex);
      Atomics.store(words, 0, MAGIC);
      return memory;
    } catch (error) {
      map?.[Symbol.dispose]();
      fd.close();
      throw error;
    }
  }

  /** That of a handle. Throws a `HandleError` where the channel is not there any more. */
  static open(descriptor: number, nonce: string): Memory {
    const number = libc().fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (number === -1) throw stale();
    using fd = Fd.unsafeOwn(number);
    const header = new Uint8Array(4 * DESCRIPTOR);
    // What another file has there by now may be no file to be read at all.
    const count = Number(mman().pread(fd.number, header, header.length, 0));
    if (count !== header.length || hexadecimal(header.subarray(4 * NONCE)) !== nonce) throw stale();
    return new Memory(Mmap.fromFd(fd, { mode: "r+" }));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get state(): number {
    return Atomics.load(this.words, STATE);
  }

  /** Returns whether the last one died while it held the mutex. Waits for another, which holds it for a moment. */
  lock(): boolean {
    // There is nothing mapped at its address.
    if (!this.#isOpen) throw new Error(`cannot ${WHAT}: this thread has left it`);
    const code = tryLock(this.#mutex, this.words, MUTEX);
    if (code === 0) return false;
    if (code === EBUSY) {
      if (!lock(WHAT, this.#mutex, Infinity)) return false;
    } else if (code !== EOWNERDEAD) throw mutexError(code, "pthread_mutex_trylock");
    makeConsistent(this.#mutex);
    return true;
  }

  unlock(): void {
    unlock(this.#mutex, this.words, MUTEX);
  }

  /** Unmaps it; whoever asks afterwards finds a channel that has ended. `isLast` where nobody else has it. */
  leave(isLast: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const descriptor = this.words[DESCRIPTOR];
    const capacity = this.words[CAPACITY];
    this.words = new Int32Array(CONTROL_WORDS);
    this.words[CAPACITY] = capacity;
    this.words[STATE] = DEAF | GONE;
    this.bytes = new Uint8Array(0);
    if (isLast) check(libc().close(descriptor), "close");
    this.#map[Symbol.dispose]();
  }
}

function stale(): HandleError {
  return new HandleError(
    "cannot adopt an end of a channel: it was adopted already, or the channel has ended",
  );
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
