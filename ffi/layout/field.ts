/** What a field of a struct may be, and what it is in TypeScript. */
import type { Pointer, SmallInteger, WideInteger } from "../types.ts";

/**
 * A field's C type. `i53` and `u53` are C's 64-bit integers read as a number: a `RangeError` where no number
 * holds them, and no bigint is made. `u16be` and `u32be` are in the network's order. `bool` is `_Bool`.
 */
export type ScalarType =
  | SmallInteger
  | WideInteger
  | "i53"
  | "u53"
  | "u16be"
  | "u32be"
  | "f32"
  | "f64"
  | "bool"
  | "pointer";

/** How a type lies in memory: a struct's or an array's. */
export interface Layout<V> {
  /** `sizeof`. */
  readonly size: number;
  /** `_Alignof`. */
  readonly align: number;
  /**
   * The `size` bytes of `bytes` from `byteOffset` on (its first where nothing is said), seen as this type.
   * Nothing is copied. Throws a `RangeError` where they do not lie in `bytes`.
   */
  view(bytes: ArrayBufferView<ArrayBuffer>, byteOffset?: number): V;
}

/** A struct's fields, in C's order. */
export type Fields = Readonly<Record<string, ScalarType | Layout<unknown>>>;

type Scalar<T extends ScalarType> = T extends WideInteger ? bigint
  : T extends "bool" ? boolean
  : T extends "pointer" ? Pointer | null
  : number;

/** A struct's fields as properties: scalars are read and written, structs and arrays within are views. */
export type StructView<F extends Fields> =
  & { -readonly [K in keyof F as F[K] extends ScalarType ? K : never]: Scalar<Extract<F[K], ScalarType>> }
  & {
    readonly [K in keyof F as F[K] extends ScalarType ? never : K]: F[K] extends Layout<infer V> ? V : never;
  };

const SIZES: Readonly<Record<ScalarType, number>> = {
  i8: 1,
  u8: 1,
  bool: 1,
  i16: 2,
  u16: 2,
  u16be: 2,
  i32: 4,
  u32: 4,
  u32be: 4,
  f32: 4,
  i64: 8,
  u64: 8,
  isize: 8,
  usize: 8,
  i53: 8,
  u53: 8,
  f64: 8,
  pointer: 8,
};

/** A field's size and alignment, which for a scalar are one. Throws a `TypeError` for what is no type. */
export function measure(type: ScalarType | Layout<unknown>, what: string): { size: number; align: number } {
  if (typeof type === "object" && type !== null && typeof type.view === "function") return type;
  if (typeof type === "string" && Object.hasOwn(SIZES, type)) {
    return { size: SIZES[type], align: SIZES[type] };
  }
  throw new TypeError(
    `cannot lay out ${what}: ${JSON.stringify(type) ?? String(type)} is no type of a field`,
  );
}

/** Throws a `RangeError` where `size` bytes from `byteOffset` do not lie in `bytes`. */
export function requireRoom(
  what: string,
  size: number,
  bytes: ArrayBufferView<ArrayBuffer>,
  byteOffset: number,
): void {
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0) {
    throw new RangeError(`cannot view ${what}: byteOffset is ${byteOffset}, not a count of bytes`);
  }
  if (byteOffset + size > bytes.byteLength) {
    throw new RangeError(
      `cannot view ${what}: it is ${size} bytes, and from ${byteOffset} there are ${
        Math.max(0, bytes.byteLength - byteOffset)
      }`,
    );
  }
}
