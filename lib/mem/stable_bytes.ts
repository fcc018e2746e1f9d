/**
 * What a cart must be: bytes that stay where they are for as long as somebody holds them.
 *
 * `Mmap`, `PinnedBytes`, `Arc` and an `Rc` over bytes are such. A class of your own can be one too, if it keeps
 * these promises, which no type can check:
 *
 * - From a `retain` to its `release`, views given out stay valid, and over the same memory: it does not
 *   move, shrink or go, even where the object's owner disposes it meanwhile. What its owner asked for
 *   happens at the last release.
 * - `retain` throws, and changes nothing, where the bytes are gone. It does not where the owner has disposed the
 *   object and somebody else still holds it, or a yoke could not be cloned.
 * - Each `retain` is answered by one `release`. A release too many throws; it never takes another holder's.
 */
export interface StableBytes {
  /** In bytes. */
  readonly byteLength: number;
  /** The bytes, or `length` of them from `offset`, without a copy. Throws a `RangeError` outside of them. */
  bytes(offset?: number, length?: number): Uint8Array<ArrayBuffer>;
  /** One more holder. Throws where the bytes are gone. */
  retain(): void;
  /** One holder less. */
  release(): void;
}
