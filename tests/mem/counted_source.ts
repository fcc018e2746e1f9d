import type { ByteSource } from "../../lib/mem/cow.ts";

/** A source over `all` that counts who retains it. */
export function countedSource(all: Uint8Array): ByteSource & { held: number } {
  return {
    held: 0,
    byteLength: all.length,
    bytes: (offset, length) => all.subarray(offset, offset + length),
    retain() {
      this.held++;
    },
    release() {
      this.held--;
    },
  };
}
