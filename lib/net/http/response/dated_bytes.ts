import { httpDate } from "./date.ts";
import { latin1 } from "./output.ts";

/** A head's bytes with a `Date` in them, which is brought up to date where they are taken. */
export class DatedBytes {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #at: number;
  #date: string;

  /** What stands before the date and after it, whose characters are bytes. */
  constructor(before: string, after: string) {
    this.#date = httpDate();
    this.#at = before.length;
    this.#bytes = latin1(before + this.#date + after);
  }

  /** The bytes as of now, to be copied at once. */
  take(): Uint8Array<ArrayBuffer> {
    const date = httpDate();
    const bytes = this.#bytes;
    if (date !== this.#date) {
      this.#date = date;
      for (let i = 0; i < date.length; i++) bytes[this.#at + i] = date.charCodeAt(i);
    }
    return bytes;
  }
}
