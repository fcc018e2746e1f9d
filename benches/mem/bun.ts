/** Bun's own map, for the contenders on Bun. It is unmapped when the garbage collector gets to it. */
declare const Bun: { mmap(path: string): Uint8Array };

/** Bun.mmap. */
export function bunMap(path: string): Uint8Array {
  return Bun.mmap(path);
}
