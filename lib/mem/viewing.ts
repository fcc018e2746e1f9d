/** What maps are seen as: typed arrays and data views of their parts, and copies. Of each, what can be wrong with it. */
import { shown } from "../io/arguments.ts";
import { requireNumber } from "./map_options.ts";
import type { Region } from "./region.ts";
import { LARGEST_VIEW, type ViewConstructor } from "./views.ts";

/** What the host's own types say of themselves: most views are of these, which need no more looking at. */
const KNOWN: ReadonlyMap<unknown, { name: string; size: number }> = new Map(
  [
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Float16Array],
    ...[Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ].map((Type) => [Type, { name: Type.name, size: Type.BYTES_PER_ELEMENT }]),
);

/** Throws for what is no constructor, without calling it. */
function requireConstructor(what: string, Type: unknown): void {
  try {
    if (typeof Type === "function") return void Reflect.construct(Object, [], Type);
  } catch {
    // Told below.
  }
  throw new TypeError(`${what}: Type is ${shown(Type)}, and it is no typed array's constructor`);
}

/** What a type says of itself, asked once. Throws where it is none of a typed array's. */
function elementsOf(
  what: string,
  Type: ViewConstructor<ArrayBufferView<ArrayBuffer>>,
): { name: string; size: number } {
  const known = KNOWN.get(Type);
  if (known !== undefined) return known;
  requireConstructor(what, Type);
  const { name, BYTES_PER_ELEMENT: size } = Type;
  if (typeof name !== "string") {
    throw new TypeError(`${what}: the name of Type is ${shown(name)}, and no text`);
  }
  if (Object.is(Type, DataView) || Object.prototype.isPrototypeOf.call(DataView, Type)) {
    throw new TypeError(`${what} as ${name}: it is no typed array; use dataView()`);
  }
  if (!(Number.isSafeInteger(size) && size > 0 && size <= 8)) {
    throw new TypeError(
      `${what} as ${name}: it is no typed array, whose BYTES_PER_ELEMENT is from 1 to 8, and here ${
        shown(size)
      }`,
    );
  }
  return { name, size };
}

function requireIn(
  region: Region,
  what: string,
  byteOffset: number,
  length: number,
  size: number,
  unit: string,
): void {
  const { byteLength } = region;
  const areCounts = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(length) && byteOffset >= 0 &&
    length >= 0;
  if (!areCounts || byteOffset + length * size > byteLength) {
    throw new RangeError(
      `${what}: ${length} ${unit} from byte ${byteOffset} do not lie in its ${byteLength} bytes`,
    );
  }
}

function requireElements(
  region: Region,
  what: string,
  byteOffset: number,
  length: number,
  size: number,
): void {
  requireNumber(what, "byteOffset", byteOffset);
  requireNumber(what, "length", length, "elements");
  requireIn(region, what, byteOffset, length, size, "elements");
}

/** What is said of a part, in bytes, and up to the map's end where no length is. */
export function partOf(
  region: Region,
  what: string,
  offset = 0,
  length?: number,
): [offset: number, length: number] {
  requireNumber(what, "offset", offset);
  if (length !== undefined) requireNumber(what, "length", length);
  const count = length ?? region.byteLength - offset;
  requireIn(region, what, offset, count, 1, "bytes");
  return [offset, count];
}

function covering(
  region: Region,
  what: string,
  from: number,
  byteLength: number,
): ReturnType<Region["covering"]> {
  if (byteLength > LARGEST_VIEW) {
    throw new RangeError(
      `${what}: ${byteLength} bytes are more than one view holds, ${LARGEST_VIEW}; take windows()`,
    );
  }
  return region.covering(from, from + byteLength);
}

/** See `Mmap.bytes`. */
export function bytesOf(region: Region, offset?: number, length?: number): Uint8Array<ArrayBuffer> {
  const what = `cannot view ${region.file.path} as Uint8Array`;
  region.requireIntact(what);
  const [from, count] = partOf(region, what, offset, length);
  if (count === 0) return new Uint8Array(0);
  const { lent, start } = covering(region, what, from, count);
  return new Uint8Array(lent.buffer, start, count);
}

/** See `Mmap.view`. */
export function viewAs<T extends ArrayBufferView<ArrayBuffer>>(
  region: Region,
  Type: ViewConstructor<T>,
  byteOffset: number,
  length: number,
): T {
  // Read once and before anything is checked: `Type` may be anybody's, and its getters may dispose the map.
  const { name, size } = elementsOf(`cannot view ${region.file.path}`, Type);
  const what = `cannot view ${region.file.path} as ${name}`;
  region.requireIntact(what);
  requireElements(region, what, byteOffset, length, size);
  if (region.placeOf(byteOffset) % size !== 0) {
    throw new RangeError(
      `${what}: byte ${byteOffset} does not lie at a multiple of ${size} in the file; copy the bytes with ` +
        "copy(), or use dataView()",
    );
  }
  if (length === 0) return new Type(new ArrayBuffer(0), 0, 0);
  const { lent, start } = covering(region, what, byteOffset, length * size);
  return new Type(lent.buffer, start, length);
}

/** See `Mmap.dataView`. */
export function dataViewOf(region: Region, offset?: number, length?: number): DataView<ArrayBuffer> {
  const what = `cannot view ${region.file.path} as DataView`;
  region.requireIntact(what);
  const [from, count] = partOf(region, what, offset, length);
  if (count === 0) return new DataView(new ArrayBuffer(0));
  const { lent, start } = covering(region, what, from, count);
  return new DataView(lent.buffer, start, count);
}

/** See `Mmap.copy`. */
export function copyOf<T extends ArrayBufferView<ArrayBuffer>>(
  region: Region,
  Type: ViewConstructor<T>,
  byteOffset: number,
  length: number,
): T {
  const { name, size } = elementsOf(`cannot copy ${region.file.path}`, Type);
  const what = `cannot copy ${region.file.path} as ${name}`;
  region.requireIntact(what);
  requireElements(region, what, byteOffset, length, size);
  return new Type(bytesOf(region, byteOffset, length * size).slice().buffer, 0, length);
}
