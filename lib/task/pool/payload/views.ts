/** The classes of views by their numbers. */
import { VIEWS } from "./tags.ts";

/** Bytes of an element. */
export const SIZES: readonly number[] = [1, 1, 1, 2, 2, 4, 4, 2, 4, 8, 8, 8, 1];

const numbers: ReadonlyMap<unknown, number> = new Map(VIEWS.map((name, number) => [name, number]));
const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The number of a view's class among `VIEWS`. */
export function classOf(view: ArrayBufferView): number {
  const name: unknown = tag?.get === undefined ? undefined : Reflect.apply(tag.get, view, []);
  return numbers.get(name) ?? VIEWS.length - 1;
}

function filled<T extends ArrayBufferView & { set(from: T): void }>(made: T, from: T): T {
  made.set(from);
  return made;
}

type Copy = (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

/** A view of a copy, which costs half of a slice of the buffer; of a class that every host has, and has elements. */
const copies: Readonly<Record<number, Copy>> = {
  0: (buffer, at, length) => filled(new Int8Array(length), new Int8Array(buffer, at, length)),
  1: (buffer, at, length) => filled(new Uint8Array(length), new Uint8Array(buffer, at, length)),
  2: (buffer, at, length) => filled(new Uint8ClampedArray(length), new Uint8ClampedArray(buffer, at, length)),
  3: (buffer, at, length) => filled(new Int16Array(length), new Int16Array(buffer, at, length)),
  4: (buffer, at, length) => filled(new Uint16Array(length), new Uint16Array(buffer, at, length)),
  5: (buffer, at, length) => filled(new Int32Array(length), new Int32Array(buffer, at, length)),
  6: (buffer, at, length) => filled(new Uint32Array(length), new Uint32Array(buffer, at, length)),
  8: (buffer, at, length) => filled(new Float32Array(length), new Float32Array(buffer, at, length)),
  9: (buffer, at, length) => filled(new Float64Array(length), new Float64Array(buffer, at, length)),
  10: (buffer, at, length) => filled(new BigInt64Array(length), new BigInt64Array(buffer, at, length)),
  11: (buffer, at, length) => filled(new BigUint64Array(length), new BigUint64Array(buffer, at, length)),
};

/** A view of its own memory, of what is at a multiple of its elements' size. */
export function copyOf(
  number: number,
  buffer: ArrayBuffer,
  byteOffset: number,
  length: number,
): ArrayBufferView {
  const copy = copies[number];
  if (copy !== undefined) return copy(buffer, byteOffset, length);
  return viewOf(number, buffer.slice(byteOffset, byteOffset + length * SIZES[number]), 0, length);
}

/** Without a length it follows its buffer's. */
export function viewOf(
  number: number,
  buffer: ArrayBuffer | SharedArrayBuffer,
  byteOffset: number,
  length?: number,
): ArrayBufferView {
  const found: unknown = Reflect.get(globalThis, VIEWS[number]);
  if (typeof found !== "function") {
    throw new Error(`cannot read a message: this host has no ${VIEWS[number]}`);
  }
  return Reflect.construct(found, length === undefined ? [buffer, byteOffset] : [buffer, byteOffset, length]);
}
