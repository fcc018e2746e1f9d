import { Buffer } from "node:buffer";
import { hostName } from "../../../../ffi/host.ts";
import { ASCII, BIGINT, LARGE_BIGINT, LATIN1, UTF16, UTF8 } from "./tags.ts";
import { copyOf, SIZES } from "./views.ts";

/** Up to here a loop over a string is faster than a call, and what was read lately is found again. */
const SHORT = 32;
const NAMES = 512;

/** Of text that is not ASCII: JavaScriptCore's host takes five times as long as for a buffer's, and V8's the half. */
const isDecoderDear = hostName === "bun";
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Short strings by a sum of their bytes. */
const texts: string[] = new Array<string>(NAMES).fill("");
/** Keys likewise, each the one that the host has of that name: with another it would look for that at each use. */
const names: string[] = new Array<string>(NAMES).fill("");

function theName(text: string): string {
  return Object.keys({ [text]: 0 })[0];
}

/** Bytes that are read one after the other. */
export class Reader {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view: DataView<ArrayBuffer> = new DataView(this.#bytes.buffer);
  #start = 0;
  at = 0;

  begin(bytes: Uint8Array<ArrayBuffer>, view: DataView<ArrayBuffer>, start: number): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#start = this.at = start;
  }

  seek(offset: number): void {
    this.at = this.#start + offset;
  }

  /** From the beginning. */
  get offset(): number {
    return this.at - this.#start;
  }

  align(size: number): void {
    const rest = this.offset % size;
    if (rest !== 0) this.at += size - rest;
  }

  byte(): number {
    return this.#bytes[this.at++];
  }

  count(): number {
    let value = this.#bytes[this.at++];
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let scale = 0x80;; scale *= 0x80) {
      const byte = this.#bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  word(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  int16(): number {
    this.at += 2;
    return this.#view.getInt16(this.at - 2, true);
  }

  int32(): number {
    this.at += 4;
    return this.#view.getInt32(this.at - 4, true);
  }

  double(): number {
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }

  bigint(tag: number): bigint {
    if (tag === BIGINT) {
      this.at += 8;
      return this.#view.getBigInt64(this.at - 8, true);
    }
    const isNegative = this.byte() === 1;
    const magnitude = BigInt(`0x${this.string(this.byte())}`);
    return isNegative ? -magnitude : magnitude;
  }

  string(tag: number): string {
    switch (tag) {
      case LATIN1:
        return this.#short(this.count(), texts);
      case ASCII: {
        const length = this.word();
        this.at += length;
        return this.#buffer(length).toString("latin1");
      }
      case UTF16: {
        const length = 2 * this.count();
        this.at += length;
        return this.#buffer(length).toString("utf16le");
      }
      case UTF8: {
        const length = this.word();
        this.at += length;
        if (isDecoderDear) return this.#buffer(length).toString();
        return utf8.decode(this.#bytes.subarray(this.at - length, this.at));
      }
      default:
        throw this.unknown(tag);
    }
  }

  /** A string that fields are named by. */
  key(tag: number): string {
    return tag === LATIN1 ? this.#short(this.count(), names) : this.string(tag);
  }

  #short(length: number, known: string[]): string {
    if (length > SHORT) throw this.unknown(LATIN1);
    const bytes = this.#bytes;
    const from = this.at;
    let sum = length;
    for (let i = 0; i < length; i++) sum = Math.imul(sum, 31) + bytes[from + i] | 0;
    this.at = from + length;
    const place = (sum ^ sum >>> 9) & NAMES - 1;
    const text = known[place];
    if (text.length === length) {
      let i = 0;
      while (i < length && text.charCodeAt(i) === bytes[from + i]) i++;
      if (i === length) return text;
    }
    let made = "";
    for (let i = 0; i < length; i++) made += String.fromCharCode(bytes[from + i]);
    return known[place] = known === names ? theName(made) : made;
  }

  #buffer(length: number): Buffer {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + this.at - length, length);
  }

  /** A copy of bytes, in a buffer of their own. */
  copy(from: number, length: number): ArrayBuffer {
    const at = this.#bytes.byteOffset + this.#start + from;
    return this.#bytes.buffer.slice(at, at + length);
  }

  /** A copy at the beginning of another buffer. */
  copyInto(buffer: ArrayBuffer, from: number, length: number): void {
    const at = this.#start + from;
    new Uint8Array(buffer).set(this.#bytes.subarray(at, at + length));
  }

  /** A view's class, and its elements, of which it has a copy. */
  view(): ArrayBufferView {
    const number = this.byte();
    const length = this.count();
    const size = SIZES[number];
    if (size === undefined) throw this.unknown(number);
    this.align(size);
    const { buffer, byteOffset } = this.#bytes;
    const at = byteOffset + this.at;
    this.at += length * size;
    return copyOf(number, buffer, at, length);
  }

  integers(): number[] {
    const length = this.count();
    this.align(4);
    const place = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset + this.at, length);
    this.at += 4 * length;
    const values: number[] = [];
    for (let i = 0; i < length; i++) values.push(place[i]);
    return values;
  }

  doubles(): number[] {
    const length = this.count();
    this.align(8);
    const place = new Float64Array(this.#bytes.buffer, this.#bytes.byteOffset + this.at, length);
    this.at += 8 * length;
    const values: number[] = [];
    for (let i = 0; i < length; i++) values.push(place[i]);
    return values;
  }

  unknown(tag: number): Error {
    return new Error(`cannot read a message: at ${this.offset - 1} there is ${tag}, which is no tag there`);
  }
}

/** Whether a tag is one of `Reader.bigint`'s. */
export function isBigint(tag: number): boolean {
  return tag === BIGINT || tag === LARGE_BIGINT;
}
