import {
  CONNECTION,
  CONTENT_LENGTH,
  DECIDING,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  WORD,
} from "../../../jit/http_head_table.ts";
import { CLASSES, TOKEN, VALUE } from "./chars.ts";
import { HttpError } from "../error.ts";
import { expectLf, isBlank, nameFault, valueFault } from "./head_faults.ts";
import type { HttpLimits } from "../limits.ts";
import { skipValue } from "./skip.ts";

const CR = 0x0d;
const COLON = 0x3a;
const CRLF = 0x0a0d;

const OTHER = -1;
const SPECIAL = DECIDING.map((name) => new TextEncoder().encode(name));

const IN_FIELD_START = 0;
const IN_NAME = 1;
const IN_BLANK = 2;
const IN_VALUE = 3;
const IN_VALUE_LF = 4;
const IN_END_LF = 5;

/** What a few bytes that go on with a name or a value are made of. */
const MORE: readonly number[] = [0, TOKEN, 0, VALUE, 0, 0];
const FEW = 16;

/** Finds the fields of a request's head, as `HeadScanner` finds the rest. Positions count from the head's first byte. */
export class FieldScanner {
  /** Where the fields begin. */
  start = 0;
  /** How far it has come. */
  at = 0;
  /** Where the head ends: after the empty line; 0 before that is known. */
  end = 0;
  #fields = 0;
  /** A bit for each of the deciding fields that came, and for each that came again. */
  #seen = 0;
  #repeated = 0;
  /** Where the last value of each lies. */
  readonly #values: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

  #state = IN_FIELD_START;
  #nameStart = 0;
  #field = OTHER;
  #fieldValueStart = 0;
  readonly #limits: Required<HttpLimits>;

  constructor(limits: Required<HttpLimits>) {
    this.#limits = limits;
  }

  /** Makes ready for fields that begin at `start`. */
  begin(start: number): void {
    this.start = this.at = start;
    this.end = 0;
    this.#fields = 0;
    this.#seen = 0;
    this.#repeated = 0;
    this.#state = IN_FIELD_START;
  }

  /** Scans on, as `HeadScanner` does. */
  scan(bytes: Uint8Array, view: DataView, base: number, end: number): boolean {
    let at = base + this.at;
    if (end - at < FEW && end < base + this.start + this.#limits.headers) {
      const more = MORE[this.#state];
      while (at < end && (CLASSES[bytes[at]] & more) !== 0) at++;
      this.at = at - base;
      if (at === end) return false;
    }
    this.at = this.#scanFields(bytes, view, base, at, end) - base;
    return this.end !== 0;
  }

  /** Writes what was found, as {@linkcode WORD} says. */
  tell(words: Int32Array): void {
    words[WORD.fieldsStart] = this.start;
    words[WORD.fields] = this.#fields;
    words[WORD.seen] = this.#seen;
    words[WORD.repeated] = this.#repeated;
    for (let i = 0; i < this.#values.length; i++) words[WORD.values + i] = this.#values[i];
  }

  /** One turn of the loop is one field; a turn that is cut short goes on at the `if` of its state. */
  #scanFields(bytes: Uint8Array, view: DataView, base: number, from: number, end: number): number {
    let at = from;
    let state = this.#state;
    const limit = base + this.start + this.#limits.headers;
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
