import type { RequestHead } from "../parse/head.ts";
import type { ResponseWriter } from "../response/response_writer.ts";
import { checkStatus, fieldLine, TEXT_LINE } from "./fields.ts";
import { LeanError } from "./misuse.ts";
import { Precomputed } from "./precomputed.ts";

const OPEN = 0;
const ENDED = 1;
const SENT = 2;
const GONE = 3;

/** Whom a response tells that it has ended. */
interface Listener {
  wake(): void;
}

/** A response that is ended once, at once or later. What is done to it after that throws a `LeanError`. */
export class LeanResponse {
  /** 200 where nothing is said; looked at when the response ends. */
  status = 200;
  readonly #listener: Listener;
  #state = OPEN;
  /** As it was at the end: what is said of it after that has not been looked at. */
  #endStatus = 200;
  #hasType = false;
  #lines = "";
  #body: string | Uint8Array | null = null;
  #precomputed: Precomputed | null = null;

  /** The server's own. */
  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Whether it was ended, or the client has gone. */
  get isEnded(): boolean {
    return this.#state !== OPEN;
  }

  /**
   * Adds a field, beside those of the same name. Throws a `TypeError` for what cannot be sent, and for what is the
   * server's own: `content-length`, `date`, `connection`, `transfer-encoding`.
   */
  header(name: string, value: string): this {
    this.#requireOpen("add a header field");
    const line = fieldLine(name, value);
    if (line.startsWith("content-type:")) this.#hasType = true;
    this.#lines += line;
    return this;
  }

  /**
   * Ends the response, with a body or none. A text has the type `text/plain` where no other was given. A `Uint8Array` is
   * not copied before it leaves: make one for each response, or leave it as it is.
   */
  end(body: string | Uint8Array | null = null): void {
    this.#requireOpen("end a response");
    checkStatus(this.status, body);
    if (body !== null && typeof body !== "string" && !(body instanceof Uint8Array)) {
      throw new TypeError("cannot end a response: body is no text, no Uint8Array and not null");
    }
    this.#endStatus = this.status;
    this.#body = body;
    this.#ended();
  }

  /** Ends the response with data as JSON, of that type. */
  json(data: unknown): void {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("cannot answer with JSON: the data is none");
    if (!this.#hasType) this.header("content-type", "application/json");
    this.end(text);
  }

  /** Ends the response with one that was made before. Throws a `TypeError` where it was given header fields. */
  send(precomputed: Precomputed): void {
    this.#requireOpen("send a response");
    if (!(precomputed instanceof Precomputed)) {
      throw new TypeError("cannot send a response: it is no Precomputed");
    }
    if (this.#lines !== "") {
      throw new TypeError("cannot send a precomputed response: header fields were added");
    }
    this.#precomputed = precomputed;
    this.#ended();
  }

  #ended(): void {
    this.#state = ENDED;
    this.#listener.wake();
  }

  #requireOpen(what: string): void {
    if (this.#state !== OPEN) throw new LeanError(this.#state === GONE ? "disconnect" : "end", what);
  }

  /** The server's own: writes what it was ended with. */
  static write(response: LeanResponse, writer: ResponseWriter, head: RequestHead, keepAlive: boolean): void {
    response.#state = SENT;
    const precomputed = response.#precomputed;
    if (precomputed === null) {
      const isText = typeof response.#body === "string" && !response.#hasType;
      const lines = isText ? response.#lines + TEXT_LINE : response.#lines;
      writer.writePlain(head, response.#endStatus, lines, response.#body, keepAlive);
    } else if (keepAlive && head.minor === 1 && head.method !== "HEAD") {
      writer.writeBytes(Precomputed.bytes(precomputed));
    } else {
      const { lines, body } = Precomputed.parts(precomputed);
      writer.writePlain(head, precomputed.status, lines, body, keepAlive);
    }
  }

  /** The server's own: nobody hears it any more. */
  static gone(response: LeanResponse): void {
    if (response.#state !== SENT) response.#state = GONE;
  }
}
