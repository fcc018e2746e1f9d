/**
 * Gives jumps and alignments their sizes. All jumps begin short and grow to near where they must; nothing
 * shrinks again, so this ends, and without alignments no smaller sizes are possible. GNU `as` does the same.
 */
import type { Label } from "./places.ts";

/** A jump, or an alignment. It has no bytes in the text as it is written. */
export interface Flexible {
  /** Bytes before it that have their final size. */
  readonly at: number;
  /** Where it jumps, or undefined for an alignment. */
  readonly label: Label | undefined;
  /** The opcodes of the short form and the near one, the first byte lowest; 0 where there is none. */
  readonly short: number;
  readonly near: number;
  readonly nearOpcodeBytes: number;
  readonly shortOpcodeBytes: number;
  /** Of an alignment: to multiples of this. */
  readonly alignment: number;
  size: number;
}

/** Sums of the sizes of the flexible pieces before each. */
export class Layout {
  readonly #pieces: readonly Flexible[];
  readonly #sums: Float64Array;

  constructor(pieces: readonly Flexible[]) {
    this.#pieces = pieces;
    this.#sums = new Float64Array(pieces.length + 1);
    do this.#sum(); while (this.#grow());
  }

  /** The final place of what has `at` bytes and `order` flexible pieces before it. */
  place(at: number, order: number): number {
    return at + this.#sums[order];
  }

  #sum(): void {
    const sums = this.#sums;
    this.#pieces.forEach((piece, i) => {
      if (piece.alignment !== 0) piece.size = -(piece.at + sums[i]) & (piece.alignment - 1);
      sums[i + 1] = sums[i] + piece.size;
    });
  }

  /** Whether a jump had to grow. */
  #grow(): boolean {
    let grown = false;
    this.#pieces.forEach((piece, i) => {
      const { label, near, shortOpcodeBytes, nearOpcodeBytes } = piece;
      if (label === undefined || piece.size !== shortOpcodeBytes + 1) return;
      const distance = this.distance(piece, i);
      if (distance >= -128 && distance < 128) return;
      if (near === 0) {
        throw new RangeError(
          `${label} is ${distance} bytes away, and this jump has 8 bits alone: -128 to 127`,
        );
      }
      piece.size = nearOpcodeBytes + 4;
      grown = true;
    });
    return grown;
  }

  /** From the end of the i-th piece, a jump, to its label. */
  distance({ at, label }: Flexible, i: number): number {
    if (label === undefined) return 0;
    return this.place(label.position, label.order) - this.place(at, i + 1);
  }
}

/** The nops that GNU `as` and AMD's guide fill with, of 1 to 11 bytes. */
const nops: readonly (readonly number[])[] = [
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/** Fills `bytes` with as few nops as there can be. */
export function fillWithNops(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const nop = nops[Math.min(bytes.length - at, nops.length) - 1];
    bytes.set(nop, at);
    at += nop.length;
  }
}
