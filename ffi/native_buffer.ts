import { offset, pointerTo } from "./pointer.ts";
import type { Pointer } from "./types.ts";

/** The bytes of a typed array, whatever properties it was given. */
const byteLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "byteLength")
  ?.get as () => number;

/** How many bytes a typed array has. Throws a `TypeError` for what is none, whatever it says of itself. */
export function byteLengthOf(array: Uint8Array): number {
  return Reflect.apply(byteLength, array, []);
}

/** Bytes whose address was asked for once: system calls read and write them with no conversion a call. */
export class NativeBuffer {
  /** Never another array's: `#start` is its address. */
  #bytes: Uint8Array<ArrayBuffer>;
  #start: Pointer;

  constructor(byteLength: number) {
    this.#bytes = new Uint8Array(byteLength);
    this.#start = pointerTo(this.#bytes);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /**
   * The address of the byte of `buffer` at `from`, of which a call may use `length`. Throws a `RangeError` where they
   * do not lie in the buffer, and a `TypeError` where it was transferred away. Static, and asking the array
   * itself, so that nothing that a caller defines can answer for it.
   */
  static range(buffer: NativeBuffer, from: number, length: number): Pointer {
    const size = byteLengthOf(buffer.#bytes);
    const counts = Number.isSafeInteger(from) && Number.isSafeInteger(length) && from >= 0 && length >= 0;
    if (!counts || from + length > size) {
      if (size === 0 && buffer.#bytes.buffer.detached) {
        throw new TypeError("cannot use a buffer that was transferred away");
      }
      throw new RangeError(`cannot use ${length} bytes from ${from} of a buffer of ${size}`);
    }
    return from === 0 ? buffer.#start : offset(buffer.#start, from);
  }
}
