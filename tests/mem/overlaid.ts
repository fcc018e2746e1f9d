/** Bytes for the tests of overlays, and those of a file. */
import { readFileSync } from "node:fs";

export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);
}

export function bytesOf(file: string): Uint8Array {
  return new Uint8Array(readFileSync(file));
}
