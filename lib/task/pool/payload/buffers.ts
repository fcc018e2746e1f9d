import { isDetached } from "../../../mem/detach.ts";
import { ALIGNMENT, RESIZABLE, TRAILER, VIEWS } from "./tags.ts";
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

const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The number of a view's class among `VIEWS`. */
export function classOf(view: ArrayBufferView): number {
  const name: unknown = tag?.get === undefined ? undefined : Reflect.apply(tag.get, view, []);
  return name === undefined ? VIEWS.length - 1 : VIEWS.findIndex((one) => one === name);
}

/**
 * The buffers of a message that is written. Of one that only views are sent of, the bytes are sent from the first that
 * a view has up to the last, and not those around them.
 */
export class OutgoingBuffers {
  readonly #parts: Part[] = [];
  /** How many bytes follow the message's own. */
  byteLength = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  clear(): void {
    if (this.isEmpty) return;
    this.#parts.length = 0;
    this.byteLength = 0;
  }

  /** The buffer's number, with the bytes from `from` up to `to` among those that are sent. Undefined where it is detached. */
  add(buffer: ArrayBuffer, from: number, to: number): number | undefined {
    const parts = this.#parts;
    for (let number = 0; number < parts.length; number++) {
      const part = parts[number];
      if (part.buffer !== buffer) continue;
      part.from = Math.min(part.from, from);
      part.to = Math.max(part.to, to);
      return number;
    }
    if (isDetached(buffer)) return undefined;
    if (buffer.resizable) {
      parts.push({ buffer, from: 0, to: buffer.byteLength, largest: buffer.maxByteLength });
    } else parts.push({ buffer, from, to, largest: undefined });
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

/** Those of a message whose own bytes are `length`. */
export function readBuffers(reader: Reader, length: number): IncomingBuffer[] {
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
    buffers.push({
      buffer: isResizable ? resizable(reader, at, byteLength) : reader.copy(at, byteLength),
      from,
    });
    at += padded(byteLength);
  }
  return buffers;
}

function resizable(reader: Reader, at: number, byteLength: number): ArrayBuffer {
  const buffer = new ArrayBuffer(byteLength, { maxByteLength: reader.count() });
  reader.copyInto(buffer, at, byteLength);
  return buffer;
}

/** Without a length it follows its buffer's. */
export function viewOf(
  number: number,
  buffer: ArrayBuffer | SharedArrayBuffer,
  byteOffset: number,
  length?: number,
): object {
  const found: unknown = Reflect.get(globalThis, VIEWS[number]);
  if (typeof found !== "function") {
    throw new Error(`cannot read a message: this host has no ${VIEWS[number]}`);
  }
  return Reflect.construct(found, length === undefined ? [buffer, byteOffset] : [buffer, byteOffset, length]);
}
