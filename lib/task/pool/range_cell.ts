/**
 * A range of indices, of which threads claim pieces until it is used up. It is counted in units of as many indices as a
 * piece has at least, and how many units are claimed stands in a word of a map of its own, so that whoever still claims
 * after its end, or after the death of who has submitted it, writes into nothing of anybody else's. A piece is
 * `remaining / (2 · threads)` units, but one at least: large ones first, which cost little, and small ones at the end,
 * which come out even. Follows Polychronopoulos and Kuck, "Guided Self-Scheduling", IEEE Trans. Comput. 1987.
 */
import { Mmap } from "../../mem/mmap.ts";

/** So many units fit into the word, whatever is added to it. */
const MOST_UNITS = 2 ** 30;
const PIECES_A_THREAD = 64;
/** Float64s of a cache line. */
const LINE = 8;

/** From `start` up to, but without, `end`. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** A range, and how it is split: plain data. */
export interface Split extends Piece {
  /** Indices of a unit. */
  readonly unit: number;
  /** How many units there are. */
  readonly units: number;
  /** How many threads claim. */
  readonly threads: number;
}

/** So that a thread has 64 pieces or more, and each, where it is that long, is a whole number of cache lines. */
function grainFor(length: number, threads: number): number {
  const grain = Math.max(1, Math.floor(length / (PIECES_A_THREAD * threads)));
  return grain < LINE ? grain : grain - grain % LINE;
}

/** Splits a range for up to so many threads. A grain of 2^53 and more units than the word holds make larger units. */
export function split({ start, end }: Piece, grain: number | undefined, threads: number): Split {
  const length = end - start;
  const least = grain ?? grainFor(length, threads);
  const unit = least * Math.max(1, Math.ceil(length / least / MOST_UNITS));
  const units = Math.ceil(length / unit);
  return { start, end, unit, units, threads: Math.min(threads, units) };
}

export function isSplit(value: unknown): value is Split {
  return typeof value === "object" && value !== null && "unit" in value && "units" in value;
}

/** One thread's view of a range that is claimed. It owns its map. */
export class RangeCell implements Disposable {
  /** For those who are to claim. */
  readonly map: Mmap<"write">;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #split: Split;

  constructor(map: Mmap<"write">, split: Split) {
    this.map = map;
    this.#words = map.view(Int32Array, 0, 1);
    this.#split = split;
  }

  /** A new one, of which nothing is claimed. Costs a map. */
  static create(split: Split): RangeCell {
    return new RangeCell(Mmap.anonymous(Int32Array.BYTES_PER_ELEMENT), split);
  }

  /** The next piece; `null` where there is none any more. */
  claim(): Piece | null {
    const { start, end, unit, units, threads } = this.#split;
    const words = this.#words;
    let first = Atomics.load(words, 0);
    while (first < units) {
      const last = first + Math.max(1, Math.floor((units - first) / (2 * threads)));
      const seen = Atomics.compareExchange(words, 0, first, last);
      if (seen === first) {
        return { start: start + first * unit, end: last === units ? end : start + last * unit };
      }
      first = seen;
    }
    return null;
  }

  /** Nobody claims anything any more. */
  close(): void {
    Atomics.store(this.#words, 0, this.#split.units);
  }

  [Symbol.dispose](): void {
    this.map[Symbol.dispose]();
  }
}
