/**
 * Files as memory, by mmap(2). A map hands out ordinary typed arrays over the page cache: nothing is read
 * before it is asked for, and processes that map the same file share its pages.
 *
 * A map cannot be used after free. Disposing detaches every buffer that was handed out, which leaves each
 * of its views with length 0, and only then unmaps; so a read too late is `undefined`, never a signal.
 * The pages are mapped private and writable under a read-only promise: a stray write costs one private
 * page and never reaches the file.
 *
 * @example
 * ```ts
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const path = join(tmpdir(), "oxbow-example.bin");
 * writeFileSync(path, new Uint8Array(Float32Array.of(1, 2, 3).buffer));
 * using map = Mmap.open(path);
 * console.log(map.view(Float32Array, 4, 2)); // Float32Array(2) [ 2, 3 ]
 * ```
 *
 * @module
 */
import {
  check,
  errno,
  libc,
  NULL,
  offset,
  type Pointer,
  pointerAt,
  SystemError,
  unsafeBufferAt,
} from "../../ffi/mod.ts";
import { Fd, type FileStatus, toPath } from "../io/fd.ts";

const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const PAGE = 4096;
const ENODEV = 19;
/** JSC's largest buffer; V8 would allow more, but one limit on all hosts is easier to live with. */
const LARGEST_VIEW = 2 ** 32;

/**
 * Ranges of disposed maps, oldest first: zero pages for a while before they are unmapped, since a host that
 * was given a view for another thread (to compress it, to fill it) holds its address and not its buffer.
 */
const quarantine: { pages: Pointer; length: number }[] = [];
const QUARANTINED_RANGES = 256;
const QUARANTINED_BYTES = 2 ** 42;
let quarantinedBytes = 0;

/** What part of a file is mapped. */
export interface MmapOptions {
  /** The first byte, of any alignment: 0 where nothing is said. */
  offset?: number;
  /** In bytes: up to the file's end where nothing is said. */
  length?: number;
}

/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Mmap");

/** A constructor of typed arrays over a buffer. */
export interface ViewConstructor<T extends ArrayBufferView<ArrayBuffer>> {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
}

/**
 * A buffer of the map was transferred away, or the host holds on to it: its memory reads zero from now on,
 * and stays mapped.
 */
export class MapTransferredError extends Error {
  override readonly name = "MapTransferredError";
}

const WHY_NOT: Partial<Record<FileStatus["type"], string>> = {
  directory: "it is a directory",
  fifo: "it is a pipe, which has no pages; read it instead",
  character: "it is a terminal or another device, which has no pages; read it instead",
  socket: "it is a socket, which has no pages; read it instead",
  block: "it is a block device, whose length fstat does not tell; read it instead",
};

function checkedRange(path: string, size: number, { offset = 0, length }: MmapOptions): [number, number] {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > size) {
    throw new RangeError(`cannot map ${path}: offset is ${offset}, and the file has ${size} bytes`);
  }
  const rest = size - offset;
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0 || length > rest)) {
    throw new RangeError(
      `cannot map ${path}: length is ${length}, and from ${offset} the file has ${rest} bytes`,
    );
  }
  return [offset, length ?? rest];
}

/** Puts zero pages in the range's place: what reads it from now on, reads nothing of the file. */
function blank(path: string, pages: Pointer, length: number): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  if (libc().mmap(pages, length, PROT_READ_WRITE, flags, -1, 0) === -1n) {
    throw new SystemError(errno(), "mmap", { path });
  }
}

/** Unmaps the range once enough others were disposed after it. */
function unmapLater(pages: Pointer, length: number): void {
  quarantine.push({ pages, length });
  quarantinedBytes += length;
  while (quarantine.length > QUARANTINED_RANGES || quarantinedBytes > QUARANTINED_BYTES) {
    const oldest = quarantine.shift();
    if (oldest === undefined) return;
    quarantinedBytes -= oldest.length;
    check(libc().munmap(oldest.pages, oldest.length), "munmap");
  }
}

/** The address of the mapping's first page. */
function mapPages(path: string, fd: Fd, offset: number, length: number): bigint {
  const flags = MAP_PRIVATE | MAP_NORESERVE;
  const address = libc().mmap(NULL, length, PROT_READ_WRITE, flags, fd.number, offset);
  if (address !== -1n) return address;
  const failure = errno();
  const hint = failure === ENODEV ? "its file system makes it up as it is read; read it instead" : undefined;
  throw new SystemError(failure, "mmap", { path, hint });
}

/** Part of a file as memory, read-only by promise. */
export class Mmap implements Disposable {
  readonly path: string;
  #byteLength: number;
  /** The page that holds the first byte, and how far in it lies. `NULL` where nothing is mapped. */
  #pages: Pointer;
  #lead: number;
  /** Every buffer handed out: dispose detaches them all before it unmaps. */
  #buffers: ArrayBuffer[] = [];
  #closed = false;

  private constructor(key: symbol, path: string, pages: Pointer, lead: number, byteLength: number) {
    if (key !== KEY) throw new TypeError("cannot make a map: call Mmap.open");
    this.path = path;
    this.#pages = pages;
    this.#lead = lead;
    this.#byteLength = byteLength;
  }

  /**
   * Maps a file, or a part of it. Costs a few system calls, whatever the file's size. Throws a
   * `RangeError` for a range outside the file, a `TypeError` for what has no pages (a pipe, a directory,
   * a device), a `SystemError` where open(2) or mmap(2) fails, and Deno's `NotCapable` where the path may
   * not be read. An empty file, or range, maps to zero bytes.
   */
  static open(path: string | URL, options: MmapOptions = {}): Mmap {
    const name = toPath(path);
    using fd = Fd.open(name);
    const { type, size } = fd.status();
    const why = WHY_NOT[type];
    if (why !== undefined) throw new TypeError(`cannot map ${name}: ${why}`);
    // Files of /proc say that they are empty; only mmap tells.
    if (size === 0) check(libc().munmap(pointerAt(mapPages(name, fd, 0, 1)), 1), "munmap");
    const [first, length] = checkedRange(name, size, options);
    if (length === 0) return new Mmap(KEY, name, NULL, 0, 0);
    const lead = first % PAGE;
    const pages = pointerAt(mapPages(name, fd, first - lead, lead + length));
    return new Mmap(KEY, name, pages, lead, length);
  }

  /** In bytes. */
  get byteLength(): number {
    return this.#byteLength;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * The map's bytes, or `length` of them from `offset`, without a copy. Throws a `RangeError` outside the
   * map, and for more than 4 GiB at once.
   */
  bytes(offset = 0, length: number = this.byteLength - offset): Uint8Array<ArrayBuffer> {
    return this.view(Uint8Array, offset, length);
  }

  /**
   * `length` elements of `Type` from `byteOffset`, without a copy. Throws a `RangeError` outside the map,
   * for more than 4 GiB at once, and where the elements would not lie at a multiple of their size.
   */
  view<T extends ArrayBufferView<ArrayBuffer>>(
    Type: ViewConstructor<T>,
    byteOffset: number,
    length: number,
  ): T {
    // Read once and before anything is checked: `Type` may be anybody's, and its getters may dispose the map.
    const { name, BYTES_PER_ELEMENT: size } = Type;
    const what = `cannot view ${this.path} as ${name}`;
    if (this.#closed) throw new Error(`${what}: the map was disposed`);
    if (!(Number.isSafeInteger(size) && size > 0)) throw new TypeError(`${what}: it is no typed array`);
    const fits = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(length) && byteOffset >= 0 &&
      length >= 0;
    if (!fits || byteOffset + length * size > this.#byteLength) {
      throw new RangeError(
        `${what}: ${length} elements from byte ${byteOffset} do not lie in its ${this.#byteLength} bytes`,
      );
    }
    if ((this.#lead + byteOffset) % size !== 0) {
      throw new RangeError(
        `${what}: byte ${byteOffset} does not lie at a multiple of ${size} in the file; copy the bytes, or use a DataView`,
      );
    }
    if (length === 0) return new Type(new ArrayBuffer(0), 0, 0);
    const byteLength = length * size;
    const whole = this.#lead + this.#byteLength;
    if (whole <= LARGEST_VIEW) {
      const buffer = this.#buffers[0] ?? this.#buffer(0, whole);
      return new Type(this.#kept(buffer), this.#lead + byteOffset, length);
    }
    if (byteLength > LARGEST_VIEW) {
      throw new RangeError(`${what}: ${byteLength} bytes are more than one view holds, ${LARGEST_VIEW}`);
    }
    return new Type(this.#buffer(this.#lead + byteOffset, byteLength), 0, length);
  }

  #buffer(from: number, length: number): ArrayBuffer {
    const address = offset(this.#pages, from);
    // SAFETY: the range lies in the mapping, which dispose ends only after it has detached this buffer.
    const buffer = unsafeBufferAt(address, length);
    this.#buffers.push(buffer);
    return buffer;
  }

  #kept(buffer: ArrayBuffer): ArrayBuffer {
    if (buffer.detached) throw new MapTransferredError(this.#transferred());
    return buffer;
  }

  #transferred(): string {
    return `cannot use the map of ${this.path}: a buffer of it was transferred away, or is in use by the host; ` +
      "copy bytes with slice() before they are transferred, and wait for what was given them";
  }

  /**
   * Detaches every view, puts zero pages in the file's place, and unmaps them later. Does nothing the second
   * time. Throws a `MapTransferredError` where a buffer of the map had been transferred away, or cannot be
   * detached for what the host does with it: its zero pages stay.
   */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    let escaped = false;
    for (const buffer of this.#buffers) {
      if (buffer.detached) {
        escaped = true;
        continue;
      }
      buffer.transfer();
      // JSC copies a buffer that one of its asynchronous calls holds, and leaves it attached.
      if (!buffer.detached) escaped = true;
    }
    this.#buffers.length = 0;
    if (this.#byteLength === 0) return;
    const length = this.#lead + this.#byteLength;
    blank(this.path, this.#pages, length);
    if (escaped) throw new MapTransferredError(this.#transferred());
    unmapLater(this.#pages, length);
  }
}
