/** The first bucket's end, in milliseconds. */
const SHORTEST_MS = 0.001;
/** The last one has no end. */
const BUCKETS = 22;

/** How many polls took about as long. */
export interface PollTimeBucket {
  /** They took less than this, in milliseconds, and no less than the bucket before says; `Infinity` for the last. */
  readonly below: number;
  readonly count: number;
}

/** How long polls took: buckets of which each reaches twice as far as the one before, from 1 µs to 1 s. */
export class PollTimes {
  #counts: Float64Array = new Float64Array(BUCKETS);

  add(ms: number): void {
    const bucket = ms < SHORTEST_MS ? 0 : 1 + Math.floor(Math.log2(ms / SHORTEST_MS));
    this.#counts[Math.min(bucket, BUCKETS - 1)]++;
  }

  get buckets(): PollTimeBucket[] {
    return Array.from(this.#counts, (count, i) => ({
      below: i === BUCKETS - 1 ? Infinity : SHORTEST_MS * 2 ** i,
      count,
    }));
  }
}
