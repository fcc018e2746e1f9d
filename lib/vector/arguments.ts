/** What a caller may give, checked by name before any machine code sees it. */

/** The arrays that functions here take. */
interface Arrays {
  Float32Array: Float32Array;
  Uint16Array: Uint16Array;
  Int8Array: Int8Array;
}

/** Either may be `undefined` in the types alone. */
function getter(name: string | symbol): ((this: ArrayBufferView) => unknown) | undefined {
  return Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float32Array.prototype), name)?.get;
}

/** What an array is, whatever prototype and properties it was given: a length that lies would be read past. */
const typeOf = getter(Symbol.toStringTag);
const lengthOf = getter("length");

/** The elements of a typed array of that very type. Throws a TypeError for anything else. */
export function lengthOfArray<T extends keyof Arrays>(
  call: string,
  name: string,
  type: T,
  array: Arrays[T],
): number {
  if (typeOf?.call(array) !== type) throw new TypeError(`${call}: ${name} is no ${type}`);
  return Number(lengthOf?.call(array));
}

/** Throws a RangeError where they are not as many. */
export function requireLength(
  call: string,
  name: string,
  length: number,
  expected: number,
  of: string,
): void {
  if (length !== expected) {
    throw new RangeError(`${call}: ${name} has ${length} elements, and ${of} ${expected}`);
  }
}

/** Throws a RangeError where writing `out` would change `input`, unless they are the same elements. */
export function requireApart(
  call: string,
  outName: string,
  out: ArrayBufferView,
  name: string,
  input: ArrayBufferView,
  same: "may be the same" | "must differ",
): void {
  if (out.buffer !== input.buffer || out.byteLength === 0 || input.byteLength === 0) return;
  const isSame = out.byteOffset === input.byteOffset && out.byteLength === input.byteLength;
  if (isSame && same === "may be the same") return;
  const ends = Math.min(out.byteOffset + out.byteLength, input.byteOffset + input.byteLength);
  if (Math.max(out.byteOffset, input.byteOffset) < ends) {
    throw new RangeError(
      `${call}: ${outName} shares memory with ${name}${isSame ? "" : " without being the same"}`,
    );
  }
}

/** The length of `x`, which `out` must have too. */
export function lengthOfBoth(call: string, x: Float32Array, out: Float32Array): number {
  const length = lengthOfArray(call, "x", "Float32Array", x);
  if (out === x) return length;
  requireLength(call, "out", lengthOfArray(call, "out", "Float32Array", out), length, "x");
  requireApart(call, "out", out, "x", x, "may be the same");
  return length;
}

/** The rows of `length` elements, `columns` in each. Throws where they are not whole. */
export function rowsOf(call: string, length: number, columns: number): number {
  if (typeof columns !== "number") throw new TypeError(`${call}: columns is ${columns}, not a number`);
  if (!Number.isInteger(columns) || columns < 0 || (columns === 0 ? length > 0 : length % columns !== 0)) {
    throw new RangeError(`${call}: columns is ${columns}, which does not divide the ${length} elements of x`);
  }
  return columns === 0 ? 0 : length / columns;
}
