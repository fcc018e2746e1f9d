/** C's arrays in memory: of scalars as typed arrays, of pointers as a list, of anything else as a list of views. */
import { host } from "../host.ts";
import type { Pointer } from "../types.ts";
import { getPointer, refuse, setPointer } from "./accessors.ts";
import { type Layout, measure, requireRoom } from "./field.ts";

interface TypedArrays {
  i8: Int8Array<ArrayBuffer>;
  u8: Uint8Array<ArrayBuffer>;
  i16: Int16Array<ArrayBuffer>;
  u16: Uint16Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  i64: BigInt64Array<ArrayBuffer>;
  u64: BigUint64Array<ArrayBuffer>;
  f32: Float32Array<ArrayBuffer>;
  f64: Float64Array<ArrayBuffer>;
}

/** The scalars that an array can be of. */
export type ElementType = keyof TypedArrays | "pointer";

/** An array of pointers in place, of a fixed length. Reading or writing an element costs some 60 ns. */
export type PointerList = readonly (Pointer | null)[] & { [index: number]: Pointer | null };

/** An array as a view shows it. */
export type ArrayView<T extends ElementType | Layout<unknown>> = T extends keyof TypedArrays ? TypedArrays[T]
  : T extends "pointer" ? PointerList
  : T extends Layout<infer V> ? readonly V[]
  : never;

type TypedArrayConstructors = {
  readonly [T in keyof TypedArrays]: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArrays[T];
  };
};

const CONSTRUCTORS: TypedArrayConstructors = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

const POINTER_BYTES = 8;

function viewPointers(length: number, bytes: ArrayBufferView<ArrayBuffer>, byteOffset: number): PointerList {
  const data = new DataView(bytes.buffer, bytes.byteOffset + byteOffset, POINTER_BYTES * length);
  const list = new Array<Pointer | null>(length);
  for (let i = 0; i < length; i++) {
    Object.defineProperty(list, i, {
      enumerable: true,
      get: () => getPointer(data, POINTER_BYTES * i),
      set(value) {
        if (value !== null && typeof value !== host.encoding) refuse(`element ${i}`, "pointer", value);
        setPointer(data, POINTER_BYTES * i, value);
      },
    });
  }
  return Object.preventExtensions(Object.defineProperty(list, "length", { writable: false }));
}

function viewScalars<T extends keyof TypedArrays>(
  element: T,
  length: number,
  bytes: ArrayBufferView<ArrayBuffer>,
  byteOffset: number,
): TypedArrays[T] {
  const Constructor = CONSTRUCTORS[element];
  const start = bytes.byteOffset + byteOffset;
  if (start % Constructor.BYTES_PER_ELEMENT !== 0) {
    throw new RangeError(
      `cannot view an array of ${element} at byte ${start} of its buffer: a typed array starts at a multiple of ` +
        `${Constructor.BYTES_PER_ELEMENT}`,
    );
  }
  return new Constructor(bytes.buffer, start, length);
}

/**
 * Lays out a C array of `length` elements, as a field of a struct or for itself. Of scalars the view is a
 * typed array; of pointers it is a list of them and of null, which is written like one, and keeps nothing alive;
 * of structs and of arrays it is a list of views, made once. Throws a `TypeError` for an element that is none of
 * these, and a `RangeError` where `length` is not a count from 1.
 *
 * @example
 * ```ts
 * import { array, struct } from "@oxbow/oxbow/ffi";
 *
 * const pollfds = array(struct({ fd: "i32", events: "i16", revents: "i16" }), 3);
 * const list = pollfds.view(new Uint8Array(pollfds.size)); // 24 bytes
 * list[2].events = 1;
 * ```
 */
export function array<T extends ElementType | Layout<unknown>>(
  element: T,
  length: number,
): Layout<ArrayView<T>> {
  const { size: stride, align } = measure(element, "an array");
  if (typeof element === "string" && element !== "pointer" && !Object.hasOwn(CONSTRUCTORS, element)) {
    throw new TypeError(`cannot lay out an array: no typed array is of ${element}`);
  }
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(`cannot lay out an array: length is ${length}, not a count from 1`);
  }
  const size = stride * length;
  return {
    size,
    align,
    view(bytes, byteOffset = 0) {
      requireRoom(`an array of ${length}`, size, bytes, byteOffset);
      const view = element === "pointer"
        ? viewPointers(length, bytes, byteOffset)
        : typeof element === "string"
        ? viewScalars(element, length, bytes, byteOffset)
        : Array.from({ length }, (_, i) => element.view(bytes, byteOffset + stride * i));
      return view as ArrayView<T>;
    },
  };
}
