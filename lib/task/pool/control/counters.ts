import { COUNTER_WORDS, COUNTERS, type Layout } from "./layout.ts";

/** What each lane counts, in the order of its words. */
export const NAMES = [
  "submitted",
  "begun",
  "finished",
  "failed",
  "cancelled",
  "lost",
  "stolen",
  "injected",
  "parks",
  "wakes",
  "searches",
  "refused",
] as const;

/** One of the counts. */
export type CounterName = typeof NAMES[number];

export const SUBMITTED = 0;
export const BEGUN = 1;
export const FINISHED = 2;
export const FAILURES = 3;
export const CANCELLATIONS = 4;
export const LOSSES = 5;
export const STOLEN = 6;
export const INJECTED = 7;
export const PARKS = 8;
export const WAKES = 9;
export const SEARCHES = 10;
/** Pushes that found the deque full. */
export const REFUSED = 11;

/** As many as a low word counts. */
const LOW = 0x1_0000_0000;

/** What those who count need of the counters. */
export interface Counting {
  /** Counts one. */
  add(counter: number): void;
}

/**
 * Counts of each lane in two words, which that lane alone writes: so they cost a plain store, and what another lane
 * reads of them is exact once the writer is at rest.
 */
export class Counters implements Counting {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #layout: Layout;
  readonly #at: number;

  constructor(words: Int32Array<ArrayBuffer>, layout: Layout, lane: number) {
    this.#words = words;
    this.#layout = layout;
    this.#at = layout.ofLane(lane, COUNTERS);
  }

  add(counter: number): void {
    const words = this.#words;
    const at = this.#at + 2 * counter;
    const low = (words[at] + 1) | 0;
    words[at] = low;
    if (low === 0) words[at + 1]++;
  }

  /** What a lane has counted: exact up to 2⁵³. */
  of(lane: number, counter: number): number {
    const words = this.#words;
    const at = this.#layout.ofLane(lane, COUNTERS) + 2 * counter;
    for (;;) {
      const high = Atomics.load(words, at + 1);
      const low = Atomics.load(words, at);
      if (Atomics.load(words, at + 1) === high) return high * LOW + (low >>> 0);
    }
  }

  /** What all lanes have counted. */
  total(counter: number): number {
    let sum = 0;
    for (let lane = 0; lane < this.#layout.shape.lanes; lane++) sum += this.of(lane, counter);
    return sum;
  }

  /**
   * All counts by name, of one lane or of all. They go on meanwhile: what ends jobs is read before what is submitted, so
   * that a job may seem in flight still that has just ended, and none is missed.
   */
  metrics(lane?: number): Record<CounterName, number> {
    const count = (counter: number): number =>
      lane === undefined ? this.total(counter) : this.of(lane, counter);
    return {
      finished: count(FINISHED),
      failed: count(FAILURES),
      cancelled: count(CANCELLATIONS),
      lost: count(LOSSES),
      begun: count(BEGUN),
      submitted: count(SUBMITTED),
      stolen: count(STOLEN),
      injected: count(INJECTED),
      parks: count(PARKS),
      wakes: count(WAKES),
      searches: count(SEARCHES),
      refused: count(REFUSED),
    };
  }

  static {
    if (2 * NAMES.length > COUNTER_WORDS) throw new RangeError("there are more counters than words for them");
  }
}
