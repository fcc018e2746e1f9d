/** A map as the kernel has it: its pages, the buffers over them, its file, and who has retained it. */
import { errno, NULL, offset, type Pointer, pointerAt, SystemError } from "../../ffi/mod.ts";
import { mman } from "../../ffi/mman.ts";
import { anonymousParts } from "../../ffi/proc_maps.ts";
import { ADVICE, type Advice } from "./advice.ts";
import { isDetached } from "./detach.ts";
import { MapFaultError, MapInUseError, MapTransferredError, MapTruncatedError } from "./map_errors.ts";
import { type MapFile, reopen, setLength, writesThrough } from "./map_file.ts";
import { LARGE_PAGE } from "./memfd.ts";
import type { MapMode, MmapOptions } from "./map_options.ts";
import {
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  mapAt,
  type Mapping,
  movePages,
  PAGE,
  Pages,
  PROT_READ,
  PROT_WRITE,
} from "./pages.ts";
import { type Lent, Views } from "./views.ts";

const EPERM = 1;
const EFAULT = 14;
const EINVAL = 22;
const ENODEV = 19;
const ENOMEM = 12;

const HINTS: Readonly<Record<number, string>> = {
  [EPERM]: "it is sealed against what the mode does; take mode r or c",
  [ENODEV]: "its file system makes it up as it is read; read it instead",
  [ENOMEM]: "the process may not have so many addresses, or so much memory (ulimit -v and -d, " +
    "vm.overcommit_memory); map a part of it",
};

/** From `start`, which is a page's, with the protection that a mode has. */
function mappingOf({ path, fd }: { path: string; fd: number }, mode: MapMode, start: number): Mapping {
  const flags = writesThrough(mode) ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE;
  return { path, fd, offset: start, protection: PROT_READ | PROT_WRITE, flags };
}

/** `result` is the negative of what errno(3) says. */
function mmapError({ path, hasLargePages }: MapFile, result: bigint): SystemError {
  const failure = Number(-result);
  const hint = hasLargePages && failure === ENOMEM
    ? "no pages are reserved, or too few: vm.nr_hugepages says how many; take transparent ones"
    : HINTS[failure];
  return new SystemError(failure, "mmap", { path, hint });
}

/** A part of a file, mapped. */
export class Region {
  readonly file: MapFile;
  /** Of the first byte, in the file. */
  readonly offset: number;
  /** From the first page to the first byte. */
  readonly #lead: number;
  /** What is mapped is a multiple of it. */
  readonly #granule: number;
  #mode: MapMode;
  #byteLength: number;
  #isEnforced = false;
  #pages: Pages | undefined;
  #views: Views | undefined;
  /** Of pages that are gone. */
  #lastFaults = 0;
  #users = 0;
  #isClosed = false;

  /** Nothing of it is mapped yet. */
  constructor(file: MapFile, offset: number) {
    this.file = file;
    this.offset = offset;
    this.#lead = offset % PAGE;
    this.#granule = file.hasLargePages ? LARGE_PAGE : 1;
    this.#mode = file.mode;
    this.#byteLength = 0;
  }

  get mode(): MapMode {
    return this.#mode;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether it goes on where it was closed, since somebody has retained it. */
  get isHeld(): boolean {
    return this.#users > 0;
  }

  get isEnforced(): boolean {
    return this.#isEnforced;
  }

  get guarded(): boolean {
    return this.#pages?.guarded ?? false;
  }

  get faults(): number {
    return this.#pages?.faults ?? this.#lastFaults;
  }

  /** Throws what mmap(2) says of a file of which nothing is mapped. */
  probe(fd: number): void {
    const { path, hasLargePages } = this.file;
    if (hasLargePages) return;
    const at = mapAt(NULL, PAGE, mappingOf({ path, fd }, this.#mode, 0));
    if (at < 0n) throw mmapError(this.file, at);
    new Pages(path, pointerAt(at), PAGE).end(false);
  }

  /** Maps `length` bytes of the file behind `fd`, where nothing is mapped yet. `owner` is what hands out its views. */
  map(owner: object, fd: number, length: number, options: MmapOptions): void {
    this.#isEnforced = options.unsafeEnforce === true;
    if (length > 0) this.#use(this.#mapAnew(owner, fd, length, this.#isEnforced));
    this.#byteLength = length;
    const { advice, hugePages, populate } = options;
    if (hugePages === "transparent") this.advise("hugepage", 0, length);
    if (advice !== undefined) this.advise(advice, 0, length);
    if (populate) this.#populate();
  }

  /** The bytes that are mapped for the map's `length`. */
  #wholeOf(length: number): number {
    return Math.ceil((this.#lead + length) / this.#granule) * this.#granule;
  }

  #mapAnew(owner: object, fd: number, length: number, isEnforced: boolean): Pages {
    const { path } = this.file;
    const whole = this.#wholeOf(length);
    const writable = mappingOf({ path, fd }, this.#mode, this.offset - this.#lead);
    const enforced = { ...writable, protection: PROT_READ };
    let mapping = isEnforced ? enforced : writable;
    let at = mapAt(NULL, whole, mapping);
    // What cannot be written to asks for no memory: under strict overcommit it is what there is.
    if (at === -BigInt(ENOMEM) && this.#mode === "r") at = mapAt(NULL, whole, mapping = enforced);
    if (at < 0n) throw mmapError(this.file, at);
    const pages = new Pages(path, pointerAt(at), whole);
    try {
      // The guard puts in small pages, which the kernel does not let lie among large ones.
      if (!this.file.hasLargePages) pages.guard(mapping.protection);
    } catch (error) {
      pages.end(false);
      throw error;
    }
    pages.hold(owner);
    this.#isEnforced = mapping === enforced;
    return pages;
  }

  #use(pages: Pages): void {
    this.#pages = pages;
    this.#views = new Views(pages);
  }

  /** Read in, and not written to: MAP_POPULATE would make a copy of each private page. */
  #populate(): void {
    const { path } = this.file;
    if (this.#pages === undefined) return;
    const { pointer, length } = this.#pages;
    if (mman().madvise(pointer, length, ADVICE.populateRead) === 0) return;
    const failure = errno();
    // Linux before 5.14.
    if (failure === EINVAL && mman().madvise(pointer, length, ADVICE.willneed) === 0) return;
    const what = `cannot read ${path}`;
    const size = failure === EFAULT ? this.#sizeNow(what) : undefined;
    if (size === undefined || size >= this.offset + this.#byteLength) {
      throw new SystemError(failure, "madvise", { path });
    }
    const from = Math.max(size - this.offset, 0);
    const why = `the file was cut to ${size} bytes; map it anew`;
    throw new MapTruncatedError(`${what}: ${why}`, path, from, this.#byteLength - from);
  }

  /** Throws where the map was disposed. */
  requireOpen(what: string): void {
    if (this.#isClosed) throw new Error(`${what}: the map was disposed`);
  }

  /** Throws where the map was disposed, or has zeros where its file had bytes. */
  requireIntact(what: string): void {
    this.requireOpen(what);
    this.requireWhole(what);
  }

  /** Throws where the map is gone, or has zeros where its file had bytes. Whoever has retained it may ask. */
  requireWhole(what: string): void {
    if (this.#users === 0) this.requireOpen(what);
    const pages = this.#pages;
    if (pages !== undefined && pages.faults > 0) throw this.#faultOf(what, pages);
  }

  #faultOf(what: string, { pointer, length }: Pages): MapFaultError {
    const { path } = this.file;
    const lost = anonymousParts(pointer, length);
    const first = lost.at(0) ?? { offset: 0 };
    const last = lost.at(-1) ?? { offset: 0, length };
    const from = Math.max(first.offset - this.#lead, 0);
    const to = Math.min(last.offset + last.length - this.#lead, this.#byteLength);
    const where = `bytes ${from} to ${to} of the map read zeros, and what was written there is lost`;
    const size = this.#sizeNow(what);
    if (size !== undefined && size >= this.offset + to) {
      const why =
        "its pages could not be had: the disk is full or fails, or the file was cut short for a while";
      return new MapFaultError(`${what}: ${why}; ${where}`, path, from, to - from);
    }
    const cut = size === undefined ? "the file was cut short" : `the file was cut to ${size} bytes`;
    return new MapTruncatedError(`${what}: ${cut}; ${where}; map it anew`, path, from, to - from);
  }

  /** Of the file, where it is still to be found. */
  #sizeNow(what: string): number | undefined {
    try {
      using fd = reopen(what, this.file);
      return fd.status().size;
    } catch {
      return undefined;
    }
  }

  /** A buffer that has the bytes of the map from `from` up to `to`, and where in it they begin. */
  covering(from: number, to: number): { lent: Lent; start: number } {
    const views = this.#views;
    if (views === undefined || !(from >= 0 && from <= to && to <= this.#byteLength)) {
      throw new RangeError(`cannot view ${this.file.path}: bytes ${from} to ${to} are not mapped`);
    }
    const lent = views.covering(this.#lead + from, this.#lead + to);
    if (isDetached(lent.buffer)) throw this.#transferred();
    return { lent, start: this.#lead + from - lent.from };
  }

  /** How far the byte lies behind a page's first. */
  placeOf(byteOffset: number): number {
    return this.#lead + byteOffset;
  }

  /** Where the byte lies. */
  pointerTo(byteOffset: number): Pointer | undefined {
    return this.#pages && offset(this.#pages.pointer, this.#lead + byteOffset);
  }

  #transferred(): MapTransferredError {
    return new MapTransferredError(
      `cannot use the map of ${this.file.path}: a buffer of it was transferred away, or is in use by the host; ` +
        "copy bytes with slice() before they are transferred, and wait for what was given them",
    );
  }

  /** The pages from `first` up to `last`, by their numbers in the map. */
  #pagesFrom(first: number, last: number): { pointer: Pointer; length: number } | undefined {
    if (this.#pages === undefined || last <= first) return undefined;
    return { pointer: offset(this.#pages.pointer, first * PAGE), length: (last - first) * PAGE };
  }

  /** The pages that a part touches. */
  #touched(from: number, length: number): { pointer: Pointer; length: number } | undefined {
    if (length === 0) return undefined;
    const start = this.#lead + from;
    return this.#pagesFrom(Math.floor(start / PAGE), Math.ceil((start + length) / PAGE));
  }

  /** The pages that lie in a part as a whole, the map's last one too where nobody has the rest of it. */
  #within(
    from: number,
    length: number,
    isLastOwn: boolean,
  ): { pointer: Pointer; length: number } | undefined {
    const start = this.#lead + from;
    const isLast = isLastOwn && from + length === this.#byteLength;
    const end = (start + length) / PAGE;
    return this.#pagesFrom(Math.ceil(start / PAGE), isLast ? Math.ceil(end) : Math.floor(end));
  }

  /** Whether the file has no bytes behind the map's, which a hole in the last page would take along. */
  #endsWithFile(): boolean {
    const { fd } = this.file;
    return fd !== undefined && fd.status().size <= this.offset + this.#byteLength;
  }

  /** madvise(2). What changes the bytes is said of pages that lie in the part as a whole. */
  advise(advice: Advice, from: number, length: number): void {
    const part = advice === "remove"
      ? this.#within(from, length, this.#endsWithFile())
      : advice === "dontneed"
      ? this.#within(from, length, true)
      : this.#touched(from, length);
    if (part === undefined) return;
    if (mman().madvise(part.pointer, part.length, ADVICE[advice]) === 0) return;
    const { path } = this.file;
    throw new SystemError(errno(), "madvise", {
      path,
      hint: `the kernel does not take ${advice} for this map`,
    });
  }

  /** msync(2): back when the part is written. */
  flush(from: number, length: number): void {
    const MS_SYNC = 4;
    const part = this.#touched(from, length);
    if (part === undefined) return;
    const { path } = this.file;
    if (mman().msync(part.pointer, part.length, MS_SYNC) !== 0) {
      throw new SystemError(errno(), "msync", { path });
    }
  }

  /** sync_file_range(2): the part begins to be written. */
  startFlush(from: number, length: number): void {
    const SYNC_FILE_RANGE_WRITE = 2;
    const { path, fd } = this.file;
    if (fd === undefined || length === 0) return;
    const result = mman().sync_file_range(fd.number, this.offset + from, length, SYNC_FILE_RANGE_WRITE);
    if (result !== 0) throw new SystemError(errno(), "sync_file_range", { path });
  }

  /** Keeps the pages in memory. mlock(2) would make a copy of each private one. */
  lock(): void {
    const MLOCK_ONFAULT = 1;
    if (this.#pages === undefined) return;
    const { pointer, length } = this.#pages;
    if (mman().mlock2(pointer, length, MLOCK_ONFAULT) !== 0) {
      const hint = `ulimit -l says how much this process may lock, and the map has ${length} bytes`;
      throw new SystemError(errno(), "mlock2", { path: this.file.path, hint });
    }
    this.#populate();
  }

  unlock(): void {
    if (this.#pages === undefined) return;
    const { pointer, length } = this.#pages;
    if (mman().munlock(pointer, length) !== 0) {
      throw new SystemError(errno(), "munlock", { path: this.file.path });
    }
  }

  /** mincore(2): how many of the pages the page cache has. */
  resident(): { pages: number; bytes: number } {
    const AT_ONCE = 1 << 20;
    if (this.#pages === undefined) return { pages: 0, bytes: 0 };
    const total = Math.ceil((this.#lead + this.#byteLength) / PAGE);
    const states = new Uint8Array(Math.min(total, AT_ONCE));
    let resident = 0;
    for (let page = 0; page < total; page += AT_ONCE) {
      const count = Math.min(total - page, AT_ONCE);
      const pointer = offset(this.#pages.pointer, page * PAGE);
      if (mman().mincore(pointer, count * PAGE, states) !== 0) {
        throw new SystemError(errno(), "mincore", { path: this.file.path });
      }
      for (let i = 0; i < count; i++) resident += states[i] & 1;
    }
    return { pages: resident, bytes: resident * PAGE };
  }

  /** Maps the same pages for another mode in place: private ones, or the file's own. */
  protect(what: string, mode: MapMode): void {
    this.#requireFree(what);
    const { path, fd } = this.file;
    if (this.#pages !== undefined && fd !== undefined) {
      const { pointer, length } = this.#pages;
      const mapping = mappingOf({ path, fd: fd.number }, mode, this.offset - this.#lead);
      const at = mapAt(pointer, length, mapping, MAP_FIXED);
      if (at < 0n) throw mmapError(this.file, at);
    }
    this.#mode = mode;
  }

  #requireFree(what: string): void {
    if (this.#users > 0) {
      throw new MapInUseError(`${what}: it is retained, by ${this.#users}, and stays where it is`);
    }
  }

  /** Maps `length` bytes from now on. All views of before have length 0 then. */
  remap(owner: object, what: string, length: number): void {
    this.#requireFree(what);
    if (this.#views?.areEscaped) throw this.#transferred();
    const writes = writesThrough(this.#mode);
    // What was written to pages of its own goes along, also where `protect` made them so. Some of them may be lost.
    const ownsPages = !writes && (this.#mode === "c" || writesThrough(this.file.mode));
    if (ownsPages) this.requireIntact(what);
    using fd = reopen(what, this.file);
    const { size } = fd.status();
    if (this.offset + length > size) {
      if (!writes) {
        const rest = size - this.offset;
        throw new RangeError(
          `${what}: length is ${length}, and from ${this.offset} the file has ${rest} bytes`,
        );
      }
      setLength(this.file.path, fd, this.offset - this.#lead + this.#wholeOf(length));
    }
    const isEscaped = this.#views?.detach() ?? false;
    const before = this.#pages;
    const whole = this.#wholeOf(length);
    if (before === undefined) {
      this.map(owner, fd.number, length, { unsafeEnforce: this.#isEnforced });
      return;
    }
    const isLarger = whole > before.length;
    if (isEscaped || before.faults > 0 || (isLarger && !before.growInPlace(whole))) {
      const pages = this.#mapAnew(owner, fd.number, length, this.#isEnforced);
      try {
        if (ownsPages) movePages(before, pages);
      } catch (error) {
        pages.end(false);
        throw error;
      }
      this.#use(pages);
      before.end(isEscaped);
    }
    this.#byteLength = length;
    if (isEscaped) throw this.#transferred();
  }

  // A lock does both each time: the text is made where it is thrown alone.
  retain(): void {
    if (this.#users === 0 && this.#isClosed) this.requireOpen(`cannot retain ${this.file.path}`);
    this.#users++;
  }

  release(): void {
    if (this.#users === 0) throw new Error(`cannot release ${this.file.path}: nobody has retained the map`);
    this.#users--;
    if (this.#isClosed && this.#users === 0) this.#end();
  }

  /** Ends the map, or once nobody retains it any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#users === 0) this.#end();
  }

  #end(): void {
    const [pages, views] = [this.#pages, this.#views];
    this.#lastFaults = this.faults;
    this.#pages = undefined;
    this.#views = undefined;
    const isEscaped = views?.detach() ?? false;
    try {
      pages?.end(isEscaped);
    } finally {
      this.file.fd?.close();
    }
    if (isEscaped) throw this.#transferred();
  }
}
