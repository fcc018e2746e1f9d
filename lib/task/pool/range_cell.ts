/**
 * Ranges of indices, of which threads claim pieces until they are used up. A range is counted in units of as many indices
 * as a piece has at least. A piece is `remaining / (2 · threads)` units, but one at least: large ones first, which cost
 * little, and small ones at the end, which come out even. In words of shared memory, on a cache line for each range:
 *
 *     0    whether a range has the cell
 *     1    how many of its units are claimed
 *
 * Who has taken a cell frees it once all who claim have ended. Where that is not known, because a worker was lost or the
 * submitter is, the cell stays taken, so that whoever claims late claims of nobody else's range.
 *
 * Follows Polychronopoulos and Kuck, "Guided Self-Scheduling", IEEE Trans. Comput. 1987.
 */
/** As many ranges can be shared at once; those beyond are each one thread's. */
export const CELLS = 4096;
export const CELL_BYTES = 64;
const CELL_WORDS: number = CELL_BYTES / Int32Array.BYTES_PER_ELEMENT;
const TAKEN = 0;
const CLAIMED = 1;

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

/** Claims pieces of one range. */
export class RangeCell {
  readonly index: number;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #at: number;
  readonly #split: Split;

  constructor(words: Int32Array<ArrayBuffer>, index: number, split: Split) {
    this.#words = words;
    this.index = index;
    this.#at = index * CELL_WORDS;
    this.#split = split;
  }

  /** The next piece; `null` where there is none any more. */
  claim(): Piece | null {
    const { start, end, unit, units, threads } = this.#split;
    const words = this.#words;
    const at = this.#at + CLAIMED;
    let first = Atomics.load(words, at);
    while (first < units) {
      const last = first + Math.max(1, Math.floor((units - first) / (2 * threads)));
      const seen = Atomics.compareExchange(words, at, first, last);
      if (seen === first) {
        return { start: start + first * unit, end: last === units ? end : start + last * unit };
      }
      first = seen;
    }
    return null;
  }

  /** Nobody claims anything any more. */
  close(): void {
    Atomics.store(this.#words, this.#at + CLAIMED, this.#split.units);
  }

  /** Lets another range have the cell: once nobody claims. */
  free(): void {
    Atomics.store(this.#words, this.#at + TAKEN, 0);
  }
}

/** The cells of a pool. */
export class RangeCells {
  readonly #words: Int32Array<ArrayBuffer>;
  #next = 0;

  constructor(words: Int32Array<ArrayBuffer>) {
    this.#words = words;
  }

  /** One of which nothing is claimed; `null` where all are taken. */
  take(split: Split): RangeCell | null {
    const words = this.#words;
    for (let i = 0; i < CELLS; i++) {
      const index = (this.#next + i) % CELLS;
      const at = index * CELL_WORDS;
      if (Atomics.compareExchange(words, at + TAKEN, 0, 1) !== 0) continue;
      Atomics.store(words, at + CLAIMED, 0);
      this.#next = index;
      return new RangeCell(words, index, split);
    }
    return null;
  }

  /** The one that another thread has taken. */
  at(index: number, split: Split): RangeCell {
    return new RangeCell(this.#words, index, split);
  }
}
