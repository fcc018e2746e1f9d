/** Maps of files in memory that are sealed against another length, for the inside of this package. */
import { errno } from "../../ffi/errno.ts";
import { libc } from "../../ffi/libc.ts";
import { NULL, pointerAt, unsafeBufferAt } from "../../ffi/pointer.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { Pointer } from "../../ffi/types.ts";
import { detach } from "./detach.ts";
import { createMemoryFile, F_SEAL_GROW, F_SEAL_SHRINK, sealFile } from "./memory_file.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;

/** Names a plain map to the process's threads, for as long as its creator has it. */
export interface PlainMapHandle {
  readonly descriptor: number;
  /** In bytes. */
  readonly byteLength: number;
}

/**
 * Memory that threads share by a descriptor's number. It has a map's pages and nothing else of one: no guard, since nobody
 * can cut the file short, and no views but the one over all. So a thread loads a fifth of what `Mmap` needs. Nobody but its
 * owner may have the bytes, and everybody gives them up with it.
 */
export class PlainMap implements Disposable {
  readonly handle: PlainMapHandle;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the first byte. */
  readonly pointer: Pointer;
  readonly #ownsFile: boolean;
  #isDisposed = false;

  private constructor(handle: PlainMapHandle, flags: number, ownsFile: boolean) {
    const { descriptor, byteLength } = handle;
    const at = libc().mmap(NULL, byteLength, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    if (at === -1n) throw new SystemError(errno(), "mmap");
    this.handle = handle;
    this.pointer = pointerAt(at);
    this.bytes = new Uint8Array(unsafeBufferAt(this.pointer, byteLength));
    this.#ownsFile = ownsFile;
  }

  /** Zeros, in a new file. Throws a `SystemError` where memory, addresses or descriptors are short. */
  static create(name: string, byteLength: number): PlainMap {
    const descriptor = createMemoryFile(name, byteLength);
    try {
      sealFile(name, descriptor, F_SEAL_GROW | F_SEAL_SHRINK);
      return new PlainMap({ descriptor, byteLength }, MAP_SHARED, true);
    } catch (error) {
      libc().close(descriptor);
      throw error;
    }
  }

  /** Another thread's, which has it still, and for as long as this one does. */
  static adopt(handle: PlainMapHandle): PlainMap {
    return new PlainMap(handle, MAP_SHARED, false);
  }

  /** What a file has that nothing can change, to be read. The map owns the descriptor. */
  static read(handle: PlainMapHandle): PlainMap {
    return new PlainMap(handle, MAP_PRIVATE, true);
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const { descriptor, byteLength } = this.handle;
    detach(this.bytes.buffer);
    libc().munmap(this.pointer, byteLength);
    if (this.#ownsFile) libc().close(descriptor);
  }
}
