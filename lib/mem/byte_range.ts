/** Throws a `RangeError` where `length` bytes from `offset` do not lie in `byteLength`. */
export function checkRange(what: string, byteLength: number, offset: number, length: number): void {
  const isCount = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isCount || offset + length > byteLength) {
    throw new RangeError(
      `cannot read ${what}: ${String(length)} bytes from ${
        String(offset)
      } do not lie in its ${byteLength} bytes`,
    );
  }
}
