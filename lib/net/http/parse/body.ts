import { CLASSES, showByte, TOKEN, VALUE } from "./chars.ts";
import { ChunkExtensions } from "./chunk_extension.ts";
import { HttpError } from "../error.ts";
import type { HttpLimits } from "../limits.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

/** Hexadecimal digits of a chunk's size; more can only be zeros. */
const MAX_SIZE_DIGITS = 16;
/** Of sizes that are read at once. */
const PLAIN_SIZE_DIGITS = 6;
/** Bytes of chunk extensions in one body: they carry nothing that we read, so that a flood of them is an attack. */
const MAX_EXTENSION_BYTES = 16384;

/** What each byte is as a hexadecimal digit; -1 where it is none. */
const DIGITS: Int8Array = Int8Array.from(
  { length: 256 },
  (_, byte) => "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase()),
);

const IN_SIZE = 0;
const IN_EXTENSION = 1;
const IN_SIZE_LF = 2;
const IN_DATA = 3;
const IN_DATA_CR = 4;
const IN_DATA_LF = 5;
const IN_TRAILER_START = 6;
const IN_TRAILER_NAME = 7;
const IN_TRAILER_VALUE = 8;
const IN_TRAILER_LF = 9;
const IN_END_LF = 10;
const IN_NOTHING = 11;

/**
 * Takes a chunked body apart (RFC 9112, section 7.1): `1a;ext\r\n` data `\r\n` … `0\r\n` trailers `\r\n`. It goes
 * on wherever the bytes stopped. Extensions and trailers are checked, bounded and dropped.
 */
export class ChunkedBody {
  /** Where the data lies that the last {@linkcode decode} found; `dataStart === dataEnd` where it found none. */
  dataStart = 0;
  dataEnd = 0;

  #state = IN_SIZE;
  #digits = 0;
  #left = 0;
  #total = 0;
  #extensionBytes = 0;
  #trailers = 0;
  #trailerBytes = 0;
  #extensions: ChunkExtensions | null = null;
  readonly #limits: Required<HttpLimits>;

  constructor(limits: Required<HttpLimits>) {
    this.#limits = limits;
  }

  /** Makes ready for another body. */
  reset(): void {
    this.#state = IN_SIZE;
    this.#digits = 0;
    this.#left = 0;
    this.#total = 0;
    this.#extensionBytes = 0;
    this.#trailers = 0;
    this.#trailerBytes = 0;
    this.#extensions = null;
  }

  /** Whether the body is at its end. */
  get isDone(): boolean {
    return this.#state === IN_NOTHING;
  }

  /**
   * Decodes `bytes` from `at` up to the next run of data, to the end of the body, or to `end`; returns where it
   * stopped. Throws an {@linkcode HttpError}: 400 for what is no chunk, 413 and 431 by the limits.
   */
  decode(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    this.dataStart = this.dataEnd = at;
    while (at < end && this.#state !== IN_NOTHING) {
      if (this.#state === IN_DATA) {
        this.dataStart = at;
        this.dataEnd = Math.min(end, at + this.#left);
        this.#left -= this.dataEnd - at;
        if (this.#left === 0) this.#state = IN_DATA_CR;
        return this.dataEnd;
      }
      if (this.#state === IN_DATA_CR && at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) {
        this.#state = IN_SIZE;
        at += 2;
      }
      if (this.#state === IN_SIZE && this.#digits === 0) {
        const next = this.#plainSize(bytes, at, end);
        if (next > at) {
          at = next;
          continue;
        }
        if (at === end) return at;
      }
      this.#state = this.#state < IN_TRAILER_START ? this.#stepSize(bytes[at]) : this.#stepTrailer(bytes[at]);
      at++;
    }
    return at;
  }

  /** Takes a size's line that is there as a whole and has nothing but digits; else returns `from`. */
  #plainSize(bytes: Uint8Array, from: number, end: number): number {
    const stop = Math.min(end - 1, from + PLAIN_SIZE_DIGITS);
    let size = 0;
    let at = from;
    for (; at < stop; at++) {
      const digit = DIGITS[bytes[at]];
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (at === from || at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return from;
    if (this.#total + size > this.#limits.body) return from;
    this.#total += size;
    this.#left = size;
    this.#state = size === 0 ? IN_TRAILER_START : IN_DATA;
    if (size > 0 || at + 3 >= end || bytes[at + 2] !== CR || bytes[at + 3] !== LF) return at + 2;
    this.#state = IN_NOTHING;
    return at + 4;
  }

  #stepSize(byte: number): number {
    switch (this.#state) {
      case IN_SIZE: {
        const digit = DIGITS[byte];
        if (digit >= 0) return this.#addDigit(digit);
        if (this.#digits === 0) throw new HttpError(400, `a chunk's size begins with ${showByte(byte)}`);
        return this.#afterSize(byte);
      }
      case IN_EXTENSION:
        if (byte !== CR) return this.#stepExtension(byte);
        if (this.#extensions?.mayEnd !== true) {
          throw new HttpError(400, "a chunk's line ends where an extension must follow");
        }
        return IN_SIZE_LF;
      case IN_SIZE_LF:
        expect(byte, LF, "the line of a chunk's size");
        this.#digits = 0;
        return this.#left === 0 ? IN_TRAILER_START : IN_DATA;
      case IN_DATA_CR:
        expect(byte, CR, "a chunk's data");
        return IN_DATA_LF;
      default:
        expect(byte, LF, "a chunk's data");
        return IN_SIZE;
    }
  }

  #addDigit(digit: number): number {
    this.#left = this.#left * 16 + digit;
    if (++this.#digits > MAX_SIZE_DIGITS) {
      throw new HttpError(400, `a chunk's size has more than ${MAX_SIZE_DIGITS} digits`);
    }
    if (this.#total + this.#left > this.#limits.body || this.#left > Number.MAX_SAFE_INTEGER) {
      throw new HttpError(413, `the body is longer than ${this.#limits.body} bytes`);
    }
    return IN_SIZE;
  }

  #afterSize(byte: number): number {
    this.#total += this.#left;
    if (byte === CR) return IN_SIZE_LF;
    if (byte !== SEMICOLON && byte !== 0x20 && byte !== 0x09) {
      throw new HttpError(400, `a chunk's size may not hold ${showByte(byte)}`);
    }
    this.#extensions = new ChunkExtensions();
    return this.#stepExtension(byte);
  }

  #stepExtension(byte: number): number {
    this.#extensions?.step(byte);
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
      throw new HttpError(400, `the chunk extensions are longer than ${MAX_EXTENSION_BYTES} bytes`);
    }
    return IN_EXTENSION;
  }

  #stepTrailer(byte: number): number {
    if (this.#state !== IN_END_LF && (this.#state !== IN_TRAILER_START || byte !== CR)) this.#countTrailer();
    switch (this.#state) {
      case IN_TRAILER_START:
        if (byte === CR) return IN_END_LF;
        if ((CLASSES[byte] & TOKEN) === 0) throw trailerFault(byte);
        if (++this.#trailers > this.#limits.headerCount) {
          throw new HttpError(431, `more than ${this.#limits.headerCount} trailers`);
        }
        return IN_TRAILER_NAME;
      case IN_TRAILER_NAME:
        if (byte === COLON) return IN_TRAILER_VALUE;
        if ((CLASSES[byte] & TOKEN) === 0) throw trailerFault(byte);
        return IN_TRAILER_NAME;
      case IN_TRAILER_VALUE:
        if (byte === CR) return IN_TRAILER_LF;
        if ((CLASSES[byte] & VALUE) === 0) throw trailerFault(byte);
        return IN_TRAILER_VALUE;
      case IN_TRAILER_LF:
        expect(byte, LF, "a trailer");
        return IN_TRAILER_START;
      default:
        expect(byte, LF, "the trailers");
        return IN_NOTHING;
    }
  }

  #countTrailer(): void {
    if (++this.#trailerBytes > this.#limits.headers) {
      throw new HttpError(431, `the trailers are longer than ${this.#limits.headers} bytes`);
    }
  }
}

function expect(byte: number, wanted: number, after: string): void {
  if (byte !== wanted) throw new HttpError(400, `${showByte(byte)} after ${after}, where CR LF must be`);
}

function trailerFault(byte: number): HttpError {
  return new HttpError(400, `a trailer may not hold ${showByte(byte)} there`);
}
