import { CLASSES, TARGET, VALUE } from "./chars.ts";

/** A byte of each four, and its highest bit. */
const ONES = 0x01010101;
const HIGH = 0x80808080 | 0;

/**
 * Where the first byte from `at` on is that a field's value may not hold, or `end`. Four bytes at a time: one below
 * SP leaves its highest bit in `x - 0x20…`, and DEL is what is 0 in `x ^ 0x7f…`. A borrow from the byte below
 * may accuse an innocent one, which then is looked at by itself, as HTAB is.
 */
export function skipValue(bytes: Uint8Array, view: DataView, from: number, end: number): number {
  let at = from;
  for (;;) {
    while (at + 4 <= end) {
      const four = view.getInt32(at, true);
      const rest = four ^ 0x7f7f7f7f;
      if ((((four - 0x20202020) & ~four) | ((rest - ONES) & ~rest)) & HIGH) break;
      at += 4;
    }
    const stop = at + 4 < end ? at + 4 : end;
    while (at < stop && (CLASSES[bytes[at]] & VALUE) !== 0) at++;
    if (at < stop || at === end) return at;
  }
}

/** Where the first byte from `at` on is that a request target may not hold, or `end`. */
export function skipTarget(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (CLASSES[bytes[at]] & TARGET) !== 0) at++;
  return at;
}
