import { WouldBlock } from "../../io/fd.ts";
import type { Connection } from "./connection.ts";
import { BODY, HANDLER } from "./deadlines.ts";
import { HttpError } from "./error.ts";
import type { RequestHead } from "./parse/head.ts";
import type { RequestParser } from "./parse/parser.ts";
import type { BodySource } from "./request.ts";

/** What a handler left unread of a body is read, up to this, to keep the connection. */
const SKIPPED_BYTES = 1 << 18;
/** What is no body. */
const FAULTY = false;
const CONTINUE: Uint8Array = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/** A reader who waits for the connection's task. */
interface Reading {
  resolve(bytes: Uint8Array<ArrayBuffer> | null): void;
  reject(error: unknown): void;
}

/** The body of one request: what its handler reads of it, until the request was answered. */
export class RequestBody implements BodySource {
  readonly #connection: Connection;
  readonly #parser: RequestParser;
  #reading: Reading | null = null;
  #isOver = false;
  #skipped = 0;
  /** How many bytes of `CONTINUE` the client still waits for before it sends the body. */
  #owed: number;

  constructor(connection: Connection, parser: RequestParser, head: RequestHead) {
    this.#connection = connection;
    this.#parser = parser;
    this.#owed = head.expectContinue ? CONTINUE.length : 0;
  }

  /** A body's next bytes, the caller's own; null at its end. They come by the connection's own task. */
  read(): PromiseLike<Uint8Array<ArrayBuffer> | null> {
    if (this.#isOver) return Promise.reject(tooLate());
    if (this.#reading !== null) {
      return Promise.reject(new TypeError("the request's body is being read already"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer> | null>();
    this.#reading = { resolve, reject };
    this.#connection.wake();
    return promise;
  }

  /** Whether the handler waits for it. */
  get isAwaited(): boolean {
    return this.#reading !== null;
  }

  /** Whether the client may wait to be told that it may send it, in which nothing will come of the connection any more. */
  get isOwed(): boolean {
    return this.#owed > 0 && !this.#parser.hasBytes;
  }

  /** The connection's: gives the handler what is there. */
  serve(): void {
    const reading = this.#reading;
    if (reading === null || !this.#tellToContinue()) return;
    try {
      const bytes = this.#next();
      if (bytes === undefined) return;
      this.#reading = null;
      reading.resolve(bytes);
    } catch (error) {
      this.#reading = null;
      reading.reject(error);
    }
  }

  #next(): Uint8Array<ArrayBuffer> | null | undefined {
    for (;;) {
      const bytes = this.#parser.read();
      if (bytes !== undefined) {
        this.#connection.enter(HANDLER);
        return bytes === null ? null : new Uint8Array(bytes);
      }
      const more = this.#connection.receive();
      if (more === false) throw new TypeError("the client closed the connection inside a request's body");
      if (more === WouldBlock) {
        this.#connection.enter(BODY);
        return undefined;
      }
    }
  }

  /** Whether the client knows that it may send. */
  #tellToContinue(): boolean {
    if (this.#owed === 0 || this.#connection.isAnswering) return true;
    this.#owed -= this.#connection.interject(CONTINUE.subarray(CONTINUE.length - this.#owed));
    return this.#owed === 0;
  }

  /** The response is sent, or never will be: whoever reads is told. */
  end(): void {
    this.#isOver = true;
    this.#reading?.reject(tooLate());
    this.#reading = null;
  }

  /**
   * Reads over what was left of it. Whether the next request may follow: false where that is too much, is malformed, or
   * will not come unasked; `undefined` where more has to come first.
   */
  skip(): boolean | undefined {
    // It has not waited.
    if (this.#parser.hasBytes) this.#owed = 0;
    for (;;) {
      const bytes = this.#tryRead();
      if (bytes === null) return true;
      if (bytes === FAULTY) return false;
      if (bytes !== undefined) {
        this.#skipped += bytes.length;
        if (this.#skipped > SKIPPED_BYTES) return false;
        continue;
      }
      if (this.#owed > 0) return false;
      const more = this.#connection.receive();
      if (more === false) return false;
      if (more === WouldBlock) return undefined;
    }
  }

  /** Its request has an answer: a refusal would be the answer to one that nobody has sent. */
  #tryRead(): Uint8Array | null | undefined | typeof FAULTY {
    try {
      return this.#parser.read();
    } catch (error) {
      if (error instanceof HttpError) return FAULTY;
      throw error;
    }
  }
}

function tooLate(): TypeError {
  return new TypeError("cannot read the body: the request was answered");
}
