/**
 * Copy on write. A {@linkcode Cow} is a typed array that is borrowed, and becomes a copy of its own at the first
 * change; {@linkcode Utf8} is text that may be borrowed, which a JavaScript string never is; a
 * {@linkcode CowTable} holds millions of such rows in 24 bytes each; an {@linkcode Overlay} does it by pages, over
 * a map that is only read.
 *
 * What is borrowed is seen and not copied, so it must neither change nor go for as long as it is read. Memory that
 * went, since its map was disposed or its buffer transferred, is a `TypeError` at the next use: its views have
 * length 0 then, and an empty value would pass for a right one.
 *
 * @example
 * ```ts
 * import { Cow } from "@oxbow/oxbow/cow";
 *
 * function absAll(input: Cow<Int32Array>): void {
 *   for (let i = 0; i < input.value.length; i++) {
 *     if (input.value[i] < 0) input.toMut()[i] *= -1;
 *   }
 * }
 *
 * const positive = Cow.borrowed(Int32Array.of(0, 1, 2));
 * absAll(positive);
 * console.log(positive.isBorrowed); // true: nothing was copied
 *
 * const mixed = Cow.borrowed(Int32Array.of(0, -1, 2));
 * absAll(mixed);
 * console.log(mixed.isBorrowed, mixed.value); // false Int32Array(3) [ 0, 1, 2 ]
 * ```
 *
 * Follows Rust's `std::borrow::Cow`.
 *
 * @module
 */
export type { ByteSource } from "./cow/byte_source.ts";
export { Cow, type Writable } from "./cow/cow.ts";
export { CowTable } from "./cow/cow_table.ts";
export { Overlay, type OverlayRange } from "./cow/overlay.ts";
export { Utf8 } from "./cow/utf8.ts";
