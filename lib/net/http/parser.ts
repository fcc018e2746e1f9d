import { Buffer } from "node:buffer";
import { ChunkedBody } from "./body.ts";
import { HttpError } from "./error.ts";
import { Fields } from "./fields.ts";
import { RequestHead } from "./head.ts";
import { HeadScanner } from "./head_scanner.ts";
import type { HttpLimits } from "./limits.ts";
import { checkTarget } from "./target.ts";
import { type Shared, sharedFor } from "./shared.ts";

const NOTHING = new Uint8Array(0);

/** The bytes that were read last, as words and as text: connections receive into one buffer. */
let viewed: Uint8Array = NOTHING;
let words: DataView = new DataView(NOTHING.buffer);
let latin1: Buffer = Buffer.from(NOTHING.buffer);

function look(bytes: Uint8Array): void {
  if (viewed === bytes) return;
  viewed = bytes;
  words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A typed array over a few bytes would cost more than they do. */
function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > 16 || from === into) into.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) into[at + i - start] = from[i];
}

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
  readonly #shared: Shared;
  readonly #scanner: HeadScanner;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  #kept: Uint8Array = NOTHING;
  #left = 0;
  #chunked: ChunkedBody | undefined;
  #fault: HttpError | undefined;

  /** `limits` that are not given are the defaults of {@linkcode HttpLimits}. */
  constructor(limits?: HttpLimits) {
    this.#shared = sharedFor(limits);
    this.#scanner = new HeadScanner(this.#shared.limits);
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
      copy(bytes, start, end, this.#kept, this.#end);
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
    const at = this.#at;
    const available = this.#end - at;
    if (available === 0) return undefined;
    look(this.#bytes);
    const { heads } = this.#shared;
    const isFresh = scanner.scanned === 0;
    let head = isFresh ? heads.find(words, at, available) : undefined;
    if (head !== undefined) {
      this.#at = at + heads.length;
    } else {
      head = this.#scanHead(scanner);
      if (head === undefined) {
        this.keep();
        return undefined;
      }
      if (isFresh) heads.offer(words, at, available, this.#at - at, head);
      scanner.reset();
    }
    this.#left = head.contentLength;
    if (head.framing === "chunked") this.#chunked = new ChunkedBody(this.#shared.limits);
    return head;
  }

  #scanHead(scanner: HeadScanner): RequestHead | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    const end = this.#end;
    if (!scanner.scanLine(bytes, words, at, end)) return undefined;
    const memo = this.#shared.fields;
    const fieldsAt = at + scanner.fieldsStart;
    const available = end - fieldsAt;
    const isFresh = scanner.scanned === scanner.fieldsStart;
    let fields = isFresh ? memo.find(words, fieldsAt, available) : undefined;
    if (fields !== undefined && fields.minor === scanner.minor) {
      const method = scanner.isGet
        ? "GET"
        : latin1.toString("latin1", at + scanner.start, at + scanner.methodEnd);
      const target = latin1.toString("latin1", at + scanner.methodEnd + 1, at + scanner.targetEnd);
      checkTarget(method, target);
      this.#at = fieldsAt + memo.length;
      return new RequestHead(method, target, fields);
    }
    if (!scanner.scanFields(bytes, words, at, end)) return undefined;
    const text = latin1.toString("latin1", at, at + scanner.end);
    const method = scanner.isGet ? "GET" : text.slice(scanner.start, scanner.methodEnd);
    const target = text.slice(scanner.methodEnd + 1, scanner.targetEnd);
    checkTarget(method, target);
    fields = new Fields(text, scanner, this.#shared.limits.body);
    if (isFresh) memo.offer(words, fieldsAt, available, scanner.end - scanner.fieldsStart, fields);
    this.#at = at + scanner.end;
    return new RequestHead(method, target, fields);
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
    copy(this.#bytes, this.#at, this.#end, room, 0);
    this.#kept = this.#bytes = room;
    this.#at = 0;
    this.#end = left;
  }

  #fail(error: unknown): unknown {
    if (error instanceof HttpError) this.#fault = error;
    return error;
  }
}
