/** A bucket is at most 1/128 of its values wide, so a percentile is right to 0.8 %. */
const STEPS = 128;
const STEPS_LOG2 = 7;
const TICKS_A_MS = 10_000;
const LONGEST = 2 ** 31 - 1;
const BUCKETS = (31 - STEPS_LOG2) * STEPS + STEPS;

/**
 * Counts of latencies, in buckets that widen with their values as HdrHistogram's do: 12.5 KiB from 0.1 µs to three
 * minutes, however many there are.
 */
export class Histogram {
  #counts: Uint32Array = new Uint32Array(BUCKETS);
  #total = 0;
  #sum = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  /** Milliseconds; 0 where there is none. */
  get mean(): number {
    return this.#total === 0 ? 0 : this.#sum / this.#total;
  }

  get max(): number {
    return this.#max;
  }

  record(ms: number): void {
    const ticks = Math.min(LONGEST, Math.max(0, Math.round(ms * TICKS_A_MS)));
    const shift = Math.max(0, 31 - STEPS_LOG2 - Math.clz32(ticks));
    this.#counts[shift * STEPS + (ticks >>> shift)]++;
    this.#total++;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** The milliseconds that `share` of the latencies, from 0 to 1, do not exceed; 0 where there is none. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i];
      if (seen < rank) continue;
      const shift = Math.max(0, (i >>> STEPS_LOG2) - 1);
      const past = (i - shift * STEPS + 1) * 2 ** shift;
      return Math.min((past - 0.5) / TICKS_A_MS, this.#max);
    }
    return 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = this.#sum = this.#max = 0;
  }
}
