import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  WORD,
} from "../../../jit/http_head_table.ts";
import { HttpError } from "../error.ts";
import type { FieldTable } from "./field_table.ts";
import { fieldTable } from "./native_scanner.ts";
import { checkTarget, originOfHost, urlOfTarget } from "./target.ts";

/** How the end of a request's body is known (RFC 9112, section 6.3). */
export type Framing = "none" | "length" | "chunked";

/** Decimal digits of which any number is one that can be counted with. */
const SAFE_DIGITS = 15;

/**
 * The head of one request. Nothing of it changes, and nothing of it lies in the bytes that it was read from. Names
 * and values are cut out of its text when they are asked for.
 */
export class RequestHead {
  /** As the client spelt it: methods are case-sensitive. */
  declare readonly method: string;
  /** The request target as it came. */
  declare readonly target: string;
  /** 0 for HTTP/1.0, else 1. */
  declare readonly minor: number;
  /** The origin that the `Host` field names; empty where it names none. */
  declare readonly origin: string;
  /** Whether the client would send another request on this connection. */
  declare readonly keepAlive: boolean;
  /** Bytes of the body; 0 unless `framing` is `"length"`. */
  declare readonly contentLength: number;
  declare readonly framing: Framing;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  declare readonly expectContinue: boolean;
  readonly #text: string;
  readonly #fieldsAt: number;

  /**
   * Of what a scanner has found in `text`, where it began at `base`: `words` are as {@linkcode WORD} says. `known` is
   * the origin of the `Host` field, where that was asked before.
   *
   * Throws an {@linkcode HttpError} where the fields contradict each other, where the body is longer than `bodyLimit`
   * bytes, or where the server cannot do what they ask.
   */
  constructor(
    text: string,
    base: number,
    words: Int32Array,
    known: string | null,
    bodyLimit: number,
  ) {
    const start = base + words[WORD.start];
    const methodEnd = base + words[WORD.methodEnd];
    const seen = words[WORD.seen];
    const minor = words[WORD.minor];
    this.#text = text;
    this.#fieldsAt = base + words[WORD.fieldsStart];
    this.method = words[WORD.isGet] === 1 ? "GET" : text.slice(start, methodEnd);
    this.target = text.slice(methodEnd + 1, base + words[WORD.targetEnd]);
    this.minor = minor;
    checkTarget(this.method, this.target);
    if ((words[WORD.repeated] & (1 << HOST)) !== 0) throw new HttpError(400, "more than one Host field");
    if ((seen & (1 << HOST)) === 0) {
      if (minor === 1) throw new HttpError(400, "an HTTP/1.1 request without a Host field");
      this.origin = "";
    } else {
      this.origin = known ?? originOfHost(this.#last(HOST, base, words));
    }
    this.keepAlive = (seen & (1 << CONNECTION)) === 0 ? minor === 1 : this.#readKeepAlive(base, words);
    this.contentLength = (seen & (1 << CONTENT_LENGTH)) === 0
      ? 0
      : this.#readContentLength(base, words, bodyLimit);
    const isChunked = (seen & (1 << TRANSFER_ENCODING)) !== 0 && this.#readTransferEncoding(base, words);
    this.framing = isChunked ? "chunked" : this.contentLength > 0 ? "length" : "none";
    this.expectContinue = (seen & (1 << EXPECT)) !== 0 && minor === 1 && this.#readExpect();
  }

  /**
   * The URL that was asked for, as `new URL(…).href` spells it. `localOrigin` stands in where the client named
   * no host, as HTTP/1.0 may.
   */
  url(localOrigin: string): string {
    return urlOfTarget(this.target, this.origin === "" ? localOrigin : this.origin);
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    const text = this.#text;
    const { positions, base, end } = this.#fields();
    let joined: string | null = null;
    for (let i: number = WORD.spans; i < end; i += 4) {
      if (positions[i + 1] - positions[i] !== name.length) continue;
      if (text.slice(base + positions[i], base + positions[i + 1]).toLowerCase() !== name) continue;
      const value = text.slice(base + positions[i + 2], base + positions[i + 3]);
      joined = joined === null ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** The fields as they came: a name as the client spelt it, its value, the next name, and so on. */
  rawFields(): string[] {
    const text = this.#text;
    const { positions, base, end } = this.#fields();
    const fields: string[] = [];
    for (let i: number = WORD.spans; i < end; i += 2) {
      fields.push(text.slice(base + positions[i], base + positions[i + 1]));
    }
    return fields;
  }

  /** The fields as a new `Headers`. */
  headers(): Headers {
    const headers = new Headers();
    const fields = this.rawFields();
    for (let i = 0; i < fields.length; i += 2) headers.append(fields[i], fields[i + 1]);
    return headers;
  }

  /** Where they are: until another head is asked. */
  #fields(): FieldTable {
    const table = fieldTable();
    if (table.owner !== this) table.find(this, this.#text, this.#fieldsAt);
    return table;
  }

  /** The last value of a field that decides. */
  #last(field: number, base: number, words: Int32Array): string {
    const at = WORD.values + 2 * field;
    return this.#text.slice(base + words[at], base + words[at + 1]);
  }

  /** Whether that is `value`, as clients spell it. */
  #isLast(field: number, value: string, base: number, words: Int32Array): boolean {
    const at = WORD.values + 2 * field;
    return words[at + 1] - words[at] === value.length && this.#text.startsWith(value, base + words[at]);
  }

  #readKeepAlive(base: number, words: Int32Array): boolean {
    const isRepeated = (words[WORD.repeated] & (1 << CONNECTION)) !== 0;
    if (!isRepeated && this.#isLast(CONNECTION, "keep-alive", base, words)) return true;
    const options = splitList(isRepeated ? this.get("connection") : this.#last(CONNECTION, base, words));
    return !options.includes("close") && (this.minor === 1 || options.includes("keep-alive"));
  }

  #readContentLength(base: number, words: Int32Array, bodyLimit: number): number {
    if ((words[WORD.repeated] & (1 << CONTENT_LENGTH)) !== 0) {
      throw new HttpError(400, "more than one Content-Length field");
    }
    const value = this.#last(CONTENT_LENGTH, base, words);
    const length = numberOf(value);
    if (length === -1) {
      throw new HttpError(400, `Content-Length is no decimal number: ${JSON.stringify(value)}`);
    }
    if (length > bodyLimit || length > Number.MAX_SAFE_INTEGER) {
      throw new HttpError(413, `the body is longer than ${bodyLimit} bytes`);
    }
    return length;
  }

  /** Whether the body is chunked. Anything unclear is refused: two readings of it are how requests are smuggled. */
  #readTransferEncoding(base: number, words: Int32Array): boolean {
    if (this.minor === 0) throw new HttpError(400, "Transfer-Encoding in an HTTP/1.0 request");
    if ((words[WORD.seen] & (1 << CONTENT_LENGTH)) !== 0) {
      throw new HttpError(400, "both Transfer-Encoding and Content-Length");
    }
    const isRepeated = (words[WORD.repeated] & (1 << TRANSFER_ENCODING)) !== 0;
    if (!isRepeated && this.#isLast(TRANSFER_ENCODING, "chunked", base, words)) return true;
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

/** The number whose decimal digits, and nothing else, the text is; else -1. */
function numberOf(text: string): number {
  if (text.length > SAFE_DIGITS) return /^\d+$/.test(text) ? Number(text) : -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  return text === "" ? -1 : value;
}

/** The members of a comma-separated field, in lower case. */
function splitList(value: string | null): string[] {
  return (value ?? "").toLowerCase().split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}
