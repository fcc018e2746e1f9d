import type { Buffer } from "node:buffer";
import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  WORD,
} from "../../../jit/http_head_table.ts";
import { HttpError } from "../error.ts";
import { isBlank } from "./head_faults.ts";
import { isAt, latin1 } from "./latin1.ts";
import { nativeScanner } from "./native_scanner.ts";
import type { Page } from "./page.ts";
import { originOfHost } from "./target.ts";

/** How the end of a request's body is known (RFC 9112, section 6.3). */
export type Framing = "none" | "length" | "chunked";

const CR = 0x0d;

/**
 * The header fields of a request, and what they say of it. Heads share them where the same fields come again. Nothing
 * of them changes, and nothing of them lies in the bytes that they were read from: names and values are cut out of a
 * copy when they are asked for.
 */
export class HeadFields {
  /** Of the request line: it decides what fields mean. */
  declare readonly minor: number;
  declare readonly origin: string;
  declare readonly keepAlive: boolean;
  declare readonly contentLength: number;
  declare readonly framing: Framing;
  declare readonly expectContinue: boolean;
  /** Where they lie in their copy, to the head's last byte. */
  #start: number;
  #end: number;
  #copy: Page | string;
  #read: readonly string[] | null = null;

  /**
   * Of what a scanner has found in `bytes`, where the head begins at `at`: `words` are as {@linkcode WORD} says. The
   * fields' copy is in `copy` from `start` to `end`. `known` is the origin of the `Host` field, where that was asked
   * before.
   *
   * Throws an {@linkcode HttpError} where the fields contradict each other, where the body is longer than `bodyLimit`
   * bytes, or where the server cannot do what they ask.
   */
  constructor(
    bytes: Buffer,
    at: number,
    words: Int32Array,
    copy: Page | string,
    start: number,
    end: number,
    known: string | null,
    bodyLimit: number,
  ) {
    const seen = words[WORD.seen];
    const minor = words[WORD.minor];
    this.#copy = copy;
    this.#start = start;
    this.#end = end;
    this.minor = minor;
    if ((words[WORD.repeated] & (1 << HOST)) !== 0) throw new HttpError(400, "more than one Host field");
    if ((seen & (1 << HOST)) === 0) {
      if (minor === 1) throw new HttpError(400, "an HTTP/1.1 request without a Host field");
      this.origin = "";
    } else {
      this.origin = known ?? originOfHost(valueOf(HOST, bytes, at, words));
    }
    this.keepAlive = (seen & (1 << CONNECTION)) === 0 ? minor === 1 : this.#readKeepAlive(bytes, at, words);
    this.contentLength = (seen & (1 << CONTENT_LENGTH)) === 0
      ? 0
      : readContentLength(bytes, at, words, bodyLimit);
    const isChunked = (seen & (1 << TRANSFER_ENCODING)) !== 0 && this.#readTransferEncoding(bytes, at, words);
    this.framing = isChunked ? "chunked" : this.contentLength > 0 ? "length" : "none";
    this.expectContinue = (seen & (1 << EXPECT)) !== 0 && minor === 1 && this.#readExpect();
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    const table = this.#read === null ? nativeScanner()?.tableOf(this) : null;
    if (table) return table.get(this, name);
    const fields = this.read();
    let joined: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i].length !== name.length || fields[i].toLowerCase() !== name) continue;
      joined = joined === null ? fields[i + 1] : `${joined}, ${fields[i + 1]}`;
    }
    return joined;
  }

  /** A name as the client spelt it, its value, the next name, and so on. */
  read(): readonly string[] {
    if (this.#read !== null) return this.#read;
    return this.#read = nativeScanner()?.tableOf(this)?.read(this) ?? this.#find();
  }

  /** What lies from `start` to `end`, counted from the first field. */
  cut(start: number, end: number): string {
    const copy = this.#copy;
    return typeof copy === "string"
      ? copy.slice(this.#start + start, this.#start + end)
      : copy.cut(this.#start + start, this.#start + end);
  }

  /** The text that they are in, which costs once what any part of it does. */
  open(): string {
    const copy = this.#copy;
    if (typeof copy === "string") return copy;
    if (copy.text !== null) return this.#copy = copy.text;
    this.#copy = copy.cut(this.#start, this.#end);
    this.#start = 0;
    return this.#copy;
  }

  /** Finds the fields in their text again, which a scanner has checked. */
  #find(): string[] {
    const text = this.open();
    const fields: string[] = [];
    for (let at = this.#start; text.charCodeAt(at) !== CR;) {
      const nameEnd = text.indexOf(":", at);
      const lineEnd = text.indexOf("\r", nameEnd);
      let valueStart = nameEnd + 1;
      while (isBlank(text.charCodeAt(valueStart))) valueStart++;
      let valueEnd = lineEnd;
      while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
      fields.push(text.slice(at, nameEnd), text.slice(valueStart, valueEnd));
      at = lineEnd + 2;
    }
    return fields;
  }

  #readKeepAlive(bytes: Buffer, at: number, words: Int32Array): boolean {
    const isRepeated = (words[WORD.repeated] & (1 << CONNECTION)) !== 0;
    if (!isRepeated && isValue(CONNECTION, "keep-alive", bytes, at, words)) return true;
    const options = splitList(isRepeated ? this.get("connection") : valueOf(CONNECTION, bytes, at, words));
    return !options.includes("close") && (this.minor === 1 || options.includes("keep-alive"));
  }

  /** Whether the body is chunked. Anything unclear is refused: two readings of it are how requests are smuggled. */
  #readTransferEncoding(bytes: Buffer, at: number, words: Int32Array): boolean {
    if (this.minor === 0) throw new HttpError(400, "Transfer-Encoding in an HTTP/1.0 request");
    if ((words[WORD.seen] & (1 << CONTENT_LENGTH)) !== 0) {
      throw new HttpError(400, "both Transfer-Encoding and Content-Length");
    }
    const isRepeated = (words[WORD.repeated] & (1 << TRANSFER_ENCODING)) !== 0;
    if (!isRepeated && isValue(TRANSFER_ENCODING, "chunked", bytes, at, words)) return true;
    const codings = splitList(this.get("transfer-encoding"));
    if (codings.indexOf("chunked") !== codings.length - 1) {
      throw new HttpError(400, "the last transfer coding, and it alone, must be chunked");
    }
    if (codings.length > 1) {
      throw new HttpError(501, `the transfer coding ${JSON.stringify(codings[0])} is not known`);
    }
    return true;
  }

  #readExpect(): boolean {
    if (splitList(this.get("expect")).some((expectation) => expectation !== "100-continue")) {
      throw new HttpError(417, "nothing but 100-continue can be expected of this server");
    }
    return this.framing !== "none";
  }
}

/** The last value of a field that decides. */
function valueOf(field: number, bytes: Buffer, at: number, words: Int32Array): string {
  const value = WORD.values + 2 * field;
  return latin1(bytes, at + words[value], at + words[value + 1]);
}

/** Whether that is `text`, as clients spell it. */
function isValue(field: number, text: string, bytes: Buffer, at: number, words: Int32Array): boolean {
  const value = WORD.values + 2 * field;
  return words[value + 1] - words[value] === text.length && isAt(text, bytes, at + words[value]);
}

function readContentLength(bytes: Buffer, at: number, words: Int32Array, bodyLimit: number): number {
  if ((words[WORD.repeated] & (1 << CONTENT_LENGTH)) !== 0) {
    throw new HttpError(400, "more than one Content-Length field");
  }
  const value = WORD.values + 2 * CONTENT_LENGTH;
  const length = numberIn(bytes, at + words[value], at + words[value + 1]);
  if (length === -1) {
    const text = valueOf(CONTENT_LENGTH, bytes, at, words);
    throw new HttpError(400, `Content-Length is no decimal number: ${JSON.stringify(text)}`);
  }
  if (length > bodyLimit || length > Number.MAX_SAFE_INTEGER) {
    throw new HttpError(413, `the body is longer than ${bodyLimit} bytes`);
  }
  return length;
}

/** The number whose decimal digits, and nothing else, the bytes are; else -1. One that cannot be counted with is large. */
function numberIn(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  return start === end ? -1 : value;
}

/** The members of a comma-separated field, in lower case. */
function splitList(value: string | null): string[] {
  return (value ?? "").toLowerCase().split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}
