import { HttpError } from "./error.ts";
import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  type HeadScanner,
  HOST,
  TRANSFER_ENCODING,
} from "./head_scanner.ts";
import { originOfHost } from "./target.ts";

/** How the end of a request's body is known (RFC 9112, section 6.3). */
export type Framing = "none" | "length" | "chunked";

/**
 * The header fields of a request, and what they say of how it is read. They never change, so that requests whose
 * fields are byte for byte the same share them.
 */
export class Fields {
  readonly minor: 0 | 1;
  /** Of the `Host` field; empty where there is none. */
  readonly origin: string;
  readonly keepAlive: boolean;
  readonly contentLength: number;
  readonly framing: Framing;
  readonly expectContinue: boolean;
  readonly #text: string;
  readonly #spans: readonly number[];

  /**
   * `text` is the scanned head as latin1. Throws an {@linkcode HttpError} where the fields contradict each
   * other, where the body is longer than `bodyLimit` bytes, or where the server cannot do what they ask.
   */
  constructor(text: string, scan: HeadScanner, bodyLimit: number) {
    this.#text = text;
    this.#spans = scan.spans.slice(0, 4 * scan.fields);
    this.minor = scan.minor;
    this.origin = originOfHost(this.#readHost(scan));
    this.keepAlive = this.#readKeepAlive(scan);
    this.contentLength = this.#readContentLength(scan, bodyLimit);
    this.framing = this.#readTransferEncoding(scan) ? "chunked" : this.contentLength > 0 ? "length" : "none";
    this.expectContinue = this.#readExpect(scan);
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    const text = this.#text;
    const spans = this.#spans;
    let joined: string | null = null;
    for (let i = 0; i < spans.length; i += 4) {
      if (spans[i + 1] - spans[i] !== name.length) continue;
      if (text.slice(spans[i], spans[i + 1]).toLowerCase() !== name) continue;
      const value = text.slice(spans[i + 2], spans[i + 3]);
      joined = joined === null ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** The fields as they came: a name as the client spelt it, its value, the next name, and so on. */
  raw(): string[] {
    const text = this.#text;
    const spans = this.#spans;
    const fields: string[] = [];
    for (let i = 0; i < spans.length; i += 2) fields.push(text.slice(spans[i], spans[i + 1]));
    return fields;
  }

  /** The fields as a new `Headers`. */
  headers(): Headers {
    const text = this.#text;
    const spans = this.#spans;
    const headers = new Headers();
    for (let i = 0; i < spans.length; i += 4) {
      headers.append(text.slice(spans[i], spans[i + 1]), text.slice(spans[i + 2], spans[i + 3]));
    }
    return headers;
  }

  #value(scan: HeadScanner, field: number): string {
    return this.#text.slice(scan.valueStart[field], scan.valueEnd[field]);
  }

  #readHost(scan: HeadScanner): string {
    if (hasMore(scan, HOST)) throw new HttpError(400, "more than one Host field");
    if (has(scan, HOST)) return this.#value(scan, HOST);
    if (this.minor === 1) throw new HttpError(400, "an HTTP/1.1 request without a Host field");
    return "";
  }

  #readKeepAlive(scan: HeadScanner): boolean {
    if (!has(scan, CONNECTION)) return this.minor === 1;
    const value = hasMore(scan, CONNECTION) ? this.get("connection") : this.#value(scan, CONNECTION);
    if (value === "keep-alive") return true;
    const options = splitList(value);
    return !options.includes("close") && (this.minor === 1 || options.includes("keep-alive"));
  }

  #readContentLength(scan: HeadScanner, bodyLimit: number): number {
    if (!has(scan, CONTENT_LENGTH)) return 0;
    if (hasMore(scan, CONTENT_LENGTH)) throw new HttpError(400, "more than one Content-Length field");
    const value = this.#value(scan, CONTENT_LENGTH);
    if (!/^\d+$/.test(value)) {
      throw new HttpError(400, `Content-Length is no decimal number: ${JSON.stringify(value)}`);
    }
    const length = Number(value);
    if (length > bodyLimit || length > Number.MAX_SAFE_INTEGER) {
      throw new HttpError(413, `the body is longer than ${bodyLimit} bytes`);
    }
    return length;
  }

  /** Whether the body is chunked. Anything unclear is refused: two readings of it are how requests are smuggled. */
  #readTransferEncoding(scan: HeadScanner): boolean {
    if (!has(scan, TRANSFER_ENCODING)) return false;
    if (this.minor === 0) throw new HttpError(400, "Transfer-Encoding in an HTTP/1.0 request");
    if (has(scan, CONTENT_LENGTH)) throw new HttpError(400, "both Transfer-Encoding and Content-Length");
    if (!hasMore(scan, TRANSFER_ENCODING) && this.#value(scan, TRANSFER_ENCODING) === "chunked") return true;
    const codings = splitList(this.get("transfer-encoding"));
    if (codings.indexOf("chunked") !== codings.length - 1) {
      throw new HttpError(400, "the last transfer coding, and it alone, must be chunked");
    }
    if (codings.length > 1) {
      throw new HttpError(501, `the transfer coding ${JSON.stringify(codings[0])} is not known`);
    }
    return true;
  }

  #readExpect(scan: HeadScanner): boolean {
    if (!has(scan, EXPECT) || this.minor === 0) return false;
    if (splitList(this.get("expect")).some((expectation) => expectation !== "100-continue")) {
      throw new HttpError(417, "nothing but 100-continue can be expected of this server");
    }
    return this.framing !== "none";
  }
}

function has(scan: HeadScanner, field: number): boolean {
  return (scan.seen & (1 << field)) !== 0;
}

function hasMore(scan: HeadScanner, field: number): boolean {
  return (scan.repeated & (1 << field)) !== 0;
}

/** The members of a comma-separated field, in lower case. */
function splitList(value: string | null): string[] {
  return (value ?? "").toLowerCase().split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}
