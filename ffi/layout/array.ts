/** C's arrays: of scalars as typed arrays, of structs as their views. */
import { type Layout, measure, requireRoom } from "./field.ts";

const CONSTRUCTORS = {
  i8: Int8Array<ArrayBuffer>,
  u8: Uint8Array<ArrayBuffer>,
  i16: Int16Array<ArrayBuffer>,
  u16: Uint16Array<ArrayBuffer>,
  i32: Int32Array<ArrayBuffer>,
  u32: Uint32Array<ArrayBuffer>,
  i64: BigInt64Array<ArrayBuffer>,
  u64: BigUint64Array<ArrayBuffer>,
  f32: Float32Array<ArrayBuffer>,
  f64: Float64Array<ArrayBuffer>,
} as const;
