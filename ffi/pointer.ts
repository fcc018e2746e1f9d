/** Addresses: made once for memory that stays where it is, never on a hot path. */
import { fromPointer, host, isPointer, toPointer } from "./host.ts";
import type { Pointer } from "./types.ts";

/** C's `NULL`. */
export const NULL: Pointer = toPointer(0n);

/** The pointer's address, where it is one: null is what C's result may be, and `NULL` what C may be given. */
function addressFor(what: string, pointer: Pointer): bigint {
  if (!isPointer(pointer)) {
    const given = pointer === null ? "null" : typeof pointer;
    throw new TypeError(`cannot ${what}: pointer is ${given}, and no Pointer`);
  }
  return fromPointer(pointer);
}

/** The pointer to an address that C gave as a number. Throws a `RangeError` outside 64 bits. */
export function pointerAt(address: bigint): Pointer {
  if (typeof address !== "bigint") {
    throw new TypeError(`cannot point to ${String(address)}: an address is a bigint`);
  }
  if (address < 0n || address >= 1n << 64n) {
    throw new RangeError(`cannot point to ${address}: an address is 64 bits, and C's -1 is 2n ** 64n - 1n`);
  }
  return toPointer(address);
}

/** The address of a pointer. */
export function addressOf(pointer: Pointer): bigint {
  return addressFor("tell an address", pointer);
}

/** The pointer `bytes` bytes further. Throws a `RangeError` where they are no safe integer, or lead nowhere. */
export function offset(pointer: Pointer, bytes: number): Pointer {
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError(`cannot count on from a pointer: bytes is ${bytes}, not a count of bytes`);
  }
  return pointerAt(addressFor("count on from a pointer", pointer) + BigInt(bytes));
}

/**
 * The address of the view's first byte; `NULL` for an empty view. It is good for as long as the caller
 * holds the view's buffer and does not transfer, resize or detach it.
 */
export function pointerTo(view: ArrayBufferView): Pointer {
  if (!ArrayBuffer.isView(view)) throw new TypeError("cannot point to what is no view of a buffer");
  // JSC keeps a small typed array's elements in the object, and moves them out when `.buffer` is first
  // asked for: asked for here, before the address is taken, they stay.
  const { buffer } = view;
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw new TypeError("cannot point to a view whose buffer is detached");
  }
  return view.byteLength === 0 ? NULL : toPointer(host.addressOf(view));
}

/** C's array of pointers (`float **`), with the views that it points into. */
export interface PointerArray {
  readonly pointer: Pointer;
  readonly length: number;
  /** What `pointer` points to. Held here, so that array and views live as long as this object. */
  readonly addresses: BigUint64Array<ArrayBuffer>;
  readonly views: readonly ArrayBufferView[];
}

/** An array of the views' addresses, in their order. */
export function pointerArray(given: readonly ArrayBufferView[]): PointerArray {
  const views = Object.freeze([...given]);
  const addresses = new BigUint64Array(views.length);
  for (let i = 0; i < views.length; i++) addresses[i] = fromPointer(pointerTo(views[i]));
  return { pointer: pointerTo(addresses), length: views.length, addresses, views };
}

/**
 * A buffer over `length` bytes of memory at `pointer`. Unsafe: nothing keeps the memory there, and a read
 * after it was unmapped ends the process.
 */
export function unsafeBufferAt(pointer: Pointer, length: number): ArrayBuffer {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`cannot view memory: length is ${length}, not a count of bytes`);
  }
  const address = addressFor("view memory", pointer);
  return length === 0 ? new ArrayBuffer(0) : host.bufferAt(address, length);
}

/**
 * `length` bytes of memory at `pointer`, copied: C may free them afterwards. Unsafe: it trusts that so many
 * are there.
 *
 * @example
 * ```ts
 * import { cString, pointerTo, unsafeCopy } from "@oxbow/oxbow/ffi";
 *
 * const text = cString("oxbow");
 * console.log(unsafeCopy(pointerTo(text), 2)); // Uint8Array(2) [ 111, 120 ]
 * ```
 */
export function unsafeCopy(pointer: Pointer, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(unsafeBufferAt(pointer, length)).slice();
}

/** The text as C's `char *`: UTF-8 and a NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") throw new TypeError(`cannot pass a ${typeof text} to C as a string`);
  if (text.includes("\0")) {
    throw new TypeError(`cannot pass ${JSON.stringify(text)} to C: it holds a NUL, where C would end it`);
  }
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * The C string at `pointer`, copied up to its NUL; what is no UTF-8 becomes U+FFFD, and a byte order mark
 * stays. Unsafe: it trusts that there is a NUL. By the host's own reader, which scans for it in C.
 */
export function unsafeStringAt(pointer: Pointer): string {
  if (addressFor("read a string", pointer) === 0n) {
    throw new TypeError("cannot read a string at the null address");
  }
  return host.stringAt(pointer);
}
