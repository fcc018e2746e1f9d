/** Rings in a file of their own, and what is sent through them. */
import type { Mmap } from "../../../lib/mem/mmap.ts";
import { SharedRing, type SharedRingOptions } from "../../../lib/mem/shared.ts";
import { inFolder, newMap } from "./file_map.ts";

export const files = inFolder();

export function newRing(options: SharedRingOptions): { map: Mmap<"write">; ring: SharedRing } {
  const map = newMap(files.file("ring"), SharedRing.byteSize(options.capacity));
  return { map, ring: SharedRing.create(map, options) };
}

/** What differs in every byte and every message. */
export function message(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (seed * 37 + i * 11 + (i >> 8)) & 255);
}
