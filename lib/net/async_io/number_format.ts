/** How a number lies in the bytes: `u` has no sign, `i` has one, `f` is a float; `be` has the high byte first, `le` last. */
export type NumberFormat =
  | "u8"
  | "i8"
  | `${"u16" | "i16" | "u32" | "i32" | "f32" | "f64"}${"be" | "le"}`;

/** The numbers that are bigints. */
export type BigIntFormat = `${"u64" | "i64"}${"be" | "le"}`;

/** What reads one, and how many bytes it takes. */
interface Reading<T> {
  readonly size: number;
  read(view: DataView): T;
}

export const NUMBERS: Readonly<Record<NumberFormat, Reading<number>>> = {
  u8: { size: 1, read: (view) => view.getUint8(0) },
  i8: { size: 1, read: (view) => view.getInt8(0) },
  u16be: { size: 2, read: (view) => view.getUint16(0) },
  u16le: { size: 2, read: (view) => view.getUint16(0, true) },
  i16be: { size: 2, read: (view) => view.getInt16(0) },
  i16le: { size: 2, read: (view) => view.getInt16(0, true) },
  u32be: { size: 4, read: (view) => view.getUint32(0) },
  u32le: { size: 4, read: (view) => view.getUint32(0, true) },
  i32be: { size: 4, read: (view) => view.getInt32(0) },
  i32le: { size: 4, read: (view) => view.getInt32(0, true) },
  f32be: { size: 4, read: (view) => view.getFloat32(0) },
  f32le: { size: 4, read: (view) => view.getFloat32(0, true) },
  f64be: { size: 8, read: (view) => view.getFloat64(0) },
  f64le: { size: 8, read: (view) => view.getFloat64(0, true) },
};

export const BIGINTS: Readonly<Record<BigIntFormat, Reading<bigint>>> = {
  u64be: { size: 8, read: (view) => view.getBigUint64(0) },
  u64le: { size: 8, read: (view) => view.getBigUint64(0, true) },
  i64be: { size: 8, read: (view) => view.getBigInt64(0) },
  i64le: { size: 8, read: (view) => view.getBigInt64(0, true) },
};
