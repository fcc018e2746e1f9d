import type { ByteQueue } from "./byte_queue.ts";
import { LimitExceededError } from "./errors.ts";

/**
 * Looks for the end of a piece that may be `limit` bytes long. Each byte is looked at once. A piece that is longer is told
 * by one error, and what there is of it, and what comes, is dropped up to its end.
 */
export class DelimitedSearch {
  readonly limit: number;
  readonly #what: string;
  readonly #indexOf: (bytes: ByteQueue, from: number) => number;
  #seen = 0;
  #isDiscarding = false;

  /** `indexOf` gives where the first delimiter is, or -1; `what` is what errors call a piece. */
  constructor(limit: number, what: string, indexOf: (bytes: ByteQueue, from: number) => number) {
    this.limit = limit;
    this.#what = what;
    this.#indexOf = indexOf;
  }

  /** How long the piece is that is in front, or -1 where its end has not come. */
  next(bytes: ByteQueue): number {
    for (;;) {
      const found = this.#indexOf(bytes, this.#seen);
      if (this.#isDiscarding) {
        this.#seen = 0;
        bytes.skip(found === -1 ? bytes.length : found + 1);
        if (found === -1) return -1;
        this.#isDiscarding = false;
        continue;
      }
      if (found === -1 && bytes.length <= this.limit) {
        this.#seen = bytes.length;
        return -1;
      }
      if (found !== -1 && found <= this.limit) {
        this.#seen = 0;
        return found;
      }
      this.#isDiscarding = true;
      // What was looked at is behind it already.
      this.#seen = found === -1 ? bytes.length : found;
      throw new LimitExceededError(this.#what, this.limit);
    }
  }

  /** The last piece, which has no end, was taken. */
  reset(): void {
    this.#seen = 0;
  }
}
