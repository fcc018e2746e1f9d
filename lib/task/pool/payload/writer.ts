import { Buffer } from "node:buffer";
import {
  ASCII,
  BIGINT,
  DOUBLE,
  INT16,
  INT32,
  INTEGERS,
  LARGE_BIGINT,
  LATIN1,
  LEAST_INTEGER,
  UTF16,
  UTF8,
} from "./tags.ts";

/** Up to here a loop over a string is faster than a call. */
const SHORT = 32;
/** What is larger is not kept from one message to the next. */
const KEPT = 2 ** 20;
const LEAST = 2 ** 12;
const LARGEST = 2 ** 32 - 1;
/** Bytes before a long string's own. */
const HEAD = 5;

const utf8 = new TextEncoder();

/**
 * Bytes that are written one after the other, from `start` on: into memory that it is given, as long as they fit, and
 * into memory of its own from then on.
 */
export class Writer {
  #own: Uint8Array<ArrayBuffer> = new Uint8Array(LEAST);
  #ownView: DataView<ArrayBuffer> = new DataView(this.#own.buffer);
  bytes: Uint8Array<ArrayBuffer> = this.#own;
  #view: DataView<ArrayBuffer> = this.#ownView;
  start = 0;
  at = 0;
  #end = LEAST;
  /** Whether all is still in the memory that it was given. */
  isInPlace = false;

  begin(bytes: Uint8Array<ArrayBuffer>, view: DataView<ArrayBuffer>, start: number, end: number): void {
    this.bytes = bytes;
    this.#view = view;
    this.start = this.at = start;
    this.#end = end;
    this.isInPlace = true;
  }

  /** Lets go of what it was given, and of what is large. */
  end(): void {
    if (this.#own.length > KEPT) {
      this.#own = new Uint8Array(LEAST);
      this.#ownView = new DataView(this.#own.buffer);
    }
    this.begin(this.#own, this.#ownView, 0, this.#own.length);
  }

  get length(): number {
    return this.at - this.start;
  }

  reserve(count: number): void {
    if (this.at + count > this.#end) this.#grow(count);
  }

  #grow(count: number): void {
    const { length } = this;
    const needed = length + count;
    if (needed > LARGEST) throw new RangeError("cannot send a message: it is over 4 GiB, beside its buffers");
    const old = this.bytes.subarray(this.start, this.at);
    if (this.#own.length < needed) {
      this.#own = new Uint8Array(Math.min(Math.max(2 * this.#own.length, needed), LARGEST));
      this.#ownView = new DataView(this.#own.buffer);
    }
    this.#own.set(old);
    this.bytes = this.#own;
    this.#view = this.#ownView;
    this.start = 0;
    this.at = length;
    this.#end = this.#own.length;
    this.isInPlace = false;
  }

  /** Zeros up to a multiple of `size` from the beginning. */
  align(size: number): void {
    const rest = this.length % size;
    if (rest === 0) return;
    this.reserve(size - rest);
    this.bytes.fill(0, this.at, this.at + size - rest);
    this.at += size - rest;
  }

  byte(value: number): void {
    if (this.at === this.#end) this.#grow(1);
    this.bytes[this.at++] = value;
  }

  /** A count, in as few groups of 7 bits as it takes. */
  count(value: number): void {
    if (value < 0x80) return this.byte(value);
    this.reserve(8);
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.bytes[this.at++] = value % 0x80 | 0x80;
    this.bytes[this.at++] = value;
  }

  word(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) return this.#integer(value);
    this.byte(DOUBLE);
    this.double(value);
  }

  #integer(value: number): void {
    if (value >= LEAST_INTEGER && value < 128 + LEAST_INTEGER) {
      return this.byte(value - LEAST_INTEGER + INTEGERS);
    }
    this.reserve(5);
    if (value << 16 >> 16 === value) {
      this.bytes[this.at] = INT16;
      this.#view.setInt16(this.at + 1, value, true);
      this.at += 3;
      return;
    }
    this.bytes[this.at] = INT32;
    this.#view.setInt32(this.at + 1, value, true);
    this.at += 5;
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.byte(BIGINT);
      this.reserve(8);
      this.#view.setBigInt64(this.at, value, true);
      this.at += 8;
      return;
    }
    this.byte(LARGE_BIGINT);
    this.byte(value < 0n ? 1 : 0);
    this.string((value < 0n ? -value : value).toString(16));
  }

  string(value: string): void {
    if (value.length > SHORT) return this.#long(value);
    const { length } = value;
    this.reserve(length + 2);
    const { bytes, at } = this;
    bytes[at] = LATIN1;
    bytes[at + 1] = length;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0xff) return this.#wide(value);
      bytes[at + 2 + i] = unit;
    }
    this.at = at + 2 + length;
  }

  #wide(value: string): void {
    const { length } = value;
    this.byte(UTF16);
    this.count(length);
    this.reserve(2 * length);
    if (length > SHORT) {
      this.at += Buffer.from(this.bytes.buffer, this.at, 2 * length).write(value, "utf16le");
      return;
    }
    for (let i = 0; i < length; i++, this.at += 2) {
      this.#view.setUint16(this.at, value.charCodeAt(i), true);
    }
  }

  #long(value: string): void {
    const { length } = value;
    // No unit takes more than three bytes. Where they do not fit, the hosts need ten times as long to find that out.
    if (length > KEPT && this.#encode(value, length)) return;
    if (!value.isWellFormed()) return this.#wide(value);
    this.#encode(value, 3 * length);
  }

  /** Whether it fits into that many bytes, or what else there is room for, and loses nothing. */
  #encode(value: string, most: number): boolean {
    this.reserve(HEAD + most);
    const { at, bytes } = this;
    const { read, written } = utf8.encodeInto(value, bytes.subarray(at + HEAD, at + HEAD + most));
    if (read < value.length) return false;
    bytes[at] = written === value.length ? ASCII : UTF8;
    this.#view.setUint32(at + 1, written, true);
    this.at += HEAD + written;
    return true;
  }

  /** Bytes at a multiple of `size`. */
  aligned(bytes: Uint8Array<ArrayBuffer>, size: number): void {
    this.align(size);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Each at a multiple of its width. All are integers of 32 bits. */
  integers(values: readonly unknown[]): void {
    this.align(4);
    const { length } = values;
    this.reserve(4 * length);
    const place = new Int32Array(this.bytes.buffer, this.bytes.byteOffset + this.at, length);
    for (let i = 0; i < length; i++) place[i] = Number(values[i]);
    this.at += 4 * length;
  }

  doubles(values: readonly unknown[]): void {
    this.align(8);
    const { length } = values;
    this.reserve(8 * length);
    const place = new Float64Array(this.bytes.buffer, this.bytes.byteOffset + this.at, length);
    for (let i = 0; i < length; i++) place[i] = Number(values[i]);
    this.at += 8 * length;
  }
}
