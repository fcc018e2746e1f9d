/**
 * Gives jumps and alignments their sizes. All jumps begin short and grow to near where they must; none shrinks
 * again, so this ends, and without alignments no smaller sizes are possible. With them, that depends on the
 * order in which things are looked at: it is that of GNU `as` (`relax_segment`), so that sizes are the same.
 */
import type { Label } from "./places.ts";

/** A place among the pieces: how many bytes of final size, and how many flexible pieces, are before it. */
export interface Place {
  readonly at: number;
  readonly order: number;
}

/** A jump, or an alignment. It has no bytes in the text as it is written. */
export interface Flexible {
  /** Bytes before it that have their final size. */
  readonly at: number;
  /** Where it jumps, or undefined for an alignment. */
  readonly label: Label | undefined;
  /** The opcodes of the short form and the near one, the first byte lowest; 0 where there is none. */
  readonly short: number;
  readonly shortOpcodeBytes: number;
  readonly near: number;
  readonly nearOpcodeBytes: number;
  /** Of an alignment: to multiples of this. */
  readonly alignment: number;
  size: number;
}

/** Where everything is, once all sizes are known. */
export class Layout {
  readonly #pieces: readonly Flexible[];
  readonly #labels: readonly (Place | undefined)[];
  /** How many bytes the flexible pieces before each have, and at the end all of them. */
  readonly #sums: Float64Array;
  /** How many alignments are before each. */
  readonly #regions: Float64Array;

  /** `labels` are the places of the labels by their numbers. */
  constructor(pieces: readonly Flexible[], labels: readonly (Place | undefined)[]) {
    this.#pieces = pieces;
    this.#labels = labels;
    this.#sums = new Float64Array(pieces.length + 1);
    this.#regions = new Float64Array(pieces.length + 1);
    pieces.forEach((piece, i) => {
      if (piece.alignment !== 0) piece.size = this.#padding(piece, i);
      this.#sums[i + 1] = this.#sums[i] + piece.size;
      this.#regions[i + 1] = this.#regions[i] + (piece.alignment > 1 ? 1 : 0);
    });
    while (this.#relax());
  }

  /** The final offset of what has `at` bytes and `order` flexible pieces before it. */
  offset(at: number, order: number): number {
    return at + this.#sums[order];
  }

  /** The final offset of a label. Throws where it is bound nowhere. */
  offsetOf(label: Label): number {
    const place = this.#labels[label.index];
    if (place === undefined) throw new Error(`${label} is jumped to or read, and bound nowhere`);
    return this.offset(place.at, place.order);
  }

  /** A pass. Whether anything moved: then there must be another. */
  #relax(): boolean {
    let moved = 0;
    let stretch = 0;
    this.#pieces.forEach((piece, i) => {
      this.#sums[i] += stretch;
      const size = piece.alignment !== 0 ? this.#padding(piece, i) : this.#jumpSize(piece, i, stretch);
      if (size !== piece.size) moved++;
      stretch += size - piece.size;
      piece.size = size;
    });
    this.#sums[this.#pieces.length] += stretch;
    return moved > 0;
  }

  #padding({ at, alignment }: Flexible, i: number): number {
    return -this.offset(at, i) & (alignment - 1);
  }

  #jumpSize(
    { at, label, near, size, shortOpcodeBytes, nearOpcodeBytes }: Flexible,
    i: number,
    stretch: number,
  ): number {
    const place = label === undefined ? undefined : this.#labels[label.index];
    if (place === undefined || near === 0 || size !== shortOpcodeBytes + 1) return size;
    let target = this.offset(place.at, place.order);
    if (place.order > i && stretch !== 0) {
      // The label will move as this has, unless an alignment between takes it up.
      if (stretch < 0 || this.#regions[place.order] === this.#regions[i]) target += stretch;
      else if (target < this.offset(at, i)) return size;
    }
    return fits8(target - this.offset(at, i) - size) ? size : nearOpcodeBytes + 4;
  }

  /** From the end of the i-th piece, a jump, to its label. */
  distance({ at, label }: Flexible, i: number): number {
    return label === undefined ? 0 : this.offsetOf(label) - this.offset(at, i + 1);
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

function fits8(distance: number): boolean {
  return distance >= -128 && distance < 128;
}

/** Writes a jump of the size that it got. Throws where it does not reach. */
export function writeJump(room: Uint8Array, piece: Flexible, distance: number): void {
  const isShort = piece.size === piece.shortOpcodeBytes + 1;
  const opcode = isShort ? piece.short : piece.near;
  const opcodeBytes = isShort ? piece.shortOpcodeBytes : piece.nearOpcodeBytes;
  for (let i = 0; i < opcodeBytes; i++) room[i] = opcode >> 8 * i;
  if (isShort && !fits8(distance)) {
    throw new RangeError(`${piece.label} is ${distance} bytes away, and this jump reaches -128 to 127 alone`);
  }
  if (isShort) room[opcodeBytes] = distance;
  else writeInt32(room, opcodeBytes, distance);
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >> 8 * i;
}
