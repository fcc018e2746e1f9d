import type { RequestHead } from "../parse/head.ts";
import { collect } from "../request.ts";
import type { RequestBody } from "../request_body.ts";
import { LeanError } from "./misuse.ts";

const utf8 = new TextDecoder();

/**
 * A request, read from its bytes as far as it is asked. It is its handler's until the response has ended: after that
 * each use throws a `LeanError`, so take out of it before what is needed later.
 */
export class LeanRequest {
  #head: RequestHead | null;
  readonly #body: RequestBody | null;
  #over: "end" | "disconnect" = "end";
  #controller: AbortController | null = null;

  /** The server's own. */
  constructor(head: RequestHead, body: RequestBody | null) {
    this.#head = head;
    this.#body = body;
  }

  /** The server's own: it is over. */
  static end(request: LeanRequest, after: "end" | "disconnect"): void {
    request.#head = null;
    request.#over = after;
  }

  /** The server's own: the client sends nothing more, has gone, or was refused. */
  static abort(request: LeanRequest, reason: unknown): void {
    request.#controller ??= new AbortController();
    request.#controller.abort(reason);
  }

  #open(): RequestHead {
    const head = this.#head;
    if (head === null) throw new LeanError(this.#over, "read a request");
    return head;
  }

  /** As the client spelt it. */
  get method(): string {
    return this.#open().method;
  }

  /** The request target as it came: `/path?query`, rarely a whole URL, or `*`. */
  get target(): string {
    return this.#open().target;
  }

  /** The target without its query, as it came: nothing is decoded. */
  get path(): string {
    const { target } = this.#open();
    const end = target.indexOf("?");
    return end === -1 ? target : target.slice(0, end);
  }

  /** What follows the first `?`, as it came, or an empty text. */
  get query(): string {
    const { target } = this.#open();
    const start = target.indexOf("?");
    return start === -1 ? "" : target.slice(start + 1);
  }

  /** The value of a header field, several joined by `", "`, or null. */
  header(name: string): string | null {
    return this.#open().get(name.toLowerCase());
  }

  /** All header fields, made at each call. */
  headers(): Headers {
    return this.#open().headers();
  }

  /** Aborted when the client sends nothing more, or goes, or is told that it took too long, before it was answered. */
  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  /** The body's next bytes, or null at its end. Rejects where the connection breaks off, or the limit is passed. */
  async read(): Promise<Uint8Array | null> {
    this.#open();
    return this.#body === null ? null : await this.#body.read();
  }

  /** The whole body, or what was not read of it. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const { contentLength } = this.#open();
    return this.#body === null ? new Uint8Array(0) : await collect(this.#body, contentLength);
  }

  /** The whole body as UTF-8. */
  async text(): Promise<string> {
    return utf8.decode(await this.bytes());
  }

  /** The whole body as JSON. */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}
