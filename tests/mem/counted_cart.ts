/**
 * A cart that counts its holders, and keeps the promises of one.
 *
 * @module
 */
import type { StableBytes } from "../../lib/mem/stable_bytes.ts";

export class CountedCart implements StableBytes {
  readonly byteLength: number;
  holds = 0;
  /** How often it was retained, ever. */
  retains = 0;
  isGone = false;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(...bytes: number[]) {
    this.#bytes = Uint8Array.from(bytes);
    this.byteLength = bytes.length;
  }

  bytes(offset = 0, length: number = this.byteLength - offset): Uint8Array<ArrayBuffer> {
    if (this.isGone) throw new Error("the cart has gone");
    return this.#bytes.subarray(offset, offset + length);
  }

  retain(): void {
    if (this.isGone) throw new Error("the cart has gone");
    this.holds++;
    this.retains++;
  }

  release(): void {
    if (this.holds === 0) throw new Error("released too often");
    this.holds--;
  }
}
