/** C's structs and arrays in memory: the layout rules of the System V ABI, on x86-64 and arm64 alike. */
import { viewClass } from "./accessors.ts";
import { type Fields, type Layout, measure, requireRoom, type StructView } from "./field.ts";

/** A struct's layout. */
export interface Struct<F extends Fields> extends Layout<StructView<F>> {
  readonly fields: F;
  /** `offsetof` of each field. */
  readonly offsets: { readonly [K in keyof F]: number };
}

function alignedTo(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

/** How a struct departs from the rules. */
export interface StructOptions {
  /** No padding, and an alignment of 1: `__attribute__((packed))`. */
  readonly packed?: boolean;
  /** At least this alignment, a power of two: `_Alignas`. */
  readonly align?: number;
}

function requireAlign(align: number): void {
  if (!Number.isSafeInteger(align) || align < 1 || !Number.isInteger(Math.log2(align))) {
    throw new RangeError(`cannot lay out a struct: align is ${align}, not a power of two`);
  }
}

/**
 * Lays out a C struct: each field at the next multiple of its alignment, the whole padded to the largest.
 * Fields are scalars, structs and arrays; of a union give the member that you want, of bit-fields the integer
 * that holds them.
 *
 * A view reads and writes the bytes that it is given, through one `DataView`: a scalar that is no bigint
 * costs what a hand-written `getInt32` does and allocates nothing. Setting what does not fit the field is a
 * `RangeError` or `TypeError` that names it; reading a buffer that was transferred away is a `TypeError`. A
 * pointer that is set keeps nothing alive: hold its memory for as long as C may follow it.
 *
 * Throws a `TypeError` for a type that is none, for no field at all, and for a name that reads as a number,
 * which JavaScript would put before the others; a `RangeError` for an alignment that is no power of two.
 *
 * @example
 * ```ts
 * import { check, dlopen, struct } from "@oxbow/oxbow/ffi";
 *
 * const timespec = struct({ tv_sec: "i53", tv_nsec: "i53" });
 * const bytes = new Uint8Array(timespec.size); // 16
 * const time = timespec.view(bytes);
 *
 * using libc = dlopen(["libc.so.6"], {
 *   clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
 * });
 * check(libc.symbols.clock_gettime(0, bytes), "clock_gettime");
 * console.log(new Date(time.tv_sec * 1000));
 * ```
 */
export function struct<const F extends Fields>(fields: F, options: StructOptions = {}): Struct<F> {
  const { packed = false } = options;
  let { align = 1 } = options;
  requireAlign(align);
  let end = 0;
  const placed = Object.entries(fields).map(([name, type]) => {
    if (/^\d+$/.test(name)) throw new TypeError(`cannot lay out field ${name}: its name reads as a number`);
    const measured = measure(type, `field ${name}`);
    const fieldAlign = packed ? 1 : measured.align;
    const offset = alignedTo(end, fieldAlign);
    end = offset + measured.size;
    align = Math.max(align, fieldAlign);
    return { name, type, offset };
  });
  if (placed.length === 0) throw new TypeError("cannot lay out a struct: it has no field");
  const size = alignedTo(end, align);
  const View = viewClass(placed);
  return {
    size,
    align,
    fields,
    offsets: Object.fromEntries(placed.map(({ name, offset }) => [name, offset])) as Struct<F>["offsets"],
    view(bytes, byteOffset = 0) {
      requireRoom("a struct", size, bytes, byteOffset);
      return new View(new DataView(bytes.buffer, bytes.byteOffset + byteOffset, size)) as StructView<F>;
    },
  };
}
