import { CLASSES, showByte, TOKEN, VALUE } from "./chars.ts";
import { HttpError } from "../error.ts";

const SP = 0x20;
const HTAB = 0x09;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

const BEFORE_NAME = 0;
const IN_NAME = 1;
const AFTER_NAME = 2;
const BEFORE_VALUE = 3;
const IN_TOKEN = 4;
const IN_QUOTES = 5;
const ESCAPED = 6;
const AFTER_QUOTES = 7;
const AFTER_VALUE = 8;

/**
 * Checks the extensions of one chunk, which begin with a semicolon or a blank, a byte at a time: `;name`, `;name=token` or `;name="quoted"`, with blanks
 * around the signs (RFC 9112, section 7.1.1). What they say is nothing to us.
 */
export class ChunkExtensions {
  #state = AFTER_VALUE;

  /** Whether the line may end here. */
  get mayEnd(): boolean {
    return this.#state === IN_NAME || this.#state === IN_TOKEN || this.#state === AFTER_QUOTES;
  }

  /** Throws an {@linkcode HttpError} for a byte that may not be there. */
  step(byte: number): void {
    const next = this.#next(byte);
    if (next < 0) throw new HttpError(400, `a chunk extension may not hold ${showByte(byte)} there`);
    this.#state = next;
  }

  #next(byte: number): number {
    const isBlank = byte === SP || byte === HTAB;
    const isToken = (CLASSES[byte] & TOKEN) !== 0;
    switch (this.#state) {
      case BEFORE_NAME:
        return isBlank ? BEFORE_NAME : isToken ? IN_NAME : -1;
      case IN_NAME:
        if (isToken) return IN_NAME;
        return isBlank ? AFTER_NAME : byte === EQUALS ? BEFORE_VALUE : byte === SEMICOLON ? BEFORE_NAME : -1;
      case AFTER_NAME:
        return isBlank ? AFTER_NAME : byte === EQUALS ? BEFORE_VALUE : byte === SEMICOLON ? BEFORE_NAME : -1;
      case BEFORE_VALUE:
        return isBlank ? BEFORE_VALUE : byte === QUOTE ? IN_QUOTES : isToken ? IN_TOKEN : -1;
      case IN_TOKEN:
        return isToken ? IN_TOKEN : isBlank ? AFTER_VALUE : byte === SEMICOLON ? BEFORE_NAME : -1;
      case IN_QUOTES:
        if (byte === QUOTE) return AFTER_QUOTES;
        return byte === BACKSLASH ? ESCAPED : (CLASSES[byte] & VALUE) !== 0 ? IN_QUOTES : -1;
      case ESCAPED:
        return (CLASSES[byte] & VALUE) !== 0 ? IN_QUOTES : -1;
      default:
        return isBlank ? AFTER_VALUE : byte === SEMICOLON ? BEFORE_NAME : -1;
    }
  }
}
