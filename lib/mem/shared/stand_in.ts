/** Stands in for `../mmap.ts` and `../memory.ts` until they are merged. */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { libc, NULL, offset, type Pointer, pointerAt, unsafeBufferAt } from "../../../ffi/mod.ts";
import { Fd } from "../../io/fd.ts";

export class Mmap implements Disposable {
  readonly byteLength: number;
  readonly mode: string;
  readonly pages: Pointer;
  isClosed = false;
  buffer: ArrayBuffer;
  #retained = 0;
  constructor(pages: Pointer, length: number, mode: string) {
    this.pages = pages;
    this.byteLength = length;
    this.mode = mode;
    this.buffer = unsafeBufferAt(pages, length);
  }
  static open(path: string | URL, { mode = "r", length }: { mode?: string; length?: number } = {}): Mmap {
    if (mode === "w+") {
      const made = openSync(path, "w");
      ftruncateSync(made, length);
      closeSync(made);
    }
    using fd = Fd.open(path, { read: true, write: mode !== "r" && mode !== "c" });
    const bytes = length ?? fd.status().size;
    if (bytes === 0) return new Mmap(NULL, 0, mode);
    const flags = mode === "r" || mode === "c" ? 2 : 1;
    const at = libc().mmap(NULL, bytes, 3, flags, fd.number, 0);
    if (at === -1n) throw new Error("mmap");
    return new Mmap(pointerAt(at), bytes, mode);
  }
  bytes(from = 0, length: number = this.byteLength - from): Uint8Array<ArrayBuffer> {
    if (this.isClosed) throw new Error("the map was disposed");
    return new Uint8Array(this.buffer, from, length);
  }
  retain(): void {
    if (this.isClosed) throw new Error("cannot retain: the map was disposed");
    this.#retained++;
  }
  release(): void {
    if (--this.#retained === 0 && this.isClosed) this.#end();
  }
  #end(): void {
    this.buffer.transfer();
    libc().munmap(this.pages, this.byteLength);
  }
  [Symbol.dispose](): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.#retained === 0) this.#end();
  }
}

export function memoryOf(
  map: Mmap,
  what: string,
  byteOffset: number,
  byteLength: number,
): { bytes: Uint8Array<ArrayBuffer>; pointer: Pointer } {
  if (map.isClosed) throw new Error(`cannot ${what}: the map was disposed`);
  if (map.mode === "r" || map.mode === "c") throw new TypeError(`cannot ${what}: the map is not shared`);
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset + byteLength > map.byteLength) {
    throw new RangeError(`cannot ${what}: ${byteLength} bytes from ${byteOffset} do not lie in the map`);
  }
  return { bytes: map.bytes(byteOffset, byteLength), pointer: offset(map.pages, byteOffset) };
}
