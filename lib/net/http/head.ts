import { HttpError } from "./error.ts";
import { CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING } from "./head_scanner.ts";
import type { HeadScanner } from "./head_scanner.ts";
import { checkTarget, originOfHost, urlOfTarget } from "./target.ts";

/** How the end of a request's body is known (RFC 9112, section 6.3). */
export type Framing = "none" | "length" | "chunked";

/**
 * The head of one request. Its text is one string, checked once; names and values are cut out of it when they
 * are asked for.
 */
export class RequestHead {
  /** As the client spelt it: methods are case-sensitive. */
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  /** 0 for HTTP/1.0, else 1. */
  readonly minor: 0 | 1;
  /** Whether the client would send another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
  readonly framing: Framing;
  /** Bytes of the body; 0 unless `framing` is `"length"`. */
  readonly contentLength: number;
  readonly #text: string;
  readonly #fieldsStart: number;
  readonly #origin: string;

  /**
   * `text` is the scanned head as latin1. Throws an {@linkcode HttpError} where the fields contradict each
   * other, where the body is longer than `bodyLimit` bytes, or where the server cannot do what they ask.
   */
  constructor(text: string, scan: HeadScanner, bodyLimit: number) {
    this.#text = text;
    this.#fieldsStart = scan.fieldsStart;
    this.method = text.slice(scan.start, scan.methodEnd);
    this.target = text.slice(scan.methodEnd + 1, scan.targetEnd);
    this.minor = scan.minor;
    checkTarget(this.method, this.target);
    this.#origin = originOfHost(this.#readHost(scan));
    this.keepAlive = this.#readKeepAlive(scan);
    this.contentLength = this.#readContentLength(scan, bodyLimit);
    this.framing = this.#readTransferEncoding(scan) ? "chunked" : this.contentLength > 0 ? "length" : "none";
    this.expectContinue = this.#readExpect(scan);
  }

  /**
   * The URL that was asked for, as `new URL(…).href` spells it. `localOrigin` stands in where the client named
   * no host, as HTTP/1.0 may.
   */
  url(localOrigin: string): string {
    return urlOfTarget(this.target, this.#origin === "" ? localOrigin : this.#origin);
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    const text = this.#text;
    let joined: string | null = null;
    for (let at = this.#fieldsStart; at < text.length - 2;) {
      const colon = text.indexOf(":", at);
      const lineEnd = text.indexOf("\r\n", colon);
      if (colon - at === name.length && text.slice(at, colon).toLowerCase() === name) {
        const value = trimBlanks(text, colon + 1, lineEnd);
        joined = joined === null ? value : `${joined}, ${value}`;
      }
      at = lineEnd + 2;
    }
    return joined;
  }

  /** The fields as a new `Headers`. */
  headers(): Headers {
    const text = this.#text;
    const headers = new Headers();
    for (let at = this.#fieldsStart; at < text.length - 2;) {
      const colon = text.indexOf(":", at);
      const lineEnd = text.indexOf("\r\n", colon);
      headers.append(text.slice(at, colon), trimBlanks(text, colon + 1, lineEnd));
      at = lineEnd + 2;
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

/** What lies between, without SP and HTAB at its ends; `trim()` would also take U+00A0, which is a value's own. */
function trimBlanks(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The members of a comma-separated field, in lower case. */
function splitList(value: string | null): string[] {
  return (value ?? "").toLowerCase().split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
}
