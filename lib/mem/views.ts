/**
 * The typed arrays over a range. Few buffers serve them all: a small one where a small part is looked at first,
 * since engines collect garbage by the bytes that buffers seem to take (a buffer of 1 GiB costs Node milliseconds);
 * else one for the whole range, or one of 4 GiB at each multiple of 2.
 */
import { detach, isDetached } from "./detach.ts";
import type { Pages } from "./pages.ts";

/** JSC's largest buffer; V8 would allow more, but one limit on all hosts is easier to live with. */
export const LARGEST_VIEW: number = 2 ** 32;
const STEP = 2 ** 31;
/** Up to here a range has one buffer. */
const WHOLE = 2 ** 20;
const SMALL = 2 ** 16;

/** A constructor of typed arrays over a buffer. */
export interface ViewConstructor<T extends ArrayBufferView<ArrayBuffer>> {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
}

/** A buffer, and the byte of the range that it begins at. */
export interface Lent {
  readonly buffer: ArrayBuffer;
  readonly from: number;
  readonly to: number;
}

/** The buffers of one range of pages. */
export class Views {
  readonly #pages: Pages;
  #last: Lent | undefined;
  readonly #lent: Lent[] = [];

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** A buffer that has the range's bytes from `from` up to `to`, at most 4 GiB of them. */
  covering(from: number, to: number): Lent {
    const last = this.#last;
    if (last !== undefined && last.from <= from && to <= last.to) return last;
    const found = this.#lent.find((lent) => lent.from <= from && to <= lent.to) ?? this.#lend(from, to);
    return this.#last = found;
  }

  #lend(from: number, to: number): Lent {
    const [start, end] = this.#partFor(from, to);
    const lent = { buffer: this.#pages.lend(start, end - start), from: start, to: end };
    this.#lent.push(lent);
    return lent;
  }

  #partFor(from: number, to: number): [number, number] {
    const { length } = this.#pages;
    if (this.#lent.length === 0 && length > WHOLE) {
      const start = from - from % SMALL;
      if (to <= start + SMALL) return [start, Math.min(start + SMALL, length)];
    }
    if (length <= LARGEST_VIEW) return [0, length];
    const start = from - from % STEP;
    return to <= start + LARGEST_VIEW ? [start, Math.min(start + LARGEST_VIEW, length)] : [from, to];
  }

  /** Whether a buffer was transferred away. */
  get areEscaped(): boolean {
    return this.#lent.some(({ buffer }) => isDetached(buffer));
  }

  /** Leaves every view with length 0. Gives whether one could not be, or its buffer had been transferred away. */
  detach(): boolean {
    let isEscaped = false;
    for (const { buffer } of this.#lent) {
      if (isDetached(buffer) || !detach(buffer)) isEscaped = true;
    }
    this.#lent.length = 0;
    this.#last = undefined;
    return isEscaped;
  }
}
