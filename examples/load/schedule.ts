/** The open loop's: request `i` is due at `i / rate`, whatever became of the others. */
export class Schedule {
  readonly #rate: number;
  #epoch = 0;
  #taken = 0;

  /** `rate` is in requests a second. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Request 0 is due now. */
  begin(now: number): void {
    this.#epoch = now;
    this.#taken = 0;
  }

  /** When the next request is due that was not taken. */
  get next(): number {
    return this.#epoch + 1000 * this.#taken / this.#rate;
  }

  /** The same, and it is taken. */
  take(): number {
    const { next } = this;
    this.#taken++;
    return next;
  }
}
