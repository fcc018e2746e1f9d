import { DatedBytes } from "./dated_bytes.ts";
import { headerList, plainText, plainType } from "./deno_response.ts";
import { CLASSES, VALUE } from "../parse/chars.ts";
import { httpDate } from "./date.ts";
import type { HttpError } from "../error.ts";
import type { RequestHead } from "../parse/head.ts";
import { fieldLine, TEXT_LINE } from "../lean/fields.ts";
import { byteLength, type Output } from "./output.ts";
import { FileBody, type StaticBody, StreamBody } from "./response_body.ts";
import type { UpgradeResponse } from "./special_response.ts";
import { StaticResponse } from "./static_response.ts";
import { reasonPhrase } from "./status.ts";
import { isUnpacked } from "./unpacked.ts";

const CRLF: Uint8Array = new TextEncoder().encode("\r\n");
const LAST_CHUNK: Uint8Array = new TextEncoder().encode("0\r\n\r\n");

/** Types that were sent with a plain text: few, and those of one's own making. */
const heads = new Map<string, DatedBytes>();
const MOST_HEADS = 64;

function headOfType(type: string): DatedBytes {
  let head = heads.get(type);
  if (head === undefined) {
    head = new DatedBytes(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ndate: `, "\r\ncontent-length: ");
    if (heads.size < MOST_HEADS) heads.set(type, head);
  }
  return head;
}

/**
 * Writes the responses of one connection (RFC 9112, sections 4 to 7): {@linkcode begin}, and where that says that
 * the body is a stream, {@linkcode write} for each part and {@linkcode end}.
 */
export class ResponseWriter {
  readonly #out: Output;
  #keepAlive = true;
  #declaredLength: string | undefined;
  #isChunked = false;
  #left = Infinity;
  /** The plain fields that were sent last, and the head with them, once they came twice. */
  #lines = "";
  #head: DatedBytes | undefined;

  constructor(out: Output) {
    this.#out = out;
  }

  /** Whether another request may follow the response that was begun last. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /**
   * Writes the head of `response`, and its body (from `takeBody`) where that is there as a whole. Returns the
   * body where it is a stream or a file that must follow, else null. The length, the framing and `connection` are
   * set here, whatever the response says of them; the connection stays open if `keepAlive` and if nothing speaks
   * against it. Throws a `TypeError`, having written nothing, for a response that cannot be sent:
   * `Response.error()`, a status text with a line end in it, a stream whose `content-length` is no number.
   */
  begin(
    request: Pick<RequestHead, "method" | "minor">,
    response: Response,
    body: StaticBody | StreamBody | FileBody,
    keepAlive: boolean,
  ): StreamBody | FileBody | null {
    if (keepAlive && request.minor === 1 && request.method !== "HEAD") {
      const head = this.#plainHead(response);
      const isWhole = body === null || typeof body === "string" || body instanceof Uint8Array;
      if (head !== undefined && isWhole && this.#out.appendWhole(head.take(), body)) {
        this.#keepAlive = true;
        return null;
      }
    }
    const { status } = response;
    if (status < 200) throw new TypeError(`a response of status ${status} cannot be sent`);
    const isBodiless = request.method === "HEAD" || status === 204 || status === 304;
    this.#keepAlive = keepAlive;
    let head = statusLine(status, response.statusText) + this.#fields(response);
    const length = this.#contentLength(body, isBodiless);
    if (length !== undefined && status !== 204) head += `content-length: ${length}\r\n`;
    this.#left = length ?? Infinity;
    this.#isChunked = length === undefined && !isBodiless && request.minor === 1;
    if (this.#isChunked) head += "transfer-encoding: chunked\r\n";
    else if (length === undefined && !isBodiless) this.#keepAlive = false;
    if (!this.#keepAlive) head += "connection: close\r\n";
    else if (request.minor === 0) head += "connection: keep-alive\r\n";
    head += "\r\n";
    if (isBodiless || typeof body !== "string") this.#out.appendHead(head, "", 0);
    else this.#out.appendHead(head, body, this.#left);
    if (isBodiless && body instanceof StreamBody) body.cancel();
    if (isBodiless && body instanceof FileBody) body.release();
    if (isBodiless) return null;
    if (body instanceof StreamBody || body instanceof FileBody) return body;
    if (body instanceof Uint8Array) this.#out.append(body);
    return null;
  }

  /** Writes a response that is there as bytes. They may change after that. */
  writeBytes(bytes: Uint8Array): void {
    this.#keepAlive = true;
    if (!this.#out.tryAppend(bytes)) this.#out.append(bytes.slice());
  }

  /**
   * Writes a whole response of checked parts: `lines` are its fields but for those that are the server's, each with its
   * line end.
   */
  writePlain(
    request: Pick<RequestHead, "method" | "minor">,
    status: number,
    lines: string,
    body: StaticBody,
    keepAlive: boolean,
  ): void {
    const isBodiless = request.method === "HEAD" || status === 204 || status === 304;
    if (status === 200 && keepAlive && request.minor === 1 && !isBodiless) {
      const head = this.#headOf(lines);
      if (head !== undefined && this.#out.appendWhole(head.take(), body)) {
        this.#keepAlive = true;
        return;
      }
    }
    this.#keepAlive = keepAlive;
    this.#declaredLength = undefined;
    const length = this.#contentLength(body, false) ?? 0;
    let head = `${statusLine(status, "")}${lines}date: ${httpDate()}\r\n`;
    // That of a 304 would be the length of the whole that it stands for, which nobody has told.
    if (status !== 204 && status !== 304) head += `content-length: ${length}\r\n`;
    if (!keepAlive) head += "connection: close\r\n";
    else if (request.minor === 0) head += "connection: keep-alive\r\n";
    const text = !isBodiless && typeof body === "string" ? body : "";
    this.#out.appendHead(`${head}\r\n`, text, text === "" ? 0 : length);
    if (!isBodiless && body instanceof Uint8Array) this.#out.append(body);
  }

  /** Writes the whole answer to a request whose connection speaks another protocol from then on. */
  beginUpgrade(response: UpgradeResponse): void {
    this.#keepAlive = false;
    const head = `${statusLine(101, response.statusText)}${
      this.#fields(response)
    }connection: upgrade\r\n\r\n`;
    this.#out.appendHead(head, "", 0);
  }

  /**
   * Writes a part of a streamed body, which must not change before it is sent. Throws an `Error` where the body
   * grows longer than its `content-length`.
   */
  write(part: Uint8Array): void {
    if (part.length === 0) return;
    if (this.#isChunked) {
      this.#out.appendHead(`${part.length.toString(16)}\r\n`, "", 0);
      this.#out.append(part);
      this.#out.append(CRLF);
      return;
    }
    this.#left -= part.length;
    if (this.#left < 0) {
      throw new Error(`the response's stream is ${-this.#left} bytes longer than its content-length`);
    }
    this.#out.append(part);
  }

  /** Ends a streamed body. Throws an `Error` where it is shorter than its `content-length`. */
  end(): void {
    if (this.#isChunked) this.#out.append(LAST_CHUNK);
    else if (this.#left > 0 && this.#left < Infinity) {
      throw new Error(`the response's stream ended ${this.#left} bytes before its content-length`);
    }
  }

  /** Writes the answer to a request that is refused: the error's message as plain text, the connection closes. */
  fail(error: HttpError, isHead: boolean): void {
    const text = `${error.message}\n`;
    const length = byteLength(text);
    this.#keepAlive = false;
    const lines = Object.entries(error.headers).map(([name, value]) => fieldLine(name, value));
    if (!lines.some((line) => line.startsWith("content-type:"))) lines.push(TEXT_LINE);
    this.#out.appendHead(
      `${statusLine(error.status, "")}${lines.join("")}date: ${httpDate()}\r\n` +
        `content-length: ${length}\r\nconnection: close\r\n\r\n`,
      isHead ? "" : text,
      isHead ? 0 : length,
    );
  }

  /** A head up to its length that was made before, for a response that can be seen to differ by nothing else. */
  #plainHead(response: Response): DatedBytes | undefined {
    if (!(response instanceof StaticResponse)) {
      return plainText(response) === undefined ? undefined : headOfType(plainType(response));
    }
    const lines = StaticResponse.lines(response);
    if (lines === undefined || response.status !== 200 || response.statusText !== "") return undefined;
    return this.#headOf(lines);
  }

  /** The head of fields that are those of the response before. */
  #headOf(lines: string): DatedBytes | undefined {
    if (lines === this.#lines) {
      return this.#head ??= new DatedBytes(`HTTP/1.1 200 OK\r\n${lines}date: `, "\r\ncontent-length: ");
    }
    this.#lines = lines;
    this.#head = undefined;
    return undefined;
  }

  /** The lines of the fields, but for those that are ours to write. */
  #fields(response: Response): string {
    this.#declaredLength = undefined;
    const known = response instanceof StaticResponse ? StaticResponse.lines(response) : undefined;
    if (known !== undefined) return `${known}date: ${httpDate()}\r\n`;
    let lines = "";
    let hasDate = false;
    // What comes from fetch was unpacked by it, but still says how it was packed.
    let isDecoded = false;
    const fromFetch = response.url !== "";
    const add = (value: string, name: string): void => {
      switch (name) {
        case "connection":
          if (/(^|,)[ \t]*close[ \t]*(,|$)/i.test(value)) this.#keepAlive = false;
          return;
        case "content-encoding":
          isDecoded = fromFetch && isUnpacked(value);
          if (isDecoded) return;
          break;
        case "content-length":
          this.#declaredLength = value;
          return;
        case "keep-alive":
        case "transfer-encoding":
          return;
        case "date":
          hasDate = true;
      }
      lines += `${name}: ${value}\r\n`;
    };
    const list = headerList(response);
    if (list === undefined) response.headers.forEach(add);
    else for (const [name, value] of list) add(value, name.toLowerCase());
    if (isDecoded) this.#declaredLength = undefined;
    return hasDate ? lines : `${lines}date: ${httpDate()}\r\n`;
  }

  /** The bytes of the body, or those that it would have; `undefined` where nobody knows. */
  #contentLength(body: StaticBody | StreamBody | FileBody, isBodiless: boolean): number | undefined {
    if (typeof body === "string") return byteLength(body);
    if (body instanceof Uint8Array) return body.length;
    if (body instanceof FileBody) return body.part.length;
    if (body === null && !isBodiless) return 0;
    const declared = this.#declaredLength;
    if (declared === undefined) return undefined;
    if (!/^\d+$/.test(declared) || Number(declared) > Number.MAX_SAFE_INTEGER) {
      throw new TypeError(`the response's content-length is no number: ${declared}`);
    }
    return Number(declared);
  }
}

function statusLine(status: number, statusText: string): string {
  if (status === 200 && statusText === "") return "HTTP/1.1 200 OK\r\n";
  for (let i = 0; i < statusText.length; i++) {
    const code = statusText.charCodeAt(i);
    if (code > 0xff || (CLASSES[code] & VALUE) === 0) {
      throw new TypeError(`the response's status text cannot be sent: ${JSON.stringify(statusText)}`);
    }
  }
  return `HTTP/1.1 ${status} ${statusText === "" ? reasonPhrase(status) : statusText}\r\n`;
}
