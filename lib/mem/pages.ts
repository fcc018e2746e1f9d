/**
 * Ranges of pages, from mmap(2) to munmap(2), and whoever can still reach them: who was given a buffer can, by its
 * views, by a host's thread that reads it, by a worker that it was transferred to. So a range ends in two steps.
 * Zero pages take the file's place at once; the addresses are given back when nobody is left who was given a
 * buffer, which the garbage collector tells.
 */
import {
  check,
  errno,
  libc,
  NativeUnavailableError,
  NULL,
  offset,
  type Pointer,
  SystemError,
} from "../../ffi/mod.ts";
import { unmapAll } from "../../ffi/unmap.ts";
import { mman } from "../../ffi/mman.ts";
import { type GuardedRange, guardRange } from "../jit/sigbus.ts";
import { Loans } from "./loans.ts";

export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;
/** Of x86-64. */
export const PAGE = 4096;

const ENOMEM = 12;
const RLIMIT_DATA = 2;
const UNLIMITED = 2n ** 64n - 1n;
const READ_WRITE = PROT_READ | PROT_WRITE;

/** What of a file is mapped, and how: mmap(2)'s own terms. `fd` is -1 where no file is. */
export interface Mapping {
  /** What errors call it. */
  readonly path: string;
  readonly fd: number;
  readonly offset: number;
  readonly protection: number;
  readonly flags: number;
}

/** So many of those that ended last are left: a host's call may hold memory whose buffer is gone. */
const LEFT = 256;

/** Ended, and not given back: who has waited longest comes first. */
let ended: Pages[] = [];
/** How many they are when they are looked through: twice as many as were left, so that a range costs two looks. */
let lookAt = 2 * LEFT;

/** Gives back what nobody has, but for those that ended last. */
function giveBack(left: number): void {
  const first = ended.length - left;
  const free: Pages[] = [];
  ended = ended.filter((pages, i) => {
    const stays = i >= first || pages.areOut;
    if (!stays) free.push(pages);
    return stays;
  });
  unmap(free);
  lookAt = 2 * Math.max(ended.length, LEFT);
}

/** Unmaps what nobody has. What the kernel does not unmap now waits on. */
function unmap(free: readonly Pages[]): void {
  const failed = new Set(unmapAll(free));
  for (const pages of free) if (!failed.has(pages)) pages.wereUnmapped();
  ended.push(...failed);
}

/** The address, or the negative of what errno(3) says. Gives back what it can where addresses are short. */
export function mapAt(address: Pointer, length: number, mapping: Mapping, flags = 0): bigint {
  const { fd, offset, protection } = mapping;
  for (let isSecond = false;; isSecond = true) {
    const at = libc().mmap(address, length, protection, mapping.flags | flags, fd, offset);
    if (at !== -1n) return at;
    const failure = errno();
    if (failure !== ENOMEM || isSecond || ended.length === 0) return BigInt(-failure);
    giveBack(0);
  }
}

/** Private zeros take no memory; but where `ulimit -d` bounds it they count as if they did, and the host dies of it. */
let kindOfZeros: number | undefined;

function measureKind(): number {
  const limit = new BigUint64Array(2);
  check(mman().getrlimit(RLIMIT_DATA, new Uint8Array(limit.buffer)), "getrlimit");
  return limit[0] === UNLIMITED ? MAP_PRIVATE : MAP_SHARED;
}

/** Puts zero pages in the range's place: what reads it from now on, reads nothing of the file. */
export function blank(path: string, pointer: Pointer, length: number): void {
  const flags = (kindOfZeros ??= measureKind()) | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  const zeros = { path, fd: -1, offset: 0, protection: READ_WRITE, flags };
  const failure = mapAt(pointer, length, zeros);
  if (failure < 0n) throw new SystemError(Number(-failure), "mmap", { path });
}

/** A range of pages. */
export class Pages {
  readonly path: string;
  readonly pointer: Pointer;
  #length: number;
  #loans: Loans;
  #guard: GuardedRange | undefined;
  #protection = READ_WRITE;
  /** Of guards before this one. */
  #faults = 0;
  #isEnded = false;

  /** Takes over the range. It ends by itself where it is forgotten. */
  constructor(path: string, pointer: Pointer, length: number) {
    this.path = path;
    this.pointer = pointer;
    this.#length = length;
    this.#loans = new Loans(() => this.#forget());
  }

  /** Nobody is there to be told: where the kernel is out of maps, the file stays. */
  #forget(): void {
    try {
      this.end(true);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  /** In bytes, whole pages or not. */
  get length(): number {
    return this.#length;
  }

  /** Whether a page that the file has no bytes for reads zeros, where it would end the process. */
  get guarded(): boolean {
    return this.#guard !== undefined;
  }

  /** How many pages were zeros instead of the file's. */
  get faults(): number {
    return this.#faults + (this.#guard?.faults ?? 0);
  }

  /** Guards the range as it is now, where code can be loaded: `protection` is that of the pages. */
  guard(protection: number): void {
    this.#protection = protection;
    const before = this.#guard;
    try {
      this.#guard = guardRange(this.pointer, this.#length, protection);
    } catch (error) {
      if (!(error instanceof NativeUnavailableError)) throw error;
    }
    if (before === undefined) return;
    before[Symbol.dispose]();
    this.#faults += before.faults;
  }

  /** mremap(2), where the addresses behind the range are free. Gives whether they were. */
  growInPlace(length: number): boolean {
    const at = mman().mremap(this.pointer, this.#length, length, 0, NULL);
    if (at === -1n) return false;
    this.#length = length;
    if (this.#guard !== undefined) this.guard(this.#protection);
    return true;
  }

  /** Counts the object among those that reach the range. */
  hold(owner: object): void {
    this.#loans.hold(owner);
  }

  /** A buffer over a part of the range. */
  lend(from: number, length: number): ArrayBuffer {
    return this.#loans.lend(offset(this.pointer, from), length);
  }

  /**
   * Ends the range, once. Its buffers are detached by then, or `escaped`: what was transferred away is out of our
   * sight. Zero pages take its place, and its addresses are given back when nobody has them; at once where nobody
   * ever had, or where they are gone.
   */
  end(escaped: boolean): void {
    if (this.#isEnded) return;
    const { wereMade, areCounted, areOut } = this.#loans;
    const mayBeOut = wereMade && (areOut || !areCounted);
    // Before the guard goes: another thread may be reading.
    if (mayBeOut) blank(this.path, this.pointer, this.#length);
    this.#isEnded = true;
    this.#guard?.[Symbol.dispose]();
    if (!mayBeOut) {
      unmap([this]);
    } else if (!escaped || areCounted) {
      ended.push(this);
      if (ended.length >= lookAt) giveBack(LEFT);
    }
  }

  /** Whether somebody may have a buffer of the range. */
  get areOut(): boolean {
    return this.#loans.areOut;
  }

  /** To be called when nobody can have it any more. */
  wereUnmapped(): void {
    this.#loans[Symbol.dispose]();
  }
}

/** mremap(2): the private pages of one range are the other's, which has mapped at least as much. */
export function movePages(from: Pages, to: Pages): void {
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  if (mman().mremap(from.pointer, from.length, from.length, flags, to.pointer) !== -1n) return;
  throw new SystemError(errno(), "mremap", { path: from.path });
}
