import { isDetached } from "../../../mem/detach.ts";
import { ALIGNMENT, RESIZABLE, TRAILER } from "./tags.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A buffer, and which of its bytes are sent. */
interface Part {
  readonly buffer: ArrayBuffer;
  from: number;
  to: number;
  /** Of one that can be resized, which is sent as a whole. */
  readonly largest: number | undefined;
}

/**
 * The buffers of a message that is written. Of one that only views are sent of, the bytes are sent from the first that
 * a view has up to the last, and not those around them.
 */
export class OutgoingBuffers {
  readonly #parts: Part[] = [];
  /** By buffers, the numbers of parts; or of what has a view of its own among the values that view's, as its complement. */
  readonly #places: Map<ArrayBuffer, number> = new Map();
  /** How many bytes follow the message's own. */
  byteLength = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  clear(): void {
    if (this.#places.size === 0) return;
    this.#places.clear();
    this.#parts.length = 0;
    this.byteLength = 0;
  }

  /**
   * Whether the buffer goes among the values, with the view of that number: from then on it is known as that view's.
   * False where it can be resized, or is one of these already.
   */
  keep(buffer: ArrayBuffer, view: number): boolean {
    if (buffer.resizable || this.#places.has(buffer)) return false;
    this.#places.set(buffer, ~view);
    return true;
  }

  /** The number of the view that the buffer goes with, where it goes among the values. */
  viewOver(buffer: ArrayBuffer): number | undefined {
    const place = this.#places.get(buffer);
    return place !== undefined && place < 0 ? ~place : undefined;
  }

  /** Forgets the views whose numbers are `objects` or more. */
  truncate(objects: number): void {
    for (const [buffer, place] of this.#places) if (~place >= objects) this.#places.delete(buffer);
  }

  /** The buffer's number, with the bytes from `from` up to `to` among those that are sent. Undefined where it is detached. */
  add(buffer: ArrayBuffer, from: number, to: number): number | undefined {
    const parts = this.#parts;
    const known = this.#places.get(buffer);
    if (known !== undefined) {
      const part = parts[known];
      part.from = Math.min(part.from, from);
      part.to = Math.max(part.to, to);
      return known;
    }
    if (isDetached(buffer)) return undefined;
    if (buffer.resizable) {
      parts.push({ buffer, from: 0, to: buffer.byteLength, largest: buffer.maxByteLength });
    } else parts.push({ buffer, from, to, largest: undefined });
    this.#places.set(buffer, parts.length - 1);
    return parts.length - 1;
  }

  /** Writes the table and where it is, which end the message's own bytes. */
  finish(out: Writer): void {
    const table = out.length;
    for (const part of this.#parts) {
      // The elements of every view lie at multiples of their size, then as now.
      part.from -= part.from % ALIGNMENT;
      out.byte(part.largest === undefined ? 0 : RESIZABLE);
      out.count(part.to - part.from);
      out.count(part.from);
      if (part.largest !== undefined) out.count(part.largest);
    }
    const rest = (out.length + TRAILER) % ALIGNMENT;
    for (let i = rest; i < ALIGNMENT && rest > 0; i++) out.byte(0);
    out.word(table);
    out.word(this.#parts.length);
    for (const { from, to } of this.#parts) this.byteLength += padded(to - from);
  }

  /** Puts each part's bytes where they belong, behind the message's own, which end at `at`. */
  copyTo(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    for (const { buffer, from, to } of this.#parts) {
      bytes.set(new Uint8Array(buffer, from, to - from), at);
      at += padded(to - from);
    }
  }

  /** Each part's bytes, and where they belong behind the message's own. Throws where a getter has taken them away. */
  *pieces(): Generator<[bytes: Uint8Array<ArrayBuffer>, at: number], void, undefined> {
    let at = 0;
    for (const { buffer, from, to } of this.#parts) {
      yield [new Uint8Array(buffer, from, to - from), at];
      at += padded(to - from);
    }
  }
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** A buffer that has arrived, and where it begins in its original. */
export interface IncomingBuffer {
  readonly buffer: ArrayBuffer;
  readonly from: number;
}

/** Fills a buffer with the bytes from `at` of a message on. */
export type Fill = (buffer: ArrayBuffer, at: number) => void;

/** Those of a message whose own bytes are `length`. Where it is dropped they are as long as they are, and empty. */
export function readBuffers(reader: Reader, length: number, fill?: Fill): IncomingBuffer[] {
  reader.seek(length - TRAILER);
  const table = reader.word();
  const count = reader.word();
  reader.seek(table);
  const buffers: IncomingBuffer[] = [];
  let at = length;
  for (let i = 0; i < count; i++) {
    const isResizable = (reader.byte() & RESIZABLE) !== 0;
    const byteLength = reader.count();
    const from = reader.count();
    const maxByteLength = isResizable ? reader.count() : undefined;
    buffers.push({ buffer: bufferOf(reader, at, byteLength, maxByteLength, fill), from });
    at += padded(byteLength);
  }
  return buffers;
}

function bufferOf(
  reader: Reader,
  at: number,
  byteLength: number,
  maxByteLength?: number,
  fill?: Fill,
): ArrayBuffer {
  if (maxByteLength === undefined && fill === undefined) return reader.copy(at, byteLength);
  const buffer = maxByteLength === undefined
    ? new ArrayBuffer(byteLength)
    : new ArrayBuffer(byteLength, { maxByteLength });
  if (fill === undefined) reader.copyInto(buffer, at, byteLength);
  else fill(buffer, at);
  return buffer;
}
