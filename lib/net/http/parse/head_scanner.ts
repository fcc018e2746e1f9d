import {
  CONNECTION,
  CONTENT_LENGTH,
  DECIDING,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  WORD,
} from "../../../jit/http_head_table.ts";
import { CLASSES, TOKEN } from "./chars.ts";
import { HttpError } from "../error.ts";
import {
  expectLf,
  isBlank,
  methodFault,
  nameFault,
  targetFault,
  valueFault,
  versionFault,
} from "./head_faults.ts";
import type { HttpLimits } from "../limits.ts";
import { skipTarget, skipValue } from "./skip.ts";

const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

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

const OTHER = -1;
const SPECIAL = DECIDING.map((name) => new TextEncoder().encode(name));

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
  #start = 0;
  #methodEnd = 0;
  /** Whether it was seen at once that the method is GET. */
  #isGet = false;
  #targetEnd = 0;
  #minor = 1;
  #fieldsStart = 0;
  /** Where the head ends: after the empty line. */
  end = 0;
  #fields = 0;
  /** A bit for each of the deciding fields that came, and for each that came again. */
  #seen = 0;
  #repeated = 0;
  /** Where the last value of each lies. */
  readonly #values: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  #state = IN_START;
  #at = 0;
  #emptyLines = 0;
  #nameStart = 0;
  #field = OTHER;
  #fieldValueStart = 0;
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
    this.#seen = 0;
    this.#repeated = 0;
    this.#isGet = false;
  }

  /**
   * Scans on in `bytes`, where the head began at `base` and `end` is where the bytes stop. Returns whether the
   * head is whole. Throws an {@linkcode HttpError} at the first byte that no request may have there.
   */
  scan(bytes: Uint8Array, view: DataView, base: number, end: number): boolean {
    if (this.#state < IN_FIELD_START) {
      this.#at = this.#scanLine(bytes, view, base, base + this.#at, end) - base;
    }
    if (this.#state >= IN_FIELD_START) {
      this.#at = this.#scanFields(bytes, view, base, base + this.#at, end) - base;
    }
    return this.end !== 0;
  }

  /** Writes what was found, as {@linkcode WORD} says. */
  tell(words: Int32Array): void {
    words[WORD.start] = this.#start;
    words[WORD.isGet] = this.#isGet ? 1 : 0;
    words[WORD.methodEnd] = this.#methodEnd;
    words[WORD.targetEnd] = this.#targetEnd;
    words[WORD.minor] = this.#minor;
    words[WORD.fieldsStart] = this.#fieldsStart;
    words[WORD.fields] = this.#fields;
    words[WORD.seen] = this.#seen;
    words[WORD.repeated] = this.#repeated;
    for (let i = 0; i < this.#values.length; i++) words[WORD.values + i] = this.#values[i];
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
      this.#fieldsStart = at + 10 - base;
      this.#state = IN_FIELD_START;
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
      this.#fieldsStart = at - base;
      this.#state = IN_FIELD_START;
    }
    return at;
  }

  /** One turn of the loop is one field; a turn that is cut short goes on at the `if` of its state. */
  #scanFields(bytes: Uint8Array, view: DataView, base: number, from: number, end: number): number {
    let at = from;
    let state = this.#state;
    const limit = base + this.#fieldsStart + this.#limits.headers;
    const stop = Math.min(end, limit);
    if (state === IN_FIELD_START) at = this.#scanWhole(bytes, view, base, at, stop);
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
        at = skipValue(bytes, view, at, stop);
        if (at >= stop) break;
        if (bytes[at] !== CR) throw valueFault(bytes[at]);
        if (this.#field !== OTHER) {
          this.#keepSpecial(this.#field, bytes, base, base + this.#fieldValueStart, at);
        }
        at++;
        state = IN_VALUE_LF;
      }
      if (state === IN_VALUE_LF) {
        if (at >= stop) break;
        expectLf(bytes[at]);
        at++;
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

  /** The fields that are there as a whole, and right: where the first other byte is, which is looked at with more care. */
  #scanWhole(bytes: Uint8Array, view: DataView, base: number, from: number, stop: number): number {
    const most = this.#limits.headerCount;
    let fields = this.#fields;
    let start = from;
    while (fields < most) {
      let at = start;
      while (at < stop && (CLASSES[bytes[at]] & TOKEN) !== 0) at++;
      const nameEnd = at;
      if (at + 1 >= stop || at === start || bytes[at] !== COLON) break;
      at++;
      while (at < stop && isBlank(bytes[at])) at++;
      const valueStart = at;
      at = skipValue(bytes, view, at, stop);
      if (at + 1 >= stop || view.getInt16(at, true) !== CRLF) break;
      fields++;
      const field = specialField(bytes, start, nameEnd - start);
      if (field !== OTHER) this.#keepSpecial(field, bytes, base, valueStart, at);
      start = at + 2;
    }
    this.#fields = fields;
    return start;
  }

  #startField(at: number): void {
    if (this.#fields++ === this.#limits.headerCount) {
      throw new HttpError(431, `more than ${this.#limits.headerCount} header fields`);
    }
    this.#nameStart = at;
  }

  /** Notes the value, which has blanks before `end` perhaps. */
  #keepSpecial(field: number, bytes: Uint8Array, base: number, start: number, end: number): void {
    let last = end;
    while (last > start && isBlank(bytes[last - 1])) last--;
    const bit = 1 << field;
    this.#repeated |= this.#seen & bit;
    this.#seen |= bit;
    this.#values[2 * field] = start - base;
    this.#values[2 * field + 1] = last - base;
  }

  #longLine(): HttpError {
    return new HttpError(414, `the request line is longer than ${this.#limits.requestLine} bytes`);
  }
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
