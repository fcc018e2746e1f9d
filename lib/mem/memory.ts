/** Parts of maps as memory that others write to as well, for the inside of this folder. */
import type { Pointer } from "../../ffi/mod.ts";
import { type Mmap, sharedIn } from "./map.ts";
import type { MapAccess } from "./map_options.ts";

/** A part of a shared map. */
export interface SharedMemory {
  /** Of length 0 once the map is gone. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the first byte: good for as long as `bytes` is not empty. */
  readonly pointer: Pointer;
}

/**
 * `byteLength` bytes of the map from `byteOffset`. Throws a `RangeError` where they do not lie in it, and a `TypeError`
 * where what is written there is seen by nobody else. `what` begins the sentence.
 */
export function memoryOf(
  map: Mmap<MapAccess>,
  what: string,
  byteOffset: number,
  byteLength: number,
): SharedMemory {
  const { bytes, pointer, path } = sharedIn(map, what, byteOffset, byteLength);
  if (pointer === undefined) throw new RangeError(`${what}: ${path} is empty`);
  return { bytes, pointer };
}
