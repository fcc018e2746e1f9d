/** What a bar is drawn on, such as `process.stderr`. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = "\r\x1b[K";

/** A bar that fills on a terminal; in a pipe, nothing. Disposing takes it off the screen. */
export class ProgressBar implements Disposable {
  readonly #screen: Screen;
  readonly #what: string;
  #isDrawn = false;

  constructor(screen: Screen, what: string) {
    this.#screen = screen;
    this.#what = what;
  }

  /** Fills the bar to `done` of `total`. */
  update(done: number, total: number): void {
    if (!this.#screen.isTTY) return;
    const part = total > 0 ? done / total : 1;
    const width = Math.max(1, Math.min(40, (this.#screen.columns ?? 80) - this.#what.length - 9));
    const full = Math.round(part * width);
    const bar = "█".repeat(full) + "░".repeat(width - full);
    this.#screen.write(`${CLEAR_LINE}${this.#what} ${bar} ${Math.floor(100 * part)} %`);
    this.#isDrawn = true;
  }

  [Symbol.dispose](): void {
    if (this.#isDrawn) this.#screen.write(CLEAR_LINE);
    this.#isDrawn = false;
  }
}
