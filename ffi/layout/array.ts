/** C's arrays in memory: of scalars as typed arrays, of anything else as a list of views. */
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
export type ElementType = keyof TypedArrays;

/** An array as a view shows it. */
export type ArrayView<T extends ElementType | Layout<unknown>> = T extends ElementType ? TypedArrays[T]
  : T extends Layout<infer V> ? readonly V[]
  : never;

type TypedArrayConstructors = {
  readonly [T in ElementType]: {
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

function viewScalars<T extends ElementType>(
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
 * typed array; of structs and of arrays it is a list of views, made once. Throws a `TypeError` for an element
 * that is none of these, and a `RangeError` where `length` is not a count from 1.
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
  if (typeof element === "string" && !Object.hasOwn(CONSTRUCTORS, element)) {
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
      const view = typeof element === "string"
        ? viewScalars(element, length, bytes, byteOffset)
        : Array.from({ length }, (_, i) => element.view(bytes, byteOffset + stride * i));
      return view as ArrayView<T>;
    },
  };
}
