import { type Answers, WrongAnswer } from "./answers.ts";

const LONGEST_HEAD = 65536;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const ZERO = 0x30;
const C = 0x63;
const T = 0x74;

const Head = 0;
const Body = 1;
const BodyToEnd = 2;
const ChunkSize = 3;
const Chunk = 4;
const ChunkEnd = 5;
const Trailer = 6;

const encoder = new TextEncoder();
const VERSION = encoder.encode("http/1.");
const CONTENT_LENGTH = encoder.encode("content-length");
const CONNECTION = encoder.encode("connection");
const TRANSFER_ENCODING = encoder.encode("transfer-encoding");

/** What every answer should be. */
export interface Expectation {
  /** Any from 200 to 299 where nothing is said. */
  readonly status?: number;
  readonly length?: number;
  readonly body?: Uint8Array;
  /** Whether answers have a head alone, as those to HEAD. */
  readonly isHead: boolean;
}

/** Whether the name stands there, which is in lower case, however the bytes are written. */
function has(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[from + i] | 0x20) !== name[i]) return false;
  return true;
}

/** A digit in base 16, or NaN. */
function hexadecimal(byte: number): number {
  return parseInt(String.fromCharCode(byte), 16);
}

/**
 * Responses of HTTP/1.1, one after the other: their framing as RFC 9112 has it, and whether they are what is expected.
 * A head is read once it is whole; what has come of it until then is kept.
 */
export class HttpAnswers implements Answers {
  #expected: Expectation;
  #state = Head;
  #kept: Uint8Array | null = null;
  #status = 0;
  #contentLength = -1;
  #isChunked = false;
  #isLast = false;
  /** Bytes of the body, or of the chunk, that are to come. */
  #left = 0;
  /** Bytes of the body that have come. */
  #got = 0;
  /** Whether the last step has ended an answer. */
  #isWhole = false;

  constructor(expected: Expectation) {
    this.#expected = expected;
  }

  get isLast(): boolean {
    return this.#isLast;
  }

  take(bytes: Uint8Array, end: number): number {
    let at = 0;
    let ended = 0;
    if (this.#kept !== null) {
      const kept = this.#kept;
      const joined = new Uint8Array(kept.length + end);
      joined.set(kept);
      joined.set(bytes.subarray(0, end), kept.length);
      this.#kept = null;
      bytes = joined;
      end = joined.length;
    }
    while (at < end) {
      const from = at;
      switch (this.#state) {
        case Head:
          at = this.#takeHead(bytes, at, end);
          break;
        case Body:
        case Chunk:
          at += this.#takeBody(bytes, at, Math.min(this.#left, end - at));
          if (this.#left > 0) return ended;
          this.#state = this.#state === Chunk ? ChunkEnd : this.#whole();
          break;
        case BodyToEnd:
          this.#left = end - at;
          at += this.#takeBody(bytes, at, this.#left);
          return ended;
        default:
          at = this.#takeLine(bytes, at, end);
      }
      if (at === -1) return this.#keep(bytes, from, end, ended);
      if (this.#isWhole) {
        this.#isWhole = false;
        ended++;
      }
    }
    return ended;
  }

  end(): number {
    if (this.#state !== BodyToEnd) throw new WrongAnswer("the server ended the connection");
    this.#whole();
    return 1;
  }

  #keep(bytes: Uint8Array, from: number, end: number, ended: number): number {
    if (end - from > LONGEST_HEAD) throw new WrongAnswer(`a head of more than ${LONGEST_HEAD} bytes`);
    this.#kept = bytes.slice(from, end);
    return ended;
  }

  /** Returns where the head ends; -1 where that has not come. */
  #takeHead(bytes: Uint8Array, from: number, end: number): number {
    let line = from;
    let isFirst = true;
    this.#contentLength = -1;
    this.#isChunked = false;
    for (let i = from; i < end; i++) {
      if (bytes[i] !== LF) continue;
      if (bytes[i - 1] !== CR || i === from) throw new WrongAnswer("a line that does not end in CR LF");
      if (i === line + 1 && !isFirst) return this.#headEnds(i + 1);
      if (isFirst) this.#statusLine(bytes, line, i - 1);
      else this.#field(bytes, line, i - 1);
      isFirst = false;
      line = i + 1;
    }
    return -1;
  }

  #statusLine(bytes: Uint8Array, from: number, end: number): void {
    const code = from + VERSION.length + 2;
    if (end < code + 3 || !has(bytes, from, VERSION)) throw new WrongAnswer("no status line of HTTP/1");
    this.#status = 100 * (bytes[code] - ZERO) + 10 * (bytes[code + 1] - ZERO) + bytes[code + 2] - ZERO;
    // HTTP/1.0 closes, unless it says otherwise, which nobody has to say today.
    this.#isLast = bytes[code - 2] === ZERO;
    if (!(this.#status >= 100 && this.#status <= 999)) throw new WrongAnswer("no status in the status line");
  }

  /** A field that tells how long the body is, or that it is the last; the others are nothing to us. */
  #field(bytes: Uint8Array, from: number, end: number): void {
    switch (bytes[from] | 0x20) {
      case C:
        if (bytes[from + CONTENT_LENGTH.length] === COLON && has(bytes, from, CONTENT_LENGTH)) {
          this.#contentLength = this.#number(bytes, from + CONTENT_LENGTH.length + 1, end);
        } else if (bytes[from + CONNECTION.length] === COLON && has(bytes, from, CONNECTION)) {
          this.#isLast = this.#text(bytes, from + CONNECTION.length + 1, end) === "close";
        }
        break;
      case T:
        if (bytes[from + TRANSFER_ENCODING.length] === COLON && has(bytes, from, TRANSFER_ENCODING)) {
          this.#isChunked = this.#text(bytes, from + TRANSFER_ENCODING.length + 1, end) === "chunked";
        }
    }
  }

  #text(bytes: Uint8Array, from: number, end: number): string {
    return String.fromCharCode(...bytes.subarray(from, end)).trim().toLowerCase();
  }

  #number(bytes: Uint8Array, from: number, end: number): number {
    let value = 0;
    while (from < end && bytes[from] === SPACE) from++;
    if (from === end || this.#contentLength !== -1) throw new WrongAnswer("a wrong Content-Length");
    for (let i = from; i < end; i++) {
      const digit = bytes[i] - ZERO;
      if (!(digit >= 0 && digit <= 9)) throw new WrongAnswer("a wrong Content-Length");
      value = 10 * value + digit;
    }
    return value;
  }

  /** Returns `next`, where the body begins. */
  #headEnds(next: number): number {
    const status = this.#status;
    // 100 Continue and its like: the answer is still to come.
    if (status < 200) return next;
    const { isHead, status: expected } = this.#expected;
    if (expected === undefined ? status >= 300 : status !== expected) {
      throw new WrongAnswer(`status ${status}`);
    }
    this.#got = 0;
    if (isHead || status === 204 || status === 304) {
      this.#isWhole = true;
    } else if (this.#isChunked) {
      this.#state = ChunkSize;
    } else if (this.#contentLength === -1) {
      this.#isLast = true;
      this.#state = BodyToEnd;
    } else {
      this.#left = this.#contentLength;
      this.#state = this.#left === 0 ? this.#whole() : Body;
    }
    return next;
  }

  /** Takes `count` bytes of the body, and returns that. */
  #takeBody(bytes: Uint8Array, from: number, count: number): number {
    const { body } = this.#expected;
    if (body !== undefined) {
      const at = this.#got;
      for (let i = 0; i < count; i++) {
        if (bytes[from + i] !== body[at + i]) throw new WrongAnswer("a wrong body");
      }
    }
    this.#got += count;
    this.#left -= count;
    return count;
  }

  /** Takes the line that stands about a chunk. Returns where the next begins; -1 where its end has not come. */
  #takeLine(bytes: Uint8Array, from: number, end: number): number {
    let lf = from;
    while (lf < end && bytes[lf] !== LF) lf++;
    if (lf === end) return -1;
    if (lf === from || bytes[lf - 1] !== CR) throw new WrongAnswer("a line that does not end in CR LF");
    const isEmpty = lf === from + 1;
    if (this.#state === Trailer) {
      if (isEmpty) this.#state = this.#whole();
    } else if (this.#state === ChunkEnd) {
      if (!isEmpty) throw new WrongAnswer("a chunk that is longer than it says");
      this.#state = ChunkSize;
    } else {
      let size = 0;
      for (let i = from; i < lf - 1 && bytes[i] !== SEMICOLON; i++) size = 16 * size + hexadecimal(bytes[i]);
      if (isEmpty || !Number.isSafeInteger(size)) throw new WrongAnswer("a wrong chunk size");
      this.#left = size;
      this.#state = size === 0 ? Trailer : Chunk;
    }
    return lf + 1;
  }

  /** The answer has ended. Returns the next one's state. */
  #whole(): typeof Head {
    const { length, body } = this.#expected;
    const expected = body?.length ?? length ?? this.#got;
    if (this.#got !== expected) throw new WrongAnswer(`a body of ${this.#got} bytes`);
    this.#isWhole = true;
    return Head;
  }
}
