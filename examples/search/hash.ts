/**
 * FNV-1a over the bytes of words, and the finaliser of MurmurHash3, without which its low bits are poor.
 *
 * @module
 */

/** FNV-1a of no bytes; of one more byte it is `Math.imul(hash ^ byte, FNV_PRIME)`. */
export const FNV_BASIS: number = 0x811c9dc5 | 0;
/** See {@linkcode FNV_BASIS}. */
export const FNV_PRIME = 0x01000193;

/** FNV-1a of the bytes from `start` up to, but without, `end`. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_BASIS;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], FNV_PRIME);
  return hash;
}

/** Spreads a hash over all 32 bits: an unsigned integer. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
