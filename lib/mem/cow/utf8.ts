import { Buffer, isUtf8 } from "node:buffer";
import { Cow } from "./cow.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Nobody else has it: `private` holds for TypeScript alone. */
const KEY = Symbol("Utf8");
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** How many bytes the character at `at` has, or 0 where none of UTF-8 begins there: RFC 3629's table. */
function characterAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  // No longer form than there must be, no surrogates, nothing above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1] < lowest || bytes[at + 1] > highest) return 0;
  for (let i = 2; i < length; i++) {
    if ((bytes[at + i] & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function refuse(bytes: Uint8Array): never {
  let at = 0;
  for (;;) {
    const length = characterAt(bytes, at);
    if (length === 0) break;
    at += length;
  }
  const byte = bytes[at].toString(16).padStart(2, "0");
  throw new TypeError(
    `cannot make a Utf8: at byte ${at} of ${bytes.length}, 0x${byte}, no character of UTF-8 begins`,
  );
}

function checked(cow: Cow<Uint8Array>): Cow<Uint8Array> {
  const bytes = cow.value;
  if (!isUtf8(bytes)) refuse(bytes);
  return cow;
}

function encode(what: string, text: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") throw new TypeError(`${what}: it is ${typeof text}, not a string`);
  if (!text.isWellFormed()) {
    throw new TypeError(`${what}: it has a lone surrogate, which UTF-8 cannot hold`);
  }
  return encoder.encode(text);
}

/**
 * Text as UTF-8, borrowed or owned. It is compared and hashed as bytes, and its string is made at the first
 * `toString()` and kept. Lengths and offsets are in bytes.
 *
 * The bytes are never written to: a change makes new ones. So slices and texts that borrow from one another stay as
 * they are; what is borrowed from outside must not change while a Utf8 reads it. Where borrowed memory is gone,
 * whatever needs it throws a `TypeError`.
 *
 * @example
 * ```ts
 * import { Utf8 } from "@oxbow/oxbow/cow";
 *
 * const line = Utf8.from(new TextEncoder().encode("name=Zoë"));
 * const name = line.slice(5);
 * console.log(name.length, name.toString(), name.isBorrowed); // 4 Zoë true
 * name.replaceRange(0, 1, "Ch");
 * console.log(name.toString(), name.isBorrowed, line.toString()); // Choë false name=Zoë
 * ```
 */
export class Utf8 {
  #cow: Cow<Uint8Array>;
  #text: string | undefined;
  #hash: number | undefined;

  private constructor(key: symbol, cow: Cow<Uint8Array>) {
    if (key !== KEY) {
      throw new TypeError("cannot make a Utf8: call Utf8.from, Utf8.owned or Utf8.fromString");
    }
    this.#cow = cow;
  }

  /**
   * Borrows bytes. They are looked through once, at gigabytes a second. Throws a `TypeError` that names the first
   * byte that is not UTF-8: encoded surrogates and overlong forms are not. A byte order mark is a character.
   */
  static from(bytes: Uint8Array): Utf8 {
    return new Utf8(KEY, checked(Cow.borrowed(requireBytes(bytes))));
  }

  /** Takes bytes over, which nobody should write to from then on. Throws as `from` does. */
  static owned(bytes: Uint8Array): Utf8 {
    return new Utf8(KEY, checked(Cow.owned(requireBytes(bytes))));
  }

  /** Encodes a string. Throws a `TypeError` where it has a lone surrogate. */
  static fromString(text: string): Utf8 {
    const utf8 = new Utf8(KEY, Cow.owned(encode("cannot make a Utf8", text)));
    utf8.#text = text;
    return utf8;
  }

  /** The bytes, to be read. Throws a `TypeError` where borrowed memory is gone. */
  get bytes(): Uint8Array {
    return this.#cow.value;
  }

  /** In bytes. */
  get length(): number {
    return this.bytes.length;
  }

  /** Whether the bytes are somebody else's. */
  get isBorrowed(): boolean {
    return this.#cow.isBorrowed;
  }

  /** The string, decoded once. */
  toString(): string {
    return this.#text ??= decoder.decode(this.bytes);
  }

  /** The string: a Utf8 in JSON is a string. */
  toJSON(): string {
    return this.toString();
  }

  /** Whether both are the same text, byte for byte; nothing is normalised. Throws a `TypeError` for what is no Utf8. */
  equals(other: Utf8): boolean {
    requireUtf8(other);
    return this.length === other.length && this.compare(other) === 0;
  }

  /**
   * Below 0, 0 or above: the order of bytes, which is that of code points and not a string's own. For `sort`. Throws a
   * `TypeError` for what is no Utf8.
   */
  compare(other: Utf8): number {
    requireUtf8(other);
    return Buffer.compare(this.bytes, other.bytes);
  }

  /** FNV-1a of the bytes, 32 bits without a sign: the same in every process. Computed once. */
  hashCode(): number {
    return this.#hash ??= fnv1a(this.bytes);
  }

  /**
   * The text from byte `start` up to `end`, borrowed from the same memory. Throws a `RangeError` where they do not
   * lie in the text in this order, or one falls inside a character.
   */
  slice(start = 0, end: number = this.length): Utf8 {
    const bytes = this.#range("slice", start, end);
    return new Utf8(KEY, Cow.borrowed(bytes.subarray(start, end)));
  }

  /**
   * Puts `replacement` in the place of the text from byte `start` up to `end`; with both at `length` it is appended.
   * The text has new bytes of its own from then on. Throws as `slice` does, and a `TypeError` for a replacement that
   * is no text; the text is then as it was.
   */
  replaceRange(start: number, end: number, replacement: string | Utf8): void {
    const bytes = this.#range("replace", start, end);
    const middle = replacement instanceof Utf8
      ? replacement.bytes
      : encode("cannot replace a range of a Utf8", replacement);
    const next = new Uint8Array(bytes.length - (end - start) + middle.length);
    next.set(bytes.subarray(0, start));
    next.set(middle, start);
    next.set(bytes.subarray(end), start + middle.length);
    this.#cow = Cow.owned(next);
    this.#text = undefined;
    this.#hash = undefined;
  }

  /** Makes the bytes this text's own, by a copy where they are borrowed. Returns this text. */
  toOwned(): this {
    this.#cow.toMut();
    return this;
  }

  #range(verb: string, start: number, end: number): Uint8Array {
    const { bytes } = this;
    for (const [name, at] of [["start", start], ["end", end]] as const) {
      if (!Number.isSafeInteger(at) || at < 0 || at > bytes.length) {
        throw new RangeError(`cannot ${verb} a Utf8 of ${bytes.length} bytes: ${name} is ${at}`);
      }
      if ((bytes[at] & 0xc0) === 0x80) {
        throw new RangeError(`cannot ${verb} a Utf8: ${name} is ${at}, which lies inside a character`);
      }
    }
    if (start > end) throw new RangeError(`cannot ${verb} a Utf8: start is ${start}, and end ${end}`);
    return bytes;
  }
}

function requireBytes(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("cannot make a Utf8: bytes is no Uint8Array");
  return bytes;
}

function requireUtf8(other: Utf8): void {
  if (other instanceof Utf8) return;
  throw new TypeError(
    `cannot compare a Utf8: other is ${
      other === null ? "null" : typeof other
    }, no Utf8; make one with Utf8.fromString`,
  );
}

function fnv1a(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], FNV_PRIME);
  return hash >>> 0;
}
