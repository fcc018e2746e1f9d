import type { Buffer } from "node:buffer";
import { latin1 } from "./latin1.ts";

/**
 * Copies of heads, in bytes until the page is full: as text they cost most where each is decoded by itself, and few
 * are ever asked for. A page becomes text as a whole, and its bytes then are free for another.
 */
export class Page {
  /** What the bytes were, once they are no longer there. */
  #text: string | null = null;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get text(): string | null {
    return this.#text;
  }

  /** What lies there as text. */
  cut(start: number, end: number): string {
    return this.#text === null ? latin1(this.#bytes, start, end) : this.#text.slice(start, end);
  }

  /** Gives the bytes free, of which `end` were used. */
  close(end: number): void {
    this.#text = latin1(this.#bytes, 0, end);
  }
}
