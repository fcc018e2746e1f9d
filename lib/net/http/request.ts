import { forwardToReal } from "./response/forward.ts";
import type { RequestHead } from "./parse/head.ts";

/** Where a request's body comes from. */
export interface BodySource {
  /**
   * The next bytes, the caller's own from then on, or null at the end. Rejects where the connection broke off, and
   * where the body is refused.
   */
  read(): Uint8Array<ArrayBuffer> | null | PromiseLike<Uint8Array<ArrayBuffer> | null>;
}

const utf8 = new TextDecoder();

/**
 * A `Request` that costs next to nothing until it is looked at: the URL, the headers and the body are made when
 * they are asked for, and the host's own `Request`, which takes microseconds, only for `clone()` and for what
 * the host does with it (`fetch(request)`, `new Request(request)`). It passes for `instanceof Request`.
 */
export class LazyRequest implements Request {
  readonly #head: RequestHead;
  readonly #localOrigin: string;
  readonly #source: BodySource;
  readonly #hasBody: boolean;
  #url: string | undefined;
  #headers: Headers | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #isUsed = false;
  #controller: AbortController | undefined;
  #real: Request | undefined;
  #isAnswered = false;

  declare readonly textStream: () => ReadableStream<string>;

  /**
   * `localOrigin` (`http://127.0.0.1:8000`) stands in where the client named no host. A `GET` or a `HEAD` has no
   * body, as in the Fetch standard: what the client sent with one stays in `source`.
   */
  constructor(head: RequestHead, localOrigin: string, source: BodySource) {
    this.#head = head;
    this.#localOrigin = localOrigin;
    this.#source = source;
    this.#hasBody = head.framing !== "none" && head.method !== "GET" && head.method !== "HEAD";
  }

  /** Aborts the signal of `request`: the client has gone. */
  static abort(request: LazyRequest, reason?: unknown): void {
    request.#controller ??= new AbortController();
    request.#controller.abort(reason);
  }

  /** The header fields of `request`, without a `Headers` of those that nobody has asked for. */
  static fields(request: Request): Pick<Headers, "get"> {
    return request instanceof LazyRequest ? request.#headers ?? request.#head : request.headers;
  }

  /** `request` was answered, or refused, and its connection is still HTTP's. */
  static answered(request: LazyRequest): void {
    request.#isAnswered = true;
    if (request.#controller !== undefined) request.#endUpgrade(request.#controller);
  }

  /** The host's own `Request` in the place of `request`, whose body it takes over. */
  static materialize(request: LazyRequest): Request {
    return request.#real ??= request.#materialize();
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#url ??= this.#head.url(this.#localOrigin);
  }

  get headers(): Headers {
    return this.#headers ??= this.#head.headers();
  }

  /**
   * Aborted when the client goes, or is told that it took too long, before it was answered; and for a request to upgrade
   * also by an answer that does not, which whoever waits for the connection hears by that, from a copy of the request too.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAnswered) this.#endUpgrade(this.#controller);
    }
    return this.#controller.signal;
  }

  #endUpgrade(controller: AbortController): void {
    if (this.#head.get("upgrade") === null) return;
    controller.abort(new DOMException("the request was answered, and not by an upgrade", "AbortError"));
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#real !== undefined) return this.#real.body;
    if (!this.#hasBody) return null;
    return this.#stream ??= this.#isUsed ? readStream() : this.#openStream();
  }

  get bodyUsed(): boolean {
    return this.#real === undefined ? this.#isUsed : this.#real.bodyUsed;
  }

  async text(): Promise<string> {
    return utf8.decode(await this.#consume());
  }

  async json(): Promise<unknown> {
    return JSON.parse(utf8.decode(await this.#consume()));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#consume();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.#consume();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async blob(): Promise<Awaited<ReturnType<Request["blob"]>>> {
    return await this.#typed(await this.#consume()).blob();
  }

  async formData(): Promise<Awaited<ReturnType<Request["formData"]>>> {
    return await this.#typed(await this.#consume()).formData();
  }

  /** A `Request` of the host's own with the same body, which both then read. */
  clone(): ReturnType<Request["clone"]> {
    return LazyRequest.materialize(this).clone();
  }

  get cache(): Request["cache"] {
    return "default";
  }
  get credentials(): Request["credentials"] {
    return "same-origin";
  }
  get destination(): Request["destination"] {
    return "";
  }
  get duplex(): "half" {
    return "half";
  }
  get integrity(): string {
    return "";
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  get isReloadNavigation(): boolean {
    return false;
  }
  get keepalive(): boolean {
    return false;
  }
  get mode(): Request["mode"] {
    return "cors";
  }
  get redirect(): Request["redirect"] {
    return "follow";
  }
  get referrer(): string {
    return "about:client";
  }
  get referrerPolicy(): Request["referrerPolicy"] {
    return "";
  }

  #typed(bytes: Uint8Array<ArrayBuffer>): Response {
    const type = this.headers.get("content-type");
    return new Response(bytes, type === null ? {} : { headers: { "content-type": type } });
  }

  async #consume(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#real !== undefined) return new Uint8Array(await this.#real.arrayBuffer());
    if (!this.#hasBody) return new Uint8Array(0);
    if (this.#isUsed || this.#stream?.locked) throw new TypeError("the request's body was read already");
    if (this.#stream !== undefined) return new Uint8Array(await new Response(this.#stream).arrayBuffer());
    this.#isUsed = true;
    return await collect(this.#source, this.#head.contentLength);
  }

  #openStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        this.#isUsed = true;
        const bytes = await this.#source.read();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => {
        this.#isUsed = true;
      },
    }, { highWaterMark: 0 });
  }

  #materialize(): Request {
    const init: RequestInit & { duplex: "half" } = {
      method: this.method,
      headers: this.headers,
      signal: this.signal,
      body: this.#isUsed ? "" : this.body,
      duplex: "half",
    };
    const real = new Request(this.url, init);
    if (this.#isUsed) real.text();
    this.#headers = real.headers;
    return real;
  }
}

forwardToReal(
  LazyRequest.prototype,
  Request.prototype,
  new Request("http://localhost/"),
  LazyRequest.materialize,
);

/** Reads `source` to its end; what the client announced is believed up to 64 KiB. */
export async function collect(source: BodySource, announced: number): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(Math.min(announced, 65536));
  let length = 0;
  for (let part = await source.read(); part !== null; part = await source.read()) {
    if (length + part.length > bytes.length) {
      const wanted = Math.max(length + part.length, 2 * bytes.length);
      const larger = new Uint8Array(announced === 0 ? wanted : Math.min(wanted, announced));
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(part, length);
    length += part.length;
  }
  return bytes.subarray(0, length);
}

/** What `body` is after it was read: closed, and locked by its reader. */
function readStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => controller.close() });
  stream.getReader();
  return stream;
}
