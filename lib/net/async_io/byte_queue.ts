import { requireBytes } from "../../io/arguments.ts";
import { requireByte, requireCount } from "./arguments.ts";

const NONE = new Uint8Array(0);
/** Below this many bytes a loop finds a byte sooner than a call to the host. */
const SHORT = 24;
/** What is this many times larger than it has to be is given back. */
const SPARE = 4;

/**
 * Bytes that are added at the end and taken from the front: what codecs read and write. The work is linear in the bytes
 * however they are cut, and nothing is allocated before there are some.
 */
export class ByteQueue {
  /** The bytes from `#start` to `#end`, and room behind them. */
  #bytes: Uint8Array<ArrayBufferLike> = NONE;
  #start = 0;
  #end = 0;
  #least: number;

  /** `capacity` is the room that it makes first, in bytes. */
  constructor(capacity = 8192) {
    requireCount("cannot make a queue of bytes", "capacity", capacity, 1);
    this.#least = capacity;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The byte at an index from the front. `undefined` where there is none. */
  at(index: number): number | undefined {
    return index >= 0 && index < this.length ? this.#bytes[this.#start + index] : undefined;
  }

  /** The bytes from `from` to `to`, as they lie there: until bytes are added or taken. */
  view(from = 0, to: number = this.length): Uint8Array {
    if (!(from >= 0 && to >= from && to <= this.length)) {
      throw new RangeError(`cannot see the bytes from ${from} to ${to} of ${this.length}`);
    }
    return this.#bytes.subarray(this.#start + from, this.#start + to);
  }

  /** Where the byte is first at or behind `from`, or -1. */
  indexOf(byte: number, from = 0): number {
    requireByte("cannot look for a byte", "byte", byte);
    const start = this.#start;
    const end = this.#end;
    const bytes = this.#bytes;
    let i = start + from;
    for (const near = Math.min(i + SHORT, end); i < near; i++) if (bytes[i] === byte) return i - start;
    if (i >= end) return -1;
    const found = bytes.subarray(i, end).indexOf(byte);
    return found === -1 ? -1 : found + i - start;
  }

  /** Takes `count` bytes from the front, and gives a copy of them. */
  take(count: number): Uint8Array<ArrayBuffer> {
    this.#requireThere("take", count);
    const taken = new Uint8Array(count);
    taken.set(this.#bytes.subarray(this.#start, this.#start + count));
    this.#start += count;
    return taken;
  }

  /** Takes as many bytes as there are and `into` has room for. */
  takeInto(into: Uint8Array): number {
    const count = Math.min(into.byteLength, this.length);
    into.set(this.#bytes.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /** Takes all bytes, without a copy: the queue makes room anew. */
  takeAll(): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = NONE;
    this.#start = this.#end = 0;
    return taken;
  }

  /** Drops `count` bytes from the front. */
  skip(count: number): void {
    this.#requireThere("skip", count);
    this.#start += count;
  }

  #requireThere(verb: string, count: number): void {
    if (Number.isInteger(count) && count >= 0 && count <= this.length) return;
    throw new RangeError(`cannot ${verb} ${count} bytes: there are ${this.length}`);
  }

  /** Adds a copy of the bytes. */
  push(bytes: Uint8Array): void {
    requireBytes("cannot add to a queue", "bytes", bytes);
    const { byteLength } = bytes;
    if (byteLength === 0) return;
    this.room(byteLength);
    this.#bytes.set(bytes, this.#end);
    this.#end += byteLength;
  }

  /** Adds a byte. */
  pushByte(byte: number): void {
    requireByte("cannot add to a queue", "byte", byte);
    if (this.#end === this.#bytes.byteLength) this.room(1);
    this.#bytes[this.#end++] = byte;
  }

  /** Adds a text, as UTF-8. */
  pushText(text: string): void {
    // A unit of UTF-16 is never more than three bytes.
    const { written } = encoder.encodeInto(text, this.room(3 * text.length));
    this.#end += written;
  }

  /** Puts bytes back in front of the others. */
  unshift(bytes: Uint8Array): void {
    const { byteLength } = bytes;
    const { length } = this;
    if (this.#start < byteLength) {
      const larger = new Uint8Array(Math.max(this.#least, byteLength + length));
      larger.set(this.#bytes.subarray(this.#start, this.#end), byteLength);
      this.#bytes = larger;
      this.#start = byteLength;
      this.#end = byteLength + length;
    }
    this.#start -= byteLength;
    this.#bytes.set(bytes, this.#start);
  }

  /** All the room behind the bytes, at least `count`: `added` says how much of it was filled. */
  room(count: number): Uint8Array {
    const length = this.#end - this.#start;
    if (length === 0) {
      this.#start = this.#end = 0;
      if (this.#bytes.byteLength > SPARE * Math.max(this.#least, count)) this.#bytes = NONE;
    }
    if (this.#bytes.byteLength - this.#end < count) this.#makeRoom(length, count);
    return this.#end === 0 ? this.#bytes : this.#bytes.subarray(this.#end);
  }

  #makeRoom(length: number, count: number): void {
    // Moves no more than has been taken since: a byte is moved once on the average.
    if (length <= this.#start && length + count <= this.#bytes.byteLength) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(this.#least, 2 * length, length + count));
      larger.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = larger;
    }
    this.#start = 0;
    this.#end = length;
  }

  /** The first `count` bytes of `room` were filled. */
  added(count: number): void {
    if (!(Number.isInteger(count) && count >= 0 && count <= this.#bytes.byteLength - this.#end)) {
      throw new RangeError(
        `cannot add ${count} bytes: there was room for ${this.#bytes.byteLength - this.#end}`,
      );
    }
    this.#end += count;
  }

  /** Drops bytes from the end, so that `length` are left. */
  truncate(length: number): void {
    this.#requireThere("keep", length);
    this.#end = this.#start + length;
  }
}

const encoder = new TextEncoder();
