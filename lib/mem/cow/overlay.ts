import { toPath } from "../../io/fd.ts";
import { replaceFile } from "../../io/replace_file.ts";
import { type ByteSource, HeldBytes, isDetached } from "./byte_source.ts";

const PAGE = 4096;
/** What is put at once of the pages that were not written to. */
const PIECE = 1 << 20;

/** Bytes that differ from those below. */
export interface OverlayRange {
  readonly offset: number;
  /** The new ones, copied. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writable bytes over bytes that are only read: a page of 4 KiB is copied when it is first written to, and the rest
 * is seen in place. What lies below stays as it is, and must; it is retained until the overlay is disposed. The
 * length is that of what lies below.
 *
 * Where the memory below is gone, what reads it throws a `TypeError`, and where it is a map's whose file was cut
 * short, what the map's `check` throws, and no zeros pass for bytes; every method but `isDisposed` throws after dispose.
 *
 * @example
 * ```ts
 * import { Overlay } from "@oxbow/oxbow/cow";
 *
 * using overlay = new Overlay(new TextEncoder().encode("a pair of oxen"));
 * overlay.write(10, new TextEncoder().encode("bows"));
 * console.log(new TextDecoder().decode(overlay.read(2, 12))); // pair of bows
 * console.log(overlay.diff().length, overlay.dirtyPages()); // 1 [ 0 ]
 * overlay.discard();
 * console.log(new TextDecoder().decode(overlay.read(2, 12))); // pair of oxen
 * ```
 */
export class Overlay implements Disposable {
  #lower: HeldBytes | undefined;
  #pages = new Map<number, Uint8Array<ArrayBuffer>>();

  /** Throws a `TypeError` for what has no bytes, and what the source throws. */
  constructor(lower: Uint8Array | ByteSource) {
    this.#lower = new HeldBytes("cannot lay over it", "an Overlay", lower);
  }

  #below(): HeldBytes {
    if (this.#lower === undefined) throw new Error("cannot use an overlay that was disposed");
    return this.#lower;
  }

  get isDisposed(): boolean {
    return this.#lower === undefined;
  }

  get byteLength(): number {
    return this.#below().byteLength;
  }

  /** In bytes: the length of every page but the last, which may be shorter. */
  get pageSize(): number {
    return PAGE;
  }

  #requireRange(verb: string, offset: number, length: number): HeldBytes {
    const lower = this.#below();
    const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 &&
      length >= 0;
    if (!isRange || offset + length > lower.byteLength) {
      throw new RangeError(
        `cannot ${verb} an overlay: ${length} bytes from ${offset} do not lie in its ${lower.byteLength}`,
      );
    }
    return lower;
  }

  /** A copy of `length` bytes from `offset`. Throws a `RangeError` outside. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    this.#requireRange("read", offset, length);
    const target = new Uint8Array(length);
    this.readInto(target, offset);
    return target;
  }

  /** Fills `target` with the bytes from `offset`. Throws a `RangeError` outside. */
  readInto(target: Uint8Array, offset: number): void {
    requireBytes("read", "target", target);
    const lower = this.#requireRange("read", offset, target.length);
    const whole = plain(target);
    let done = 0;
    while (done < target.length) {
      const at = (offset + done) % PAGE;
      const piece = whole.subarray(done, done + PAGE - at);
      const page = this.#dirty(Math.floor((offset + done) / PAGE));
      if (page === undefined) lower.copyInto(piece, offset + done);
      else piece.set(page.subarray(at, at + piece.length));
      done += piece.length;
    }
  }

  /**
   * Writes at `offset`: all or, where an error is thrown, nothing. The first write to a page copies it. Throws a
   * `RangeError` outside; an overlay does not grow.
   */
  write(offset: number, bytes: Uint8Array): void {
    requireBytes("write", "bytes", bytes);
    const lower = this.#requireRange("write", offset, bytes.length);
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    const first = Math.floor(offset / PAGE);
    const last = Math.ceil(end / PAGE);
    // Where one of the pages is written to the others, its own bytes would change before they are read. A copy, which
    // a Buffer's `slice` is not.
    const isOwn = last - first > 1 && this.#holds(bytes.buffer, first, last);
    const source = isOwn ? new Uint8Array(bytes) : plain(bytes);
    const staged: [page: number, bytes: Uint8Array<ArrayBuffer>][] = [];
    for (let i = first; i < last; i++) {
      if (this.#dirty(i) !== undefined) continue;
      const page = new Uint8Array(Math.min(PAGE, lower.byteLength - i * PAGE));
      if (offset > i * PAGE || end < i * PAGE + page.length) lower.copyInto(page, i * PAGE);
      staged.push([i, page]);
    }
    for (const [i, page] of staged) this.#pages.set(i, page);
    for (let i = first; i < last; i++) {
      const from = Math.max(offset, i * PAGE);
      const piece = source.subarray(from - offset, (i + 1) * PAGE - offset);
      this.#pages.get(i)?.set(piece, from - i * PAGE);
    }
  }

  /** The page as it was written to. Throws where its memory is gone. */
  #dirty(i: number): Uint8Array<ArrayBuffer> | undefined {
    const page = this.#pages.get(i);
    if (page?.length === 0) {
      throw new TypeError(
        `cannot use page ${i} of an overlay: its memory is gone; was the buffer of page(${i}) transferred?`,
      );
    }
    return page;
  }

  #holds(buffer: ArrayBufferLike, first: number, last: number): boolean {
    for (let i = first; i < last; i++) {
      if (this.#pages.get(i)?.buffer === buffer) return true;
    }
    return false;
  }

  /**
   * The page's bytes in place, to be read: of the overlay where the page is dirty, so that later writes show, and of
   * what lies below where it is not. Throws a `RangeError` where there is no such page.
   */
  page(i: number): Uint8Array {
    const lower = this.#below();
    const count = Math.ceil(lower.byteLength / PAGE);
    if (!Number.isSafeInteger(i) || i < 0 || i >= count) {
      throw new RangeError(`cannot give a page of an overlay: there is no page ${i}, it has ${count}`);
    }
    return this.#dirty(i) ?? lower.bytes(i * PAGE, Math.min(PAGE, lower.byteLength - i * PAGE));
  }

  /** The numbers of the pages that were written to, ascending, whatever was written. */
  dirtyPages(): number[] {
    this.#below();
    return [...this.#pages.keys()].sort((a, b) => a - b);
  }

  /**
   * The bytes that differ from those below, in as few and as short ranges as there can be, ascending. Costs a
   * comparison of every dirty page.
   */
  diff(): OverlayRange[] {
    const lower = this.#below();
    const ranges: { offset: number; end: number }[] = [];
    for (const i of this.dirtyPages()) {
      const above = this.page(i);
      const below = lower.bytes(i * PAGE, above.length);
      for (let at = 0; at < above.length; at++) {
        if (above[at] === below[at]) continue;
        const offset = i * PAGE + at;
        const last = ranges.at(-1);
        if (last !== undefined && last.end === offset) last.end++;
        else ranges.push({ offset, end: offset + 1 });
      }
    }
    // Of what was compared just now, too.
    lower.check();
    return ranges.map(({ offset, end }) => ({ offset, bytes: this.read(offset, end - offset) }));
  }

  /**
   * Writes the whole to a file at once: beside it under another name, to the disk, then renamed, so that whatever
   * happens there is the old file or the new one. A file that is replaced leaves its permissions to the new one, and
   * its owner where the process may give that; its other names (hard links) keep the old file, and its access lists
   * and extended attributes go with it. Maps of the old file, such as what lies below, go on with the old bytes; and
   * the overlay stays as it is, its pages dirty.
   *
   * Throws a `TypeError` where there is something other than a regular file, links included, a `SystemError` where
   * the system refuses, Deno's `NotCapable` without permission to read and write there, and what the source throws
   * whose bytes are no more what they were. The file is then as it was, or else the error says that it is the new one.
   */
  commit(path: string | URL): void {
    const lower = this.#below();
    replaceFile(toPath(path, "replace"), (out) => {
      let at = 0;
      for (const i of [...this.dirtyPages(), Math.ceil(lower.byteLength / PAGE)]) {
        const clean = Math.min(i * PAGE, lower.byteLength);
        while (at < clean) {
          const length = Math.min(PIECE, clean - at);
          out.put(lower.bytes(at, length));
          at += length;
        }
        const page = this.#dirty(i);
        if (page === undefined) continue;
        out.put(page);
        at += page.length;
      }
      lower.check();
    });
  }

  /** Forgets every write. */
  discard(): void {
    this.#below();
    this.#pages.clear();
  }

  /** Forgets every write, and lets go of what lies below. Does nothing the second time. */
  [Symbol.dispose](): void {
    const lower = this.#lower;
    this.#lower = undefined;
    this.#pages.clear();
    lower?.release();
  }
}

function requireBytes(verb: string, name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`cannot ${verb} an overlay: ${name} is no Uint8Array`);
  }
  if (isDetached(bytes)) throw new TypeError(`cannot ${verb} an overlay: the memory of ${name} is gone`);
}

/** The same bytes, without what a subclass has for `subarray`. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
