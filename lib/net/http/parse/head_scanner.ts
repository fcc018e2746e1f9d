import { WORD } from "../../../jit/http_head_table.ts";
import { CLASSES, TOKEN } from "./chars.ts";
import { HttpError } from "../error.ts";
import { FieldScanner } from "./field_scanner.ts";
import { expectLf, methodFault, targetFault, versionFault } from "./head_faults.ts";
import type { HttpLimits } from "../limits.ts";
import { skipTarget } from "./skip.ts";

const CR = 0x0d;
const SP = 0x20;

/** A server should ignore at least one empty line before a request (RFC 9112, section 2.2). */
const MAX_EMPTY_LINES = 4;

const VERSION = new TextEncoder().encode("HTTP/1.1");
const MAJOR_AT = 5;
const MINOR_AT = 7;

/** What most request lines begin and end with, as numbers of little-endian bytes. */
const GET_ = 0x20544547;
const HTTP = 0x50545448;
const SLASH_1_1 = 0x312e312f;
const CRLF = 0x0a0d;

const IN_START = 0;
const IN_START_LF = 1;
const IN_METHOD = 2;
const IN_TARGET = 3;
const IN_VERSION = 4;
const IN_LINE_LF = 5;
const IN_FIELDS = 6;

/**
 * Finds the end of a request's head and checks every byte on the way, by the grammar of RFC 9112, sections 2
 * to 5. It stops wherever the bytes stop and goes on from there, so that each byte is looked at once however
 * they arrive, and the verdict does not depend on how they were cut. Positions count from the byte where the
 * scan began.
 */
export class HeadScanner {
  /** Where the method begins: after the empty lines. */
  #start = 0;
  #methodEnd = 0;
  /** Whether it was seen at once that the method is GET. */
  #isGet = false;
  #targetEnd = 0;
  #minor = 1;

  #state = IN_START;
  #at = 0;
  #emptyLines = 0;
  readonly #fields: FieldScanner;
  readonly #limits: Required<HttpLimits>;

  constructor(limits: Required<HttpLimits>) {
    this.#limits = limits;
    this.#fields = new FieldScanner(limits);
  }

  /** Whether nothing of a request has been seen yet. */
  get isIdle(): boolean {
    return this.#state <= IN_START_LF;
  }

  /** How many bytes were looked at. */
  get scanned(): number {
    return this.#state === IN_FIELDS ? this.#fields.at : this.#at;
  }

  /** Where the head ends, once it is whole. */
  get end(): number {
    return this.#fields.end;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.#state = IN_START;
    this.#at = 0;
    this.#emptyLines = 0;
    this.#isGet = false;
  }

  /**
   * Scans on in `bytes`, where the head began at `base` and `end` is where the bytes stop. Returns whether the
   * head is whole. Throws an {@linkcode HttpError} at the first byte that no request may have there.
   */
  scan(bytes: Uint8Array, view: DataView, base: number, end: number): boolean {
    if (this.#state !== IN_FIELDS) {
      this.#at = this.#scanLine(bytes, view, base, base + this.#at, end) - base;
      if (this.#state !== IN_FIELDS) return false;
      this.#fields.begin(this.#at);
    }
    return this.#fields.scan(bytes, view, base, end);
  }

  /** Writes what was found, as {@linkcode WORD} says. */
  tell(words: Int32Array): void {
    words[WORD.start] = this.#start;
    words[WORD.isGet] = this.#isGet ? 1 : 0;
    words[WORD.methodEnd] = this.#methodEnd;
    words[WORD.targetEnd] = this.#targetEnd;
    words[WORD.minor] = this.#minor;
    this.#fields.tell(words);
  }

  #scanLine(bytes: Uint8Array, view: DataView, base: number, from: number, end: number): number {
    let at = from;
    if (this.#state <= IN_START_LF) {
      at = this.#skipEmptyLines(bytes, at, end);
      if (at === end) return at;
      this.#start = at - base;
      this.#state = IN_METHOD;
    }
    const start = base + this.#start;
    const stop = Math.min(end, start + this.#limits.requestLine);
    if (this.#state === IN_METHOD && at === start && at + 4 <= stop && view.getInt32(at, true) === GET_) {
      at += 4;
      this.#methodEnd = at - 1 - base;
      this.#isGet = true;
      this.#state = IN_TARGET;
    }
    if (this.#state === IN_METHOD) {
      while (at < stop && (CLASSES[bytes[at]] & TOKEN) !== 0) at++;
      if (at === end) return at;
      if (at === stop) throw this.#longLine();
      if (bytes[at] !== SP || at === start) throw methodFault(bytes[at], at === start);
      this.#methodEnd = at++ - base;
      this.#state = IN_TARGET;
    }
    if (this.#state === IN_TARGET) {
      at = skipTarget(bytes, at, stop);
      if (at === end) return at;
      if (at + VERSION.length >= start + this.#limits.requestLine) throw this.#longLine();
      if (bytes[at] !== SP || at === base + this.#methodEnd + 1) throw targetFault(bytes[at]);
      this.#targetEnd = at++ - base;
      this.#state = IN_VERSION;
    }
    return this.#scanVersion(bytes, view, base, at, end);
  }

  #skipEmptyLines(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    for (; at < end && (this.#state === IN_START_LF || bytes[at] === CR); at++) {
      if (this.#state === IN_START) {
        this.#state = IN_START_LF;
        continue;
      }
      expectLf(bytes[at]);
      if (++this.#emptyLines > MAX_EMPTY_LINES) {
        throw new HttpError(400, `more than ${MAX_EMPTY_LINES} empty lines before the request line`);
      }
      this.#state = IN_START;
    }
    return at;
  }

  #scanVersion(bytes: Uint8Array, view: DataView, base: number, from: number, end: number): number {
    let at = from;
    const first = base + this.#targetEnd + 1;
    if (
      at === first && at + 10 <= end && view.getInt32(at, true) === HTTP &&
      view.getInt32(at + 4, true) === SLASH_1_1 && view.getInt16(at + 8, true) === CRLF
    ) {
      this.#minor = 1;
      this.#state = IN_FIELDS;
      return at + 10;
    }
    for (; at < end && at < first + VERSION.length; at++) {
      const isDigit = at === first + MAJOR_AT || at === first + MINOR_AT;
      if (isDigit ? bytes[at] < 0x30 || bytes[at] > 0x39 : bytes[at] !== VERSION[at - first]) {
        throw versionFault(bytes[at]);
      }
    }
    if (at < end && this.#state === IN_VERSION) {
      if (bytes[first + MAJOR_AT] !== 0x31) {
        throw new HttpError(505, "the protocol's version is not HTTP/1.1 or HTTP/1.0");
      }
      this.#minor = bytes[first + MINOR_AT] === 0x30 ? 0 : 1;
      if (bytes[at] !== CR) throw versionFault(bytes[at]);
      at++;
      this.#state = IN_LINE_LF;
    }
    if (at < end) {
      expectLf(bytes[at++]);
      this.#state = IN_FIELDS;
    }
    return at;
  }

  #longLine(): HttpError {
    return new HttpError(414, `the request line is longer than ${this.#limits.requestLine} bytes`);
  }
}
