import { Buffer } from "node:buffer";
import { NativeBuffer } from "../../../../ffi/native_buffer.ts";
import { WORD } from "../../../jit/http_head_table.ts";
import { ChunkedBody } from "./body.ts";
import { HttpError } from "../error.ts";
import { RequestHead } from "./head.ts";
import { HeadFields } from "./head_fields.ts";
import { HeadScanner } from "./head_scanner.ts";
import { type HttpLimits, resolveLimits } from "../limits.ts";
import { latin1 } from "./latin1.ts";
import { commonMethod } from "./method.ts";
import { type NativeScanner, nativeScanner } from "./native_scanner.ts";
import type { Page } from "./page.ts";
import { checkTarget } from "./target.ts";

/** A request line's bytes from its target's end to its last. */
const AFTER_TARGET = " HTTP/1.1".length - 1;
const NOTHING = new Uint8Array(0);

/** The bytes that were read last, as what decodes them, and as words: connections receive into one buffer. */
let looked: Uint8Array = NOTHING;
let viewed: Buffer = Buffer.from(NOTHING.buffer);
let words: DataView = new DataView(NOTHING.buffer);

function look(bytes: Uint8Array): void {
  if (looked === bytes) return;
  looked = bytes;
  viewed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What `HeadScanner` has found. */
const found = new Int32Array(WORD.spans);

/** Bytes that become text at once where requests follow one another: one call for many heads. */
const TEXT_BYTES = 2048;

/** The limits of the head that the machine code would know again. */
let keptWithin: Required<HttpLimits> = resolveLimits();

function isEqual(one: Required<HttpLimits>, other: Required<HttpLimits>): boolean {
  return one.requestLine === other.requestLine && one.headers === other.headers &&
    one.headerCount === other.headerCount && one.body === other.body;
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
  readonly #limits: Required<HttpLimits>;
  readonly #scanner: HeadScanner;
  readonly #nativeScanner: NativeScanner | null = nativeScanner();
  /** Where the bytes lie, if the machine code can be told. */
  #buffer: NativeBuffer | null = null;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  #kept: Uint8Array = NOTHING;
  /** What the bytes from `#textAt` on are as text, where that was made. */
  #text = "";
  #textAt = 0;
  #left = 0;
  #isChunked = false;
  #chunks: ChunkedBody | undefined;
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
   * Gives what lies in `source` from `start` to `end`, which is read in place until {@linkcode next} or
   * {@linkcode read} says `undefined`, or until {@linkcode keep}; then it may be overwritten. Out of a `NativeBuffer`
   * heads are read by machine code, where that can be loaded.
   */
  feed(source: Uint8Array, start?: number, end?: number): void;
  feed(source: NativeBuffer, start: number, end: number): void;
  feed(source: Uint8Array | NativeBuffer, start = 0, end?: number): void {
    const buffer = source instanceof NativeBuffer ? source : null;
    const bytes = source instanceof NativeBuffer ? source.bytes : source;
    const stop = end ?? bytes.length;
    if (this.#at === this.#end) {
      this.#kept = NOTHING;
      this.#buffer = buffer;
      this.#bytes = bytes;
      this.#text = "";
      this.#at = this.#textAt = start;
      this.#end = stop;
    } else {
      this.#keepWith(stop - start);
      copy(bytes, start, stop, this.#kept, this.#end);
      this.#end += stop - start;
    }
  }

  /** Copies what was not read yet out of the fed bytes, so that they may be overwritten. */
  keep(): void {
    if (this.#bytes !== this.#kept && this.#at < this.#end) this.#keepWith(0);
  }

  /** Lets go of what was read, all of which was taken. */
  release(): void {
    this.#text = "";
    if (this.#kept === NOTHING) return;
    this.#kept = this.#bytes = NOTHING;
    this.#at = this.#end = 0;
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
    if (!this.#isChunked || this.#chunks === undefined) return this.#readLength();
    try {
      return this.#readChunks(this.#chunks);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  get #isBodyDone(): boolean {
    return this.#left === 0 && !this.#isChunked;
  }

  #nextHead(): RequestHead | undefined {
    const at = this.#at;
    if (at === this.#end) return undefined;
    const scanner = this.#scanner;
    let head = scanner.scanned === 0 ? this.#scanAtOnce(at) : undefined;
    if (head === undefined) {
      look(this.#bytes);
      if (!scanner.scan(this.#bytes, words, at, this.#end)) {
        this.keep();
        return undefined;
      }
      scanner.tell(found);
      this.#decode(at, scanner.end);
      head = this.#headOf(at, scanner.end, found, null, null, null);
      this.#at = at + scanner.end;
      scanner.reset();
    }
    const { fields } = head;
    this.#left = fields.contentLength;
    if (fields.framing === "chunked") this.#beginChunks();
    // A body does not keep the room of a head that came in pieces.
    if (!this.#isBodyDone && this.#bytes === this.#kept) this.#moveTo(new Uint8Array(this.#end - this.#at));
    return head;
  }

  /** The head at `at` where the machine code knows it for one, within the limits. */
  #scanAtOnce(at: number): RequestHead | undefined {
    const native = this.#nativeScanner;
    const buffer = this.#buffer;
    if (native === null || buffer === null) return undefined;
    const limits = this.#limits;
    if (limits !== keptWithin && !isEqual(limits, keptWithin)) native.forget();
    const length = native.scan(buffer, this.#bytes, at, this.#end, limits.headerCount);
    if (native.isSame) {
      this.#at = at + length;
      return native.head ?? undefined;
    }
    const { words } = native;
    if (
      length === 0 || words[WORD.targetEnd] + AFTER_TARGET >= limits.requestLine ||
      length - words[WORD.fieldsStart] > limits.headers
    ) return undefined;
    look(this.#bytes);
    const fields = native.same;
    // Those behind the first one that was received are decoded together.
    const isAlone = fields === null && at === this.#textAt && !native.takeAsked();
    const page = isAlone ? native.pageOf(length) : null;
    if (fields === null && page === null) this.#decode(at, length);
    const head = this.#headOf(at, length, words, native, fields, page);
    native.keep(head, length, page !== null);
    keptWithin = limits;
    this.#at = at + length;
    return head;
  }

  /** Sees that the text has the `length` bytes at `at`. */
  #decode(at: number, length: number): void {
    const base = at - this.#textAt;
    if (base + length <= this.#text.length) return;
    // One that is not the first that was received may have others behind it.
    const more = base === 0 ? length : Math.max(length, TEXT_BYTES);
    this.#text = latin1(viewed, at, Math.min(this.#end, at + more));
    this.#textAt = at;
  }

  /** The bytes as text. */
  #cut(start: number, end: number): string {
    const to = end - this.#textAt;
    return to <= this.#text.length ? this.#text.slice(start - this.#textAt, to) : latin1(viewed, start, end);
  }

  /** The head at `at`, of which a scanner has found `words`, and its `fields` where they are known. */
  #headOf(
    at: number,
    length: number,
    words: Int32Array,
    native: NativeScanner | null,
    fields: HeadFields | null,
    page: Page | null,
  ): RequestHead {
    const start = at + words[WORD.start];
    const methodEnd = at + words[WORD.methodEnd];
    const method = words[WORD.isGet] === 1
      ? "GET"
      : commonMethod(viewed, start, methodEnd) ?? this.#cut(start, methodEnd);
    const target = this.#cut(methodEnd + 1, at + words[WORD.targetEnd]);
    checkTarget(method, target);
    return new RequestHead(method, target, fields ?? this.#fieldsOf(at, length, words, native, page));
  }

  #fieldsOf(
    at: number,
    length: number,
    words: Int32Array,
    native: NativeScanner | null,
    page: Page | null,
  ): HeadFields {
    const isKnown = native !== null && words[WORD.isKnownHost] === 1;
    const known = isKnown ? native.origin : null;
    const copy = page ?? this.#text;
    const base = page !== null && native !== null ? native.copyAt : at - this.#textAt;
    const from = base + words[WORD.fieldsStart];
    const fields = new HeadFields(viewed, at, words, copy, from, base + length, known, this.#limits.body);
    if (native !== null && !isKnown && fields.origin !== "") native.know(viewed, at, fields.origin);
    return fields;
  }

  #readLength(): Uint8Array | null | undefined {
    if (this.#left === 0) return null;
    if (this.#at === this.#end) return undefined;
    const start = this.#at;
    this.#at = Math.min(this.#end, start + this.#left);
    this.#left -= this.#at - start;
    return this.#bytes.subarray(start, this.#at);
  }

  #beginChunks(): void {
    this.#isChunked = true;
    if (this.#chunks === undefined) this.#chunks = new ChunkedBody(this.#limits);
    else this.#chunks.reset();
  }

  #readChunks(body: ChunkedBody): Uint8Array | null | undefined {
    this.#at = body.decode(this.#bytes, this.#at, this.#end);
    if (body.dataStart < body.dataEnd) return this.#bytes.subarray(body.dataStart, body.dataEnd);
    if (!body.isDone) return undefined;
    this.#isChunked = false;
    return null;
  }

  /** Moves what is left into our own memory, with room for `more` bytes behind it. */
  #keepWith(more: number): void {
    const left = this.#end - this.#at;
    if (this.#bytes === this.#kept && this.#end + more <= this.#kept.length) return;
    const isEnough = left + more <= this.#kept.length;
    // It doubles where it grows, so that bytes that come one by one are copied seldom.
    this.#moveTo(
      isEnough ? this.#kept : new Uint8Array(Math.max(1024, left + more, more > 0 ? 2 * left : 0)),
    );
  }

  #moveTo(room: Uint8Array): void {
    const left = this.#end - this.#at;
    copy(this.#bytes, this.#at, this.#end, room, 0);
    this.#kept = this.#bytes = room;
    this.#buffer = null;
    this.#text = "";
    this.#at = this.#textAt = 0;
    this.#end = left;
  }

  #fail(error: unknown): unknown {
    if (error instanceof HttpError) this.#fault = error;
    return error;
  }
}
