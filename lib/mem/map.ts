import type { Pointer } from "../../ffi/mod.ts";
import { requireNames, shown } from "../io/arguments.ts";
import { Fd, numberOf, toPath } from "../io/fd.ts";
import { disposedWith, disposeWith } from "./abandoned.ts";
import type { Advice } from "./advice.ts";
import { type MapHandle, MapRecord, resolve } from "./handle.ts";
import {
  locationOf,
  mappableStatus,
  openFor,
  reopen,
  requireAccess,
  setLength,
  writesThrough,
} from "./map_file.ts";
import {
  type AnonymousOptions,
  checkedRange,
  type FromFdOptions,
  type MapAccess,
  type MapMode,
  type MemfdOptions,
  type MmapOptions,
  readMemfdOptions,
  readOptions,
  requireAdvice,
  requireCount,
  requireNumber,
} from "./map_options.ts";
import { addSeals, createMemfd, hasLargePages } from "./memfd.ts";
import { Region } from "./region.ts";
import type { StableBytes } from "./stable_bytes.ts";
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

/** What is done with a handle's map. */
export interface AdoptOptions {
  /** That of the map that was shared, `r` or `r+`, where nothing is said. */
  mode?: "r" | "r+" | "c";
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

/** Throws for what is no constructor, without calling it. */
function requireConstructor(what: string, Type: unknown): void {
  try {
    if (typeof Type === "function") return void Reflect.construct(Object, [], Type);
  } catch {
    // Told below.
  }
  throw new TypeError(`${what}: Type is ${shown(Type)}, and it is no typed array's constructor`);
}

/** What a type says of itself, asked once. Throws where it is none of a typed array's. */
function elementsOf(
  what: string,
  Type: ViewConstructor<ArrayBufferView<ArrayBuffer>>,
): { name: string; size: number } {
  requireConstructor(what, Type);
  const { name, BYTES_PER_ELEMENT: size } = Type;
  if (typeof name !== "string") {
    throw new TypeError(`${what}: the name of Type is ${shown(name)}, and no text`);
  }
  if (Object.is(Type, DataView) || Object.prototype.isPrototypeOf.call(DataView, Type)) {
    throw new TypeError(`${what} as ${name}: it is no typed array; use dataView()`);
  }
  if (!(Number.isSafeInteger(size) && size > 0 && size <= 8)) {
    throw new TypeError(
      `${what} as ${name}: it is no typed array, whose BYTES_PER_ELEMENT is from 1 to 8, and here ${
        shown(size)
      }`,
    );
  }
  return { name, size };
}

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
      const bytes = map.#bytes(byteOffset, byteLength);
      return { bytes, pointer: region.pointerTo(byteOffset), path };
    };
  }

  private constructor(key: symbol, region: Region, fd: Fd, length: number, options: MmapOptions) {
    if (key !== KEY) throw new TypeError("cannot make a map: call Mmap.open");
    this.#region = region;
    try {
      // Files of /proc say that they are empty; only mmap tells.
      if (length === 0) region.probe(fd.number);
      region.map(this, fd.number, length, options);
    } catch (error) {
      region.close();
      throw error;
    }
    if (region.file.fd !== undefined) disposeWith(this, region.file.fd);
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
    const name = toPath(path, "map");
    const what = `cannot map ${name}`;
    const read = readOptions(what, options);
    const { mode = "r" } = read;
    const fd = openFor(name, mode);
    try {
      return Mmap.#ofFile(what, name, fd, read);
    } finally {
      if (!writesThrough(mode)) fd.close();
    }
  }

  /** Takes over a descriptor that a mode writes through, or closes it. */
  static #ofFile(what: string, path: string, fd: Fd, options: MmapOptions): Mmap<MapAccess> {
    const { mode = "r" } = options;
    try {
      const { size: found, device, inode } = mappableStatus(what, fd);
      const grows = mode === "w+" || mode === "a+";
      const [offset, length] = checkedRange(what, found, options, grows);
      // What is refused leaves the file as it was.
      if (mode === "w+" || (grows && offset + length > found)) setLength(path, fd, offset + length);
      if (mode === "w+") {
        setLength(path, fd, 0);
        setLength(path, fd, offset + length);
      }
      const kept = writesThrough(mode) ? fd : undefined;
      const region = new Region({ path, location: locationOf(path), mode, fd: kept, device, inode }, offset);
      return new Mmap(KEY, region, fd, length, options);
    } catch (error) {
      fd.close();
      throw error;
    }
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
    if (typeof name !== "string" || name.includes("\0") || new TextEncoder().encode(name).length > 249) {
      throw new TypeError("cannot map memory: its name is no text of up to 249 bytes without a NUL");
    }
    const what = `cannot map memory as ${name}`;
    requireCount(what, "length", length);
    const { advice, hugePages, populate, seals = [] } = readMemfdOptions(what, options);
    const fd = createMemfd(name, length, hugePages);
    const { device, inode } = fd.status();
    const isLarge = hugePages === "reserved";
    const region = new Region({ path: name, mode: "r+", fd, device, inode, hasLargePages: isLarge }, 0);
    const transparent = hugePages === "transparent" ? { hugePages } : {};
    const map = new Mmap<"write">(KEY, region, fd, length, { advice, populate, ...transparent });
    try {
      addSeals(name, fd, seals);
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
    const read = readOptions("cannot map a descriptor", options, ["r", "r+", "c"]);
    if (!Fd.isFd(fd)) throw new TypeError("cannot map a descriptor: fd is no Fd");
    const path = `descriptor ${numberOf(fd)}`;
    const what = `cannot map ${path}`;
    const { mode = "r" } = read;
    // A duplicate is of the class itself, whatever has become of the other's properties.
    const own = Fd.prototype.dup.call(fd);
    try {
      requireAccess(path, own, mode);
      const { size, device, inode } = mappableStatus(what, own);
      const [offset, length] = checkedRange(what, size, read, false);
      return Mmap.#ofOwned(path, mode, own, { device, inode }, offset, length, read);
    } catch (error) {
      own.close();
      throw error;
    }
  }

  static #ofOwned(
    path: string,
    mode: MapMode,
    fd: Fd,
    identity: { device: bigint; inode: bigint },
    offset: number,
    length: number,
    options: MmapOptions,
  ): Mmap<MapAccess> {
    const region = new Region({ path, mode, fd, ...identity, hasLargePages: hasLargePages(fd) }, offset);
    return new Mmap(KEY, region, fd, length, options);
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
    const asked = readOptions("cannot adopt a map", options, ["r", "r+", "c"], ["mode"]);
    const { nonce, fd, writes, offset, byteLength, ...identity } = resolve(handle);
    const path = `shared map ${nonce}`;
    const { mode = writes ? "r+" : "r" } = asked;
    try {
      requireAccess(path, fd, mode);
      // It may have been cut short since.
      checkedRange(`cannot adopt ${path}`, fd.status().size, { offset, length: byteLength }, false);
    } catch (error) {
      fd.close();
      throw error;
    }
    return Mmap.#ofOwned(path, mode, fd, identity, offset, byteLength, {});
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
    return this.#bytes(offset, length);
  }

  #bytes(offset?: number, length?: number): Uint8Array<ArrayBuffer> {
    const what = `cannot view ${this.#region.file.path} as Uint8Array`;
    this.#region.requireIntact(what);
    const [from, count] = this.#part(what, offset, length);
    if (count === 0) return new Uint8Array(0);
    const { lent, start } = this.#covering(what, from, count);
    return new Uint8Array(lent.buffer, start, count);
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
    // Read once and before anything is checked: `Type` may be anybody's, and its getters may dispose the map.
    const { name, size } = elementsOf(this.#cannot("view"), Type);
    const what = `cannot view ${this.#region.file.path} as ${name}`;
    this.#region.requireIntact(what);
    this.#requireElements(what, byteOffset, length, size);
    if (this.#region.placeOf(byteOffset) % size !== 0) {
      throw new RangeError(
        `${what}: byte ${byteOffset} does not lie at a multiple of ${size} in the file; copy the bytes with ` +
          "copy(), or use dataView()",
      );
    }
    if (length === 0) return new Type(new ArrayBuffer(0), 0, 0);
    const { lent, start } = this.#covering(what, byteOffset, length * size);
    return new Type(lent.buffer, start, length);
  }

  /** What is said of a part, in bytes, and up to the map's end where no length is. */
  #part(what: string, offset = 0, length?: number): [offset: number, length: number] {
    requireNumber(what, "offset", offset);
    if (length !== undefined) requireNumber(what, "length", length);
    const count = length ?? this.#region.byteLength - offset;
    this.#requireIn(what, offset, count, 1, "bytes");
    return [offset, count];
  }

  #requireElements(what: string, byteOffset: number, length: number, size: number): void {
    requireNumber(what, "byteOffset", byteOffset);
    requireNumber(what, "length", length, "elements");
    this.#requireIn(what, byteOffset, length, size, "elements");
  }

  #requireIn(what: string, byteOffset: number, length: number, size: number, unit: string): void {
    const { byteLength } = this.#region;
    const areCounts = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(length) && byteOffset >= 0 &&
      length >= 0;
    if (!areCounts || byteOffset + length * size > byteLength) {
      throw new RangeError(
        `${what}: ${length} ${unit} from byte ${byteOffset} do not lie in its ${byteLength} bytes`,
      );
    }
  }

  #covering(what: string, from: number, byteLength: number): ReturnType<Region["covering"]> {
    if (byteLength > LARGEST_VIEW) {
      throw new RangeError(
        `${what}: ${byteLength} bytes are more than one view holds, ${LARGEST_VIEW}; take windows()`,
      );
    }
    return this.#region.covering(from, from + byteLength);
  }

  /**
   * A `DataView` of all bytes, or of `length` from `offset`: numbers of any alignment and byte order, without a
   * copy. Throws as `bytes` does. That of a map that is only read can be written to, which changes what the map shows,
   * and never the file.
   */
  dataView(offset?: number, length?: number): DataView<ArrayBuffer> {
    const what = `cannot view ${this.#region.file.path} as DataView`;
    this.#region.requireIntact(what);
    const [from, count] = this.#part(what, offset, length);
    if (count === 0) return new DataView(new ArrayBuffer(0));
    const { lent, start } = this.#covering(what, from, count);
    return new DataView(lent.buffer, start, count);
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
    const { name, size } = elementsOf(this.#cannot("copy"), Type);
    const what = `cannot copy ${this.#region.file.path} as ${name}`;
    this.#region.requireIntact(what);
    this.#requireElements(what, byteOffset, length, size);
    const bytes = this.#bytes(byteOffset, length * size);
    return new Type(bytes.slice().buffer, 0, length);
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
      yield { byteOffset, bytes: this.#bytes(byteOffset, length) };
    }
  }

  /** Reads the range once, and before anything is checked: its getters may be anybody's, and dispose the map. */
  #range(what: string, range: MapRange): [offset: number, length: number] {
    requireNames(what, "range is", range, RANGE);
    const { offset, length } = range;
    this.#region.requireOpen(what);
    return this.#part(what, offset, length);
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
