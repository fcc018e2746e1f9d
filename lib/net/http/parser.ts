import { Buffer } from "node:buffer";
import { ChunkedBody } from "./body.ts";
import { HttpError } from "./error.ts";
import { RequestHead } from "./head.ts";
import { HeadScanner } from "./head_scanner.ts";
import { type HttpLimits, resolveLimits } from "./limits.ts";

const NOTHING = new Uint8Array(0);

/**
 * Reads the requests of one connection, one after another, out of bytes as they come:
 * {@linkcode feed} what was received, take heads with {@linkcode next} and each one's body with
 * {@linkcode read} until it is null, and feed again whenever one of them says `undefined`. Nothing is copied but
 * a head that came in pieces; work is linear in the bytes, however they are cut.
 *
 * It is strict where RFC 9112 leaves a choice, as two servers that read one request differently are what request
 * smuggling lives on: lines end in CR LF and never in LF alone, the version is exact, nothing is folded,
 * a target is plain ASCII, and at most four empty lines stand between requests.
 */
export class RequestParser {
  readonly #limits: Required<HttpLimits>;
  readonly #scanner: HeadScanner;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  #text: Buffer = Buffer.alloc(0);
  #textOf: Uint8Array = NOTHING;
  #kept: Uint8Array = NOTHING;
  #left = 0;
  #chunked: ChunkedBody | undefined;
  #fault: HttpError | undefined;

  /** `limits` that are not given are the defaults of {@linkcode HttpLimits}. */
  constructor(limits?: HttpLimits) {
    this.#limits = resolveLimits(limits);
    this.#scanner = new HeadScanner(this.#limits);
  }

  /** Whether the bytes end between two requests: a connection closed here was not cut off. */
  get isIdle(): boolean {
    return this.#isBodyDone && this.#scanner.isIdle && this.#at + this.#scanner.scanned === this.#end;
  }

  /** Whether bytes are at hand that no call has taken yet. */
  get hasBytes(): boolean {
    return this.#at < this.#end;
  }

  /**
   * Gives `bytes` from `start` to `end`, which are read in place until {@linkcode next} or {@linkcode read} says
   * `undefined`, or until {@linkcode keep}; then they may be overwritten.
   */
  feed(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (this.#at === this.#end) {
      this.#kept = NOTHING;
      this.#bytes = bytes;
      this.#at = start;
      this.#end = end;
    } else {
      this.#keepWith(end - start);
      this.#kept.set(bytes.subarray(start, end), this.#end);
      this.#end += end - start;
    }
  }

  /** Copies what was not read yet out of the fed bytes, so that they may be overwritten. */
  keep(): void {
    if (this.#bytes !== this.#kept && this.#at < this.#end) this.#keepWith(0);
  }

  /** What was fed and not taken, copied: no request any more, the connection speaks another protocol from here on. */
  takeRest(): Uint8Array<ArrayBuffer> {
    const rest = new Uint8Array(this.#bytes.subarray(this.#at, this.#end));
    this.#at = this.#end;
    return rest;
  }

  /**
   * The head of the next request, or `undefined` where more bytes are needed. The body of the one before must
   * have been read to its end. Throws an {@linkcode HttpError} for a request that is refused, and again at each
   * call from then on.
   */
  next(): RequestHead | undefined {
    if (!this.#isBodyDone) throw new Error("next() before the body of the last request was read to its end");
    if (this.#fault !== undefined) throw this.#fault;
    try {
      return this.#nextHead();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /**
   * The next bytes of the body, a view that is valid until the next call; null at its end, `undefined` where more
   * bytes are needed. Throws an {@linkcode HttpError} as {@linkcode next} does.
   */
  read(): Uint8Array | null | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#chunked === undefined) return this.#readLength();
    try {
      return this.#readChunks(this.#chunked);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  get #isBodyDone(): boolean {
    return this.#left === 0 && this.#chunked === undefined;
  }

  #nextHead(): RequestHead | undefined {
    const scanner = this.#scanner;
    if (!scanner.scan(this.#bytes, this.#at, this.#end)) {
      this.keep();
      return undefined;
    }
    if (this.#textOf !== this.#bytes) {
      this.#textOf = this.#bytes;
      this.#text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    }
    const text = this.#text.toString("latin1", this.#at, this.#at + scanner.end);
    const head = new RequestHead(text, scanner, this.#limits.body);
    this.#at += scanner.end;
    scanner.reset();
    this.#left = head.contentLength;
    if (head.framing === "chunked") this.#chunked = new ChunkedBody(this.#limits);
    return head;
  }

  #readLength(): Uint8Array | null | undefined {
    if (this.#left === 0) return null;
    if (this.#at === this.#end) return undefined;
    const start = this.#at;
    this.#at = Math.min(this.#end, start + this.#left);
    this.#left -= this.#at - start;
    return this.#bytes.subarray(start, this.#at);
  }

  #readChunks(body: ChunkedBody): Uint8Array | null | undefined {
    this.#at = body.decode(this.#bytes, this.#at, this.#end);
    if (body.dataStart < body.dataEnd) return this.#bytes.subarray(body.dataStart, body.dataEnd);
    if (!body.isDone) return undefined;
    this.#chunked = undefined;
    return null;
  }

  /** Moves what is left into our own memory, with room for `more` bytes behind it. */
  #keepWith(more: number): void {
    const left = this.#end - this.#at;
    if (this.#bytes === this.#kept && this.#end + more <= this.#kept.length) return;
    const room = left + more <= this.#kept.length
      ? this.#kept
      : new Uint8Array(Math.max(1024, 2 * (left + more)));
    room.set(this.#bytes.subarray(this.#at, this.#end));
    this.#kept = this.#bytes = room;
    this.#at = 0;
    this.#end = left;
  }

  #fail(error: unknown): unknown {
    if (error instanceof HttpError) this.#fault = error;
    return error;
  }
}
