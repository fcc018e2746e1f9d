import { Buffer } from "node:buffer";

const utf8 = new TextEncoder();

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
/** Text up to this is written by a loop, which costs less than a call of the encoder. */
const SHORT = 64;
/** More than the digits of a length and an empty line. */
const LENGTH_BYTES = 24;

/**
 * Bytes to be sent: those that fit stand in `bytes` up to `length`, what comes after the first piece that did
 * not fit stands in `rest`, uncopied where it can be. A head and a body that fit leave in one system call.
 */
export class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  readonly rest: Uint8Array[] = [];

  /** Writes into `bytes`, which may be a buffer of the kernel's. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  /** Forgets everything, once it is sent. */
  clear(): void {
    this.length = 0;
    if (this.rest.length > 0) this.rest.length = 0;
  }

  /** Adds bytes, which must not change before they are sent. */
  append(bytes: Uint8Array): void {
    if (!this.tryAppend(bytes) && bytes.length > 0) this.rest.push(bytes);
  }

  /** Adds a copy of the bytes, where there is room for them. */
  tryAppend(bytes: Uint8Array): boolean {
    if (!this.#hasRoom(bytes.length)) return false;
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return true;
  }

  /**
   * Adds a whole response: `head`, which ends in `content-length: `, the length, an empty line and the body, a text as
   * UTF-8. False where there is no room, and nothing was added.
   */
  appendWhole(head: Uint8Array, body: string | Uint8Array | null): boolean {
    const isText = typeof body === "string";
    const length = body === null ? 0 : isText ? byteLength(body) : body.length;
    if (!this.#hasRoom(head.length + LENGTH_BYTES + length)) return false;
    const { bytes } = this;
    bytes.set(head, this.length);
    let at = writeDecimal(bytes, this.length + head.length, length);
    bytes[at++] = CR;
    bytes[at++] = LF;
    bytes[at++] = CR;
    bytes[at++] = LF;
    if (isText) {
      if (length === body.length && length <= SHORT) {
        for (let i = 0; i < length; i++) bytes[at + i] = body.charCodeAt(i);
      } else {
        utf8.encodeInto(body, bytes.subarray(at));
      }
    } else if (body !== null) {
      bytes.set(body, at);
    }
    this.length = at + length;
    return true;
  }

  /** Adds a head and, as UTF-8, the text after it, whose size is `textLength` bytes. */
  appendHead(head: string, text: string, textLength: number): void {
    const size = head.length + textLength;
    if (this.#hasRoom(size)) {
      const { read, written } = utf8.encodeInto(head + text, this.#tail());
      // A character of the head beyond ASCII takes two bytes: then all was not read, or more was written.
      if (read === head.length + text.length && written === size) {
        this.length += size;
        return;
      }
    }
    this.append(latin1(head));
    if (textLength > 0) this.append(utf8.encode(text));
  }

  #tail(): Uint8Array {
    return this.length === 0 ? this.bytes : this.bytes.subarray(this.length);
  }

  #hasRoom(size: number): boolean {
    return this.rest.length === 0 && this.length + size <= this.bytes.length;
  }
}

/** A head with a byte beyond ASCII in it: the bytes of a field value are its characters' codes. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Of the text as UTF-8. */
export function byteLength(text: string): number {
  const { length } = text;
  if (length > SHORT) return Buffer.byteLength(text);
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** Where it ends. */
function writeDecimal(bytes: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    bytes[at] = ZERO + value;
    return at + 1;
  }
  const digits = String(value);
  for (let i = 0; i < digits.length; i++) bytes[at + i] = digits.charCodeAt(i);
  return at + digits.length;
}
