import { CLASSES, showByte, TARGET, TOKEN, VALUE } from "./chars.ts";
import { HttpError } from "./error.ts";
import type { HttpLimits } from "./limits.ts";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/** A server should ignore at least one empty line before a request (RFC 9112, section 2.2). */
const MAX_EMPTY_LINES = 4;

const VERSION = new TextEncoder().encode("HTTP/1.1");
const MAJOR_AT = 5;
const MINOR_AT = 7;

/** The fields that decide how a request is read. */
export const HOST = 0;
export const EXPECT = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;
const OTHER = -1;
const SPECIAL = ["host", "expect", "connection", "content-length", "transfer-encoding"].map((name) =>
  new TextEncoder().encode(name)
);

const IN_START = 0;
const IN_START_LF = 1;
const IN_METHOD = 2;
const IN_TARGET = 3;
const IN_VERSION = 4;
const IN_LINE_LF = 5;
const IN_FIELD_START = 6;
const IN_NAME = 7;
const IN_BLANK = 8;
const IN_VALUE = 9;
const IN_VALUE_LF = 10;
const IN_END_LF = 11;

/**
 * Finds the end of a request's head and checks every byte on the way, by the grammar of RFC 9112, sections 2
 * to 5. It stops wherever the bytes stop and goes on from there, so that each byte is looked at once however
 * they arrive, and the verdict does not depend on how they were cut. Positions count from the byte where the
 * scan began.
 */
export class HeadScanner {
  /** Where the method begins: after the empty lines. */
  start = 0;
  methodEnd = 0;
  targetEnd = 0;
  minor: 0 | 1 = 1;
  fieldsStart = 0;
  /** Where the head ends: after the empty line. */
  end = 0;
  /** A bit, `1 << HOST` and so on, for each of the deciding fields that came, and for each that came again. */
  seen = 0;
  repeated = 0;
  /** By {@linkcode HOST} and its like: where the last value of the field lies. */
  readonly valueStart: number[] = [0, 0, 0, 0, 0];
  readonly valueEnd: number[] = [0, 0, 0, 0, 0];

  #state = IN_START;
  #at = 0;
  #emptyLines = 0;
  #fields = 0;
  #nameStart = 0;
  #field = OTHER;
  #fieldValueStart = 0;
  #fieldValueEnd = 0;
  readonly #limits: Required<HttpLimits>;

  constructor(limits: Required<HttpLimits>) {
    this.#limits = limits;
  }

  /** Whether nothing of a request has been seen yet. */
  get isIdle(): boolean {
    return this.#state <= IN_START_LF;
  }

  /** How many bytes were looked at. */
  get scanned(): number {
    return this.#at;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.#state = IN_START;
    this.#at = 0;
    this.#emptyLines = 0;
    this.#fields = 0;
    this.end = 0;
    this.seen = 0;
    this.repeated = 0;
  }

  /**
   * Scans on in `bytes`, where the head began at `base` and `end` is where the bytes stop. Returns whether the
   * head is whole. Throws an {@linkcode HttpError} at the first byte that no request may have there.
   */
  scan(bytes: Uint8Array, base: number, end: number): boolean {
    let at = base + this.#at;
    if (this.#state < IN_FIELD_START) at = this.#scanLine(bytes, base, at, end);
    if (this.#state >= IN_FIELD_START) at = this.#scanFields(bytes, base, at, end);
    this.#at = at - base;
    return this.end !== 0;
  }

  #scanLine(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from;
    if (this.#state <= IN_START_LF) {
      at = this.#skipEmptyLines(bytes, at, end);
      if (at === end) return at;
      this.start = at - base;
      this.#state = IN_METHOD;
    }
    const start = base + this.start;
    const stop = Math.min(end, start + this.#limits.requestLine);
    if (this.#state === IN_METHOD) {
      while (at < stop && (CLASSES[bytes[at]] & TOKEN) !== 0) at++;
      if (at === end) return at;
      if (at === stop) throw this.#longLine();
      if (bytes[at] !== SP || at === start) throw methodFault(bytes[at], at === start);
      this.methodEnd = at++ - base;
      this.#state = IN_TARGET;
    }
    if (this.#state === IN_TARGET) {
      while (at < stop && (CLASSES[bytes[at]] & TARGET) !== 0) at++;
      if (at === end) return at;
      if (at + VERSION.length >= start + this.#limits.requestLine) throw this.#longLine();
      if (bytes[at] !== SP || at === base + this.methodEnd + 1) throw targetFault(bytes[at]);
      this.targetEnd = at++ - base;
      this.#state = IN_VERSION;
    }
    return this.#scanVersion(bytes, base, at, end);
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

  #scanVersion(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from;
    const first = base + this.targetEnd + 1;
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
      this.minor = bytes[first + MINOR_AT] === 0x30 ? 0 : 1;
      if (bytes[at] !== CR) throw versionFault(bytes[at]);
      at++;
      this.#state = IN_LINE_LF;
    }
    if (at < end) {
      expectLf(bytes[at++]);
      this.fieldsStart = at - base;
      this.#state = IN_FIELD_START;
    }
    return at;
  }

  /** One turn of the loop is one field; a turn that is cut short goes on at the `if` of its state. */
  #scanFields(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from;
    let state = this.#state;
    const limit = base + this.fieldsStart + this.#limits.headers;
    const stop = Math.min(end, limit);
    while (at < end) {
      if (state === IN_FIELD_START) {
        if (bytes[at] === CR) {
          at++;
          state = IN_END_LF;
        } else {
          this.#startField(at - base);
          state = IN_NAME;
        }
      }
      if (state === IN_NAME) {
        while (at < stop && (CLASSES[bytes[at]] & TOKEN) !== 0) at++;
        if (at >= stop) break;
        const nameStart = base + this.#nameStart;
        if (bytes[at] !== COLON || at === nameStart) throw nameFault(bytes[at], at === nameStart);
        this.#field = specialField(bytes, nameStart, at - nameStart);
        at++;
        state = IN_BLANK;
      }
      if (state === IN_BLANK) {
        while (at < stop && isBlank(bytes[at])) at++;
        if (at >= stop) break;
        this.#fieldValueStart = at - base;
        state = IN_VALUE;
      }
      if (state === IN_VALUE) {
        while (at < stop && (CLASSES[bytes[at]] & VALUE) !== 0) at++;
        if (at >= stop) break;
        if (bytes[at] !== CR) throw valueFault(bytes[at]);
        this.#fieldValueEnd = at - base;
        at++;
        state = IN_VALUE_LF;
      }
      if (state === IN_VALUE_LF) {
        if (at >= stop) break;
        expectLf(bytes[at]);
        at++;
        if (this.#field !== OTHER) this.#keepSpecial(bytes, base);
        state = IN_FIELD_START;
      } else if (state === IN_END_LF && at < end) {
        expectLf(bytes[at]);
        this.end = at + 1 - base;
        return at + 1;
      }
    }
    if (at < end) throw new HttpError(431, `the header fields are longer than ${this.#limits.headers} bytes`);
    this.#state = state;
    return at;
  }

  #startField(at: number): void {
    if (this.#fields++ === this.#limits.headerCount) {
      throw new HttpError(431, `more than ${this.#limits.headerCount} header fields`);
    }
    this.#nameStart = at;
  }

  #keepSpecial(bytes: Uint8Array, base: number): void {
    let end = this.#fieldValueEnd;
    while (end > this.#fieldValueStart && isBlank(bytes[base + end - 1])) end--;
    const bit = 1 << this.#field;
    this.repeated |= this.seen & bit;
    this.seen |= bit;
    this.valueStart[this.#field] = this.#fieldValueStart;
    this.valueEnd[this.#field] = end;
  }

  #longLine(): HttpError {
    return new HttpError(414, `the request line is longer than ${this.#limits.requestLine} bytes`);
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function specialField(bytes: Uint8Array, start: number, length: number): number {
  switch (length) {
    case 4:
      return isNamed(bytes, start, HOST);
    case 6:
      return isNamed(bytes, start, EXPECT);
    case 10:
      return isNamed(bytes, start, CONNECTION);
    case 14:
      return isNamed(bytes, start, CONTENT_LENGTH);
    case 17:
      return isNamed(bytes, start, TRANSFER_ENCODING);
    default:
      return OTHER;
  }
}

function isNamed(bytes: Uint8Array, start: number, field: number): number {
  const name = SPECIAL[field];
  for (let i = 0; i < name.length; i++) {
    if ((bytes[start + i] | 0x20) !== name[i]) return OTHER;
  }
  return field;
}

function expectLf(byte: number): void {
  if (byte !== LF) throw new HttpError(400, `a CR is followed by ${showByte(byte)} and not by LF`);
}

function bareLf(): HttpError {
  return new HttpError(400, "a line ends in LF alone, not in CR LF");
}

function methodFault(byte: number, isFirst: boolean): HttpError {
  if (byte === LF) return bareLf();
  if (isFirst && byte === 0x16) {
    return new HttpError(400, "a TLS handshake came to a port that speaks plain HTTP");
  }
  return new HttpError(400, `the method may not hold ${showByte(byte)}`);
}

function targetFault(byte: number): HttpError {
  if (byte === SP) return new HttpError(400, "two spaces follow the method");
  if (byte === CR || byte === LF) return new HttpError(400, "the request line has no version");
  return new HttpError(
    400,
    `the request target may not hold ${showByte(byte)}, which must be percent-encoded`,
  );
}

function versionFault(byte: number): HttpError {
  if (byte === LF) return bareLf();
  return new HttpError(
    400,
    `${showByte(byte)} after the request target, where only a version such as HTTP/1.1 may be`,
  );
}

function nameFault(byte: number, isFirst: boolean): HttpError {
  if (byte === LF) return bareLf();
  if (isFirst && isBlank(byte)) return new HttpError(400, "a header field is folded over two lines");
  if (isFirst && byte === COLON) return new HttpError(400, "a header field has no name");
  if (isBlank(byte)) return new HttpError(400, "white space stands before the colon of a header field");
  return new HttpError(400, `the name of a header field may not hold ${showByte(byte)}`);
}

function valueFault(byte: number): HttpError {
  if (byte === LF) return bareLf();
  return new HttpError(400, `the value of a header field may not hold ${showByte(byte)}`);
}
