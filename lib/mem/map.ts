import type { Pointer } from "../../ffi/mod.ts";
import { requireNames, shown } from "../io/arguments.ts";
import type { Fd } from "../io/fd.ts";
import { wantCrossings } from "./crossing.ts";
import { disposedWith, disposeWith } from "./abandoned.ts";
import type { Advice } from "./advice.ts";
import { type MapHandle, MapRecord } from "./handle.ts";
import { reopen, writesThrough } from "./map_file.ts";
import {
  type AnonymousOptions,
  type FromFdOptions,
  type MapAccess,
  type MapMode,
  type MemfdOptions,
  type MmapOptions,
  requireAdvice,
  requireCount,
} from "./map_options.ts";
import { addSeals } from "./memfd.ts";
import {
  type AdoptOptions,
  type Opening,
  openingOfFd,
  openingOfFile,
  openingOfHandle,
  openingOfMemory,
} from "./openings.ts";
import type { Region } from "./region.ts";
import type { StableBytes } from "./stable_bytes.ts";
import { bytesOf, copyOf, dataViewOf, partOf, viewAs } from "./viewing.ts";
import { LARGEST_VIEW, type ViewConstructor } from "./views.ts";

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Mmap");

declare const ACCESS: unique symbol;
const RANGE: readonly string[] = ["offset", "length"] satisfies (keyof MapRange)[];

/**
 * A view of a map that is there to be written to, or to be read: then assigning to an element does not compile. It
 * may be passed to whatever takes the typed array itself.
 */
export type View<T, A extends MapAccess> = A extends "write" ? T : Readonly<T>;

/** A part of a map, in bytes from its start: all of it where nothing is said. */
export interface MapRange {
  offset?: number;
  length?: number;
}

/** A part of a map that a loop over `windows` is given. */
export interface MapWindow<A extends MapAccess> {
  /** Of its first byte, in the map. */
  readonly byteOffset: number;
  readonly bytes: View<Uint8Array<ArrayBuffer>, A>;
}

/**
 * A part of a map that shares, and where it lies: for the inside of this folder. It goes by what the map is, and not by
 * its properties, which anybody may define anew.
 */
export let sharedIn: (
  map: Mmap<MapAccess>,
  what: string,
  byteOffset: number,
  byteLength: number,
) => { bytes: Uint8Array<ArrayBuffer>; pointer: Pointer | undefined; path: string };

/** A file, or a part of one, as memory. */
export class Mmap<A extends MapAccess = "read"> implements Disposable, StableBytes {
  /**
   * For the compiler alone: a map that is there to be written to is one to be read, and not the other way round. By the
   * `-?` it compares the members, and not what is said of `A`.
   */
  declare readonly [ACCESS]?: { readonly [K in [A] extends ["write"] ? "write" : never]-?: true };
  readonly #region: Region;
  /** Of what has been shared: more than one where it was changed since. */
  readonly #records: MapRecord[] = [];

  static {
    sharedIn = (map, what, byteOffset, byteLength) => {
      if (typeof map !== "object" || map === null || !(#region in map)) {
        throw new TypeError(`${what}: map is no Mmap`);
      }
      const region = map.#region;
      const { path } = region.file;
      if (!writesThrough(region.mode)) {
        throw new TypeError(`${what}: mode ${region.mode} of ${path} shares nothing; take r+`);
      }
      const bytes = bytesOf(region, byteOffset, byteLength);
      return { bytes, pointer: region.pointerTo(byteOffset), path };
    };
  }

  private constructor(key: symbol, opening: Opening) {
    if (key !== KEY) throw new TypeError("cannot make a map: call Mmap.open");
    const { region, fd, length, options } = opening;
    this.#region = region;
    const { fd: kept } = region.file;
    try {
      // Files of /proc say that they are empty; only mmap tells.
      if (length === 0) region.probe(fd.number);
      region.map(this, fd.number, length, options);
    } catch (error) {
      region.close();
      throw error;
    } finally {
      if (kept === undefined) fd.close();
    }
    if (kept !== undefined) disposeWith(this, kept);
  }

  /**
   * Maps a file, or a part of it. Costs a few system calls, whatever the file's size. An empty file, or range,
   * maps to no bytes.
   *
   * A map of mode `r` or `c` has no descriptor open, one of the other modes has. In mode `w+` the file is made anew
   * and has `offset + length` zeros; in mode `a+` it is lengthened where it is shorter.
   *
   * @throws {RangeError} for a range outside the file.
   * @throws {TypeError} for what has no pages (a pipe, a directory, a device), and for an option that is none.
   * @throws {SystemError} where open(2), mmap(2) or ftruncate(2) fails.
   * @throws {Deno.errors.NotCapable} where the sandbox lets the path not be read, or written.
   *
   * @example
   * ```ts
   * import { Mmap } from "@oxbow/oxbow/mmap";
   * import { tmpdir } from "node:os";
   * import { join } from "node:path";
   *
   * const path = join(tmpdir(), "oxbow-example-counters.bin");
   * {
   *   using map = Mmap.open(path, { mode: "w+", length: 16 });
   *   map.view(Float64Array, 0, 2)[1] = 42;
   * }
   * using map = Mmap.open(path);
   * console.log(map.view(Float64Array, 8, 1)[0]); // 42
   * ```
   */
  static open(
    path: string | URL,
    options: MmapOptions & { mode: "r+" | "c" | "w+" | "a+" },
  ): Mmap<"write">;
  static open(path: string | URL, options?: MmapOptions): Mmap;
  static open(path: string | URL, options: MmapOptions = {}): Mmap<MapAccess> {
    return new Mmap(KEY, openingOfFile(path, options));
  }

  /**
   * Maps `length` zeros that have no path: memory to share with other threads. It is a file in memory, which holds
   * a descriptor.
   *
   * @throws {RangeError} where `length` is no count of bytes.
   * @throws {SystemError} where memory is short.
   */
  static anonymous(length: number, options: AnonymousOptions = {}): Mmap<"write"> {
    return Mmap.memfd("oxbow", length, options);
  }

  /**
   * Maps a file in memory of `length` zeros, whose name is seen in `/proc/self/maps` alone. It goes with its last
   * map and descriptor. Sealed against `shrink` it cannot be cut short under a map by whoever else has it.
   *
   * @throws {TypeError} where the name is no text of up to 249 bytes, or a seal is none.
   * @throws {RangeError} where `length` is no count of bytes.
   * @throws {SystemError} where memory is short, or there are no `reserved` pages.
   */
  static memfd(name: string, length: number, options: MemfdOptions = {}): Mmap<"write"> {
    const { opening, seals } = openingOfMemory(name, length, options);
    const map = new Mmap<"write">(KEY, opening);
    try {
      // Only now, since one of them forbids to map it so.
      addSeals(name, opening.fd, seals);
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
    return map;
  }

  /**
   * Maps what a descriptor has open, with a duplicate of it: the descriptor may be closed. What the map may do is
   * what the descriptor may.
   *
   * @throws {RangeError} for a range outside the file.
   * @throws {TypeError} for what has no pages, and for what is no `Fd`.
   * @throws {SystemError} `EACCES` where the descriptor is not open for what the mode does.
   */
  static fromFd(fd: Fd, options: FromFdOptions & { mode: "r+" | "c" }): Mmap<"write">;
  static fromFd(fd: Fd, options?: FromFdOptions): Mmap;
  static fromFd(fd: Fd, options: FromFdOptions = {}): Mmap<MapAccess> {
    return new Mmap(KEY, openingOfFd(fd, options));
  }

  /**
   * Maps what another thread's map was shared as. No byte is copied: both see the same pages. Each has a mapping
   * of its own, so that one may be disposed, or its thread die, without the other. Costs a few system calls.
   *
   * @throws {HandleError} where the handle is stale, forged, or of another process.
   * @throws {SystemError} `EACCES` where the mode is `r+` and the map that was shared is only read.
   */
  static adopt(handle: MapHandle, options: AdoptOptions & { mode: "r+" | "c" }): Mmap<"write">;
  static adopt(handle: MapHandle, options?: AdoptOptions): Mmap;
  static adopt(handle: MapHandle, options: AdoptOptions = {}): Mmap<MapAccess> {
    return new Mmap(KEY, openingOfHandle(handle, options));
  }

  /** The file's, or what errors call the memory. */
  get path(): string {
    return this.#region.file.path;
  }

  /** As the map was opened, or as `protect` has changed it. */
  get mode(): MapMode {
    return this.#region.mode;
  }

  /** In bytes. */
  get byteLength(): number {
    return this.#region.byteLength;
  }

  /** Whether it was disposed, even where somebody retains it still. */
  get isClosed(): boolean {
    return this.#region.isClosed;
  }

  /** Whether what is written is seen by others: by the file, and by whoever else maps it. */
  get isShared(): boolean {
    return writesThrough(this.#region.mode);
  }

  /**
   * Whether the CPU refuses to write, which then ends the process: where `unsafeEnforce` asked for it, and where
   * memory for private pages is not to be had (strict overcommit).
   */
  get isEnforced(): boolean {
    return this.#region.isEnforced;
  }

  /**
   * Whether the process goes on where the file is cut short under the map. An empty map is not. It does not see that
   * `process.on("SIGBUS")` has put another handler in the guard's place, until the next map is opened.
   */
  get guarded(): boolean {
    return this.#region.guarded;
  }

  /** How many pages of the map could not be had when they were used, and were zeros: see `check`. */
  faults(): number {
    return this.#region.faults;
  }

  /**
   * Throws where pages of the map are no longer the file's, as every `view`, `bytes`, `dataView`, `copy` and
   * `flushSync` does.
   *
   * @throws {MapTruncatedError} where the file was cut short, and the map used behind its end.
   * @throws {MapFaultError} where pages could not be had for another reason: a full disk under a sparse file.
   */
  check(): void {
    this.#region.requireWhole(this.#cannot("use"));
  }

  #cannot(verb: string): string {
    return `cannot ${verb} ${this.#region.file.path}`;
  }

  /**
   * The map's bytes, or `length` of them from `offset`, without a copy. Throws a `RangeError` outside the
   * map, and for more than 4 GiB at once: `windows` gives those in parts. Whoever is given them asynchronously must be
   * done before the map is disposed, or has zeros.
   */
  bytes(offset?: number, length?: number): View<Uint8Array<ArrayBuffer>, A>;
  bytes(offset?: number, length?: number): Uint8Array<ArrayBuffer> {
    return bytesOf(this.#region, offset, length);
  }

  /**
   * `length` elements of `Type` from `byteOffset`, without a copy. Throws a `RangeError` outside the map,
   * for more than 4 GiB at once, and where the elements would not lie at a multiple of their size.
   */
  view<T extends ArrayBufferView<ArrayBuffer>>(
    Type: ViewConstructor<T>,
    byteOffset: number,
    length: number,
  ): View<T, A>;
  view<T extends ArrayBufferView<ArrayBuffer>>(
    Type: ViewConstructor<T>,
    byteOffset: number,
    length: number,
  ): ArrayBufferView<ArrayBuffer> {
    return viewAs(this.#region, Type, byteOffset, length);
  }

  /**
   * A `DataView` of all bytes, or of `length` from `offset`: numbers of any alignment and byte order, without a
   * copy. Throws as `bytes` does. That of a map that is only read can be written to, which changes what the map shows,
   * and never the file.
   */
  dataView(offset?: number, length?: number): DataView<ArrayBuffer> {
    return dataViewOf(this.#region, offset, length);
  }

  /**
   * A copy of `length` elements of `Type` from `byteOffset`, which lie anywhere. The copy is the caller's, and holds
   * when the map is gone. Throws a `RangeError` outside the map.
   */
  copy<T extends ArrayBufferView<ArrayBuffer>>(
    Type: ViewConstructor<T>,
    byteOffset: number,
    length: number,
  ): T {
    return copyOf(this.#region, Type, byteOffset, length);
  }

  /**
   * The map in parts of `size` bytes, the last one shorter: for what is larger than one view. All of them hold until
   * the map is disposed.
   *
   * @example
   * ```ts
   * import { Mmap } from "@oxbow/oxbow/mmap";
   *
   * using map = Mmap.anonymous(10);
   * console.log(Array.from(map.windows(4), ({ byteOffset, bytes }) => [byteOffset, bytes.length]));
   * // [ [ 0, 4 ], [ 4, 4 ], [ 8, 2 ] ]
   * ```
   */
  windows(size: number): IterableIterator<MapWindow<A>> {
    const what = this.#cannot("divide");
    this.#region.requireIntact(what);
    if (!(Number.isSafeInteger(size) && size > 0 && size <= LARGEST_VIEW)) {
      throw new RangeError(
        `${what}: size is ${shown(size)}, not a count of bytes from 1 to ${LARGEST_VIEW}`,
      );
    }
    return this.#windows(size);
  }

  *#windows(size: number): Generator<MapWindow<A>, void, undefined> {
    for (let byteOffset = 0; byteOffset < this.#region.byteLength; byteOffset += size) {
      const length = Math.min(size, this.#region.byteLength - byteOffset);
      yield { byteOffset, bytes: bytesOf(this.#region, byteOffset, length) };
    }
  }

  /** Reads the range once, and before anything is checked: its getters may be anybody's, and dispose the map. */
  #range(what: string, range: MapRange): [offset: number, length: number] {
    requireNames(what, "range is", range, RANGE);
    const { offset, length } = range;
    this.#region.requireOpen(what);
    return partOf(this.#region, what, offset, length);
  }

  #requireShared(what: string): void {
    const { mode } = this.#region;
    if (!writesThrough(mode)) {
      throw new TypeError(`${what}: mode ${mode} writes to no file; open it with mode r+`);
    }
  }

  /**
   * Writes to the disk what was written to the map, and is back when it is there: msync(2). Of a range, the pages
   * that it touches.
   *
   * @throws {TypeError} where the map writes to no file.
   * @throws {MapFaultError} where something that was written is lost.
   * @throws {SystemError} `EIO` where the disk fails.
   */
  flushSync(range: MapRange = {}): void {
    const what = this.#cannot("flush");
    const [offset, length] = this.#range(what, range);
    this.#requireShared(what);
    this.#region.flush(offset, length);
    this.#region.requireIntact(what);
  }

  /** Begins to write to the disk what was written to the map, and does not wait for it: sync_file_range(2). */
  flush(range: MapRange = {}): void {
    const what = this.#cannot("flush");
    const [offset, length] = this.#range(what, range);
    this.#requireShared(what);
    this.#region.requireIntact(what);
    this.#region.startFlush(offset, length);
  }

  /**
   * Tells the kernel how the pages will be used: madvise(2). Of a range, the pages that it touches; where the advice
   * changes bytes (`dontneed`, `remove`), those that lie in it as a whole.
   *
   * @throws {TypeError} for what is no advice.
   * @throws {SystemError} where the kernel does not take it for this map.
   */
  advise(advice: Advice, range: MapRange = {}): void {
    const what = this.#cannot("advise");
    if (advice === undefined) throw new TypeError(`${what}: advice is missing`);
    requireAdvice(what, advice);
    const [offset, length] = this.#range(what, range);
    this.#region.advise(advice, offset, length);
  }

  /**
   * Reads all pages in and keeps them in memory: mlock2(2). What a private page holds is not copied for it.
   *
   * @throws {SystemError} `ENOMEM` or `EPERM` where `ulimit -l` does not let the process lock so much.
   */
  lock(): void {
    this.#region.requireOpen(this.#cannot("lock"));
    this.#region.lock();
  }

  /** Lets the pages go when memory is short, as before: munlock(2). */
  unlock(): void {
    this.#region.requireOpen(this.#cannot("unlock"));
    this.#region.unlock();
  }

  /**
   * Changes the mode of a map that writes to its file, in place: with `r` what is written from now on stays in private
   * pages, and the file is safe; `r+` lets go of those, and writes to the file again. All views stay. Nothing is
   * refused by a signal, as mprotect(2) would.
   *
   * @throws {TypeError} where the map was opened with a mode that writes to no file.
   * @throws {MapInUseError} where somebody has retained the map.
   */
  protect(mode: A extends "write" ? "r" | "r+" : "r"): void;
  protect(mode: "r" | "r+"): void {
    const what = this.#cannot("protect");
    this.#region.requireIntact(what);
    if (mode !== "r" && mode !== "r+") {
      throw new TypeError(
        `${what}: mode is ${typeof mode === "string" ? mode : shown(mode)}, and neither r nor r+`,
      );
    }
    if (!writesThrough(this.#region.file.mode)) {
      throw new TypeError(
        `${what}: it was opened with mode ${this.#region.file.mode}, which writes to no file`,
      );
    }
    this.#region.protect(what, mode);
  }

  /**
   * Maps `length` bytes from now on, from the same first one: mremap(2), in place or elsewhere. A file that the map
   * writes to is lengthened where it is shorter. Views of before have length 0 then, and new ones are to be taken.
   * A map that becomes smaller keeps its pages until it ends.
   *
   * @throws {RangeError} where the file is shorter, and the map only reads it.
   * @throws {MapInUseError} where somebody has retained the map.
   * @throws {MapTransferredError} where a buffer of it was transferred away.
   */
  remap(length: number): void {
    const what = this.#cannot("remap");
    this.#region.requireOpen(what);
    requireCount(what, "length", length);
    requireCount(what, "offset + length", this.#region.offset + length);
    this.#region.remap(this, what, length);
  }

  /**
   * How much of the map the page cache has, whoever has read it: mincore(2). For a file that the process may not
   * write to, and does not own, the kernel says that all of it is.
   */
  resident(): { pages: number; bytes: number } {
    this.#region.requireOpen(this.#cannot("look at"));
    return this.#region.resident();
  }

  /**
   * A handle for other threads of this process, which `adopt` it. It may be posted to any of them, and more than
   * once. It is stale when this map is disposed or collected, which leaves those alone that were adopted: keep the map
   * until then. It stands for the map as it is now, and not as `remap` and `protect` make it later. Another process
   * takes the file's descriptor instead, over a Unix socket (SCM_RIGHTS), and `fromFd`: `/proc/PID/fd` is open only to
   * whom ptrace(2) is.
   *
   * A file is known by its descriptor from then on, and no more by its path.
   *
   * @throws {TypeError} in mode `c`, whose pages are this map's own.
   * @throws {Error} where another file has taken the path of a map that reads it.
   */
  share(): MapHandle {
    const what = this.#cannot("share");
    this.#region.requireIntact(what);
    const { mode, byteLength } = this.#region;
    if (mode === "c") {
      throw new TypeError(`${what}: mode c has pages of its own, which nobody else can map`);
    }
    const writes = writesThrough(mode);
    const known = this.#records.find((record) =>
      record.writes === writes && record.byteLength === byteLength
    );
    return (known ?? this.#newRecord(what, writes)).handle;
  }

  #newRecord(what: string, writes: boolean): MapRecord {
    const { file, offset, byteLength } = this.#region;
    const fd = reopen(what, file);
    try {
      const { device, inode } = file;
      const record = new MapRecord({
        fd,
        writes,
        device,
        inode,
        offset,
        byteLength,
      });
      disposeWith(this, record);
      this.#records.push(record);
      return record;
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /**
   * A descriptor of the map's file, for its owner to close: what another process is passed, by `UnixSocket` of
   * `@oxbow/oxbow/io`, to map it with `fromFd`. It may do what the map's mode does to the file.
   *
   * @throws {Error} where another file has taken the path of a map that reads it.
   */
  dupFd(): Fd {
    const what = this.#cannot("pass on");
    this.#region.requireOpen(what);
    return reopen(what, this.#region.file);
  }

  /**
   * Keeps the memory where it is until `release`, once for each call: dispose then closes the map, and its views hold
   * on. It may be called of a map that was disposed, where somebody else has retained it.
   */
  retain(): void {
    this.#region.retain();
  }

  /** Ends what one `retain` began, and the map itself where it is the last and the map was disposed. */
  release(): void {
    this.#region.release();
  }

  /**
   * Detaches every view, puts zero pages in the file's place, and gives the addresses back when nobody has them. Does
   * nothing the second time. Of a map that somebody retains it closes the door alone: the rest comes with the last
   * `release`.
   *
   * @throws {MapTransferredError} where a buffer of the map had been transferred away, or cannot be detached for what
   * the host does with it: its zero pages stay.
   */
  [Symbol.dispose](): void {
    for (const record of this.#records) {
      record[Symbol.dispose]();
      disposedWith(record);
    }
    this.#records.length = 0;
    const { file } = this.#region;
    try {
      this.#region.close();
    } finally {
      // Of a map that is retained and then forgotten the descriptor is still to be closed.
      if (file.fd !== undefined && !this.#region.isHeld) disposedWith(file.fd);
    }
  }
}

// map_crossing.ts, which imports this one.
wantCrossings();
