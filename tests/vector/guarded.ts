/** Memory with pages around it that must not be touched: a read or write of one byte too many ends the process. */
import { dlopen, type Pointer, pointerAt, unsafeBufferAt } from "../../ffi/mod.ts";

const PAGE = 4096;
const [PROT_NONE, PROT_READ_AND_WRITE] = [0, 3];
const MAP_PRIVATE_ANONYMOUS = 0x22;

const table = {
  mmap: {
    parameters: [
      /* void *addr */ "pointer",
      /* size_t length */ "usize",
      /* int prot */ "i32",
      /* int flags */ "i32",
      /* int fd */ "i32",
      /* off_t offset */ "i64",
    ],
    result: "u64",
  },
  mprotect: {
    parameters: [/* void *addr */ "pointer", /* size_t len */ "usize", /* int prot */ "i32"],
    result: "i32",
  },
} as const;

/** Where in its page an array lies. */
export type Side = "start" | "end";

const SENTINEL = 0xa5;

/** A page between two that are out of bounds. It stays mapped. */
export class GuardedPage {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor() {
    const { mmap, mprotect } = dlopen(["libc.so.6"], table).symbols;
    const address = mmap(null, 3 * PAGE, PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (address === 2n ** 64n - 1n) throw new Error("mmap failed");
    const page: Pointer = pointerAt(address + BigInt(PAGE));
    if (mprotect(page, PAGE, PROT_READ_AND_WRITE) !== 0) throw new Error("mprotect failed");
    this.#bytes = new Uint8Array(unsafeBufferAt(page, PAGE));
  }

  /** Where so many bytes lie at that side. */
  #offset(side: Side, byteLength: number): number {
    return side === "start" ? 0 : PAGE - byteLength;
  }

  /** A copy of the elements at the page's start or end; the rest of the page is filled with a sentinel. */
  floats(side: Side, elements: Float32Array): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#bytes.buffer, this.#place(side, elements), elements.length);
  }

  words(side: Side, elements: Uint16Array): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.#bytes.buffer, this.#place(side, elements), elements.length);
  }

  bytes(side: Side, elements: Int8Array): Int8Array<ArrayBuffer> {
    return new Int8Array(this.#bytes.buffer, this.#place(side, elements), elements.length);
  }

  #place(side: Side, elements: Float32Array | Uint16Array | Int8Array): number {
    const offset = this.#offset(side, elements.byteLength);
    this.#bytes.fill(SENTINEL);
    this.#bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), offset);
    return offset;
  }

  /** Whether nothing was written beside an array of so many bytes at that side. */
  isIntactBeside(side: Side, byteLength: number): boolean {
    const offset = this.#offset(side, byteLength);
    return this.#bytes.every((byte, i) => (i >= offset && i < offset + byteLength) || byte === SENTINEL);
  }
}
