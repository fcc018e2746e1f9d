import { requireBytes } from "../../../io/arguments.ts";
// Their classes register how they cross.
import "../../../mem/map_crossing.ts";
import "../../../mem/shared.ts";
import "../../../mem/yoke_crossing.ts";
import { Decoder, type Memory } from "../payload/decode.ts";
import { Encoder } from "../payload/encode.ts";

const MOST = 2 ** 30;
/** Words before a message: of its own bytes' length where it has buffers, else 0; and whether something crosses. */
const PREFIX = 8;
/** What is larger is not kept from one message to the next. */
const KEPT = 2 ** 16;
/** Characters of a string that take little to encode. */
const INERT = 2 ** 10;

/** How messages become bytes. */
export interface Codec<T> {
  /**
   * The bytes own what they name, such as maps. Throws where the message cannot be sent. They are good until the next
   * message is encoded.
   */
  encode(message: T): Uint8Array;
  /** Whether it takes little to encode it, for nothing where there is no room: nothing is moved, and no code called. */
  isInert(message: T): boolean;
  /** The message, which owns what the bytes did. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
  /** Gives up what the bytes own. */
  discard(bytes: Uint8Array): void;
}

const noMemories = {
  nameOf(): never {
    throw new Error("it is a SharedArrayBuffer, which no channel carries; take Mmap.anonymous");
  },
  named(): never {
    throw new Error("cannot receive a SharedArrayBuffer: no channel carries one");
  },
};

/** Those that nobody uses now: a getter of a message may send another. */
const encoders: Encoder[] = [];
const decoders: Decoder[] = [];
const scratch = new Uint8Array(KEPT);

function theMessage(): string {
  return "the message";
}

/** Structured clones, with what crosses by reference. */
export function values<T>(): Codec<T>;
export function values(): Codec<unknown> {
  return { encode, isInert, decode, discard };
}

function isInert(message: unknown): boolean {
  if (typeof message === "string") return message.length <= INERT;
  return message === null || (typeof message !== "object" && typeof message !== "function");
}

function encode(message: unknown): Uint8Array {
  const encoder = encoders.pop() ?? new Encoder(noMemories);
  const { out, buffers } = encoder;
  try {
    out.end();
    const crosses = encoder.write([message], theMessage);
    const { length } = out;
    const total = PREFIX + length + buffers.byteLength;
    requireSize(total);
    const bytes = total <= KEPT ? scratch.subarray(0, total) : new Uint8Array(total);
    const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX);
    view.setUint32(0, buffers.isEmpty ? 0 : length, true);
    view.setUint32(4, crosses ? 1 : 0, true);
    bytes.set(out.bytes.subarray(out.start, out.at), PREFIX);
    buffers.copyTo(bytes, PREFIX + length);
    encoder.send();
    return bytes;
  } catch (error) {
    encoder.dropGiven();
    throw error;
  } finally {
    out.end();
    buffers.clear();
    encoders.push(encoder);
  }
}

function memoryOf(bytes: Uint8Array<ArrayBuffer>): Memory {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function decode(bytes: Uint8Array<ArrayBuffer>): unknown {
  const decoder = decoders.pop() ?? new Decoder(noMemories);
  try {
    const memory = memoryOf(bytes);
    return decoder.read(memory, PREFIX, memory.view.getUint32(0, true))[0];
  } finally {
    decoders.push(decoder);
  }
}

/** Whether something in an encoded value crosses by reference. */
export function crosses(bytes: Uint8Array): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset, PREFIX).getUint32(4, true) !== 0;
}

function discard(message: Uint8Array): void {
  // The scratch may be used meanwhile.
  const memory = memoryOf(message.slice());
  if (memory.view.getUint32(4, true) === 0) return;
  const decoder = decoders.pop() ?? new Decoder(noMemories);
  try {
    decoder.drop(memory, PREFIX, memory.view.getUint32(0, true));
  } finally {
    decoders.push(decoder);
  }
}

/** Bytes as they are. */
export const plainBytes: Codec<Uint8Array> = {
  encode(message) {
    requireBytes("cannot send", "message", message);
    requireSize(message.length);
    return message;
  },
  isInert(message) {
    return message instanceof Uint8Array;
  },
  decode(bytes) {
    return bytes.slice();
  },
  discard() {},
};

function requireSize(length: number): void {
  if (length <= MOST) return;
  throw new RangeError(`cannot send: the message has ${length} bytes, and a channel takes up to ${MOST}`);
}
