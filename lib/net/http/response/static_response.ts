import { forwardToReal } from "./forward.ts";
import { reasonPhrase } from "./status.ts";

/** The host's own, whatever the global is made to be. */
const HostResponse = Response;
/** What a field value may hold, without white space at its ends (RFC 9110, section 5.5). */
const PLAIN_VALUE = /^[!-~\x80-\xff]+(?:[\t -~\x80-\xff]*[!-~\x80-\xff])?$/;
/** What a field name may hold, in lower case and not. */
const PLAIN_NAME = /^[\w!#$%&'*+\-.^`|~]+$/;
/** Fields that the server must look at: with one of these the headers are made at once. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
]);

const TEXT_TYPE = "text/plain;charset=UTF-8";
const TEXT_TYPE_LINE = `content-type: ${TEXT_TYPE}\r\n`;
const JSON_TYPE: Record<string, string> = { "content-type": "application/json" };

/** What a {@linkcode StaticResponse} is made with, as a `Response` is. */
export interface StaticResponseInit {
  status?: number;
  statusText?: string;
  headers?: ConstructorParameters<typeof Headers>[0];
}

/** Header fields of many answers, which change no more and are looked at once: for the inside of this package. */
export class CheckedFields implements StaticResponseInit {
  readonly headers: Readonly<Record<string, string>>;
  /** Beside a body that is no text. `undefined` where a `Headers` must judge. */
  readonly #lines: string | undefined;

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = headers;
    this.#lines = fieldLines(headers, false);
  }

  static lines(checked: CheckedFields): string | undefined {
    return checked.#lines;
  }
}

/**
 * A `Response` with a body that is there as a whole, for answers counted in microseconds: the host's own takes 2
 * to 4 of them on Bun and Node until its body is on the wire, this one half of one. It passes for
 * `instanceof Response`; the host's is made in its place when something is asked of it that a server does not
 * need. A `Uint8Array` is not copied: leave it as it is.
 */
export class StaticResponse implements Response {
  readonly #body: string | Uint8Array<ArrayBuffer> | null;
  readonly #init: StaticResponseInit;
  readonly #status: number;
  readonly #statusText: string;
  #lines: string | undefined;
  #headers: Headers | undefined;
  #real: Response | undefined;

  declare readonly body: Response["body"];
  declare readonly bodyUsed: boolean;
  declare readonly arrayBuffer: Response["arrayBuffer"];
  declare readonly blob: Response["blob"];
  declare readonly bytes: Response["bytes"];
  declare readonly formData: Response["formData"];
  declare readonly json: Response["json"];
  declare readonly text: Response["text"];
  declare readonly textStream: () => ReadableStream<string>;
  declare readonly clone: Response["clone"];

  /** Takes what `new Response(body, init)` does, and throws as that does. */
  constructor(body: string | Uint8Array<ArrayBuffer> | null = null, init: StaticResponseInit = {}) {
    const status = init.status ?? 200;
    if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
      throw new RangeError(`a response cannot have the status ${status}`);
    }
    if (body !== null && (status === 204 || status === 205 || status === 304)) {
      throw new TypeError(`a response of status ${status} ${reasonPhrase(status)} has no body`);
    }
    this.#body = body;
    this.#init = init;
    this.#status = status;
    this.#statusText = init.statusText ?? "";
    const isText = typeof body === "string";
    this.#lines = init instanceof CheckedFields && !isText
      ? CheckedFields.lines(init)
      : fieldLines(init.headers, isText);
    if (this.#lines === undefined) this.#headers = this.#makeHeaders();
  }

  /** `data` as JSON, as `Response.json` gives it. */
  static json(data: unknown, init: StaticResponseInit = {}): StaticResponse {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("the data of StaticResponse.json is no JSON");
    if (init.headers === undefined) return new StaticResponse(text, { ...init, headers: JSON_TYPE });
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new StaticResponse(text, { ...init, headers });
  }

  /** The body, or the host's response where one was made in the place of this. */
  static source(response: StaticResponse): string | Uint8Array | null | Response {
    return response.#real ?? response.#body;
  }

  /** The header fields as lines that can be sent, or `undefined` where `headers` was made and may have changed. */
  static lines(response: StaticResponse): string | undefined {
    return response.#lines;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status <= 299;
  }

  get headers(): Headers {
    this.#lines = undefined;
    return this.#headers ??= this.#makeHeaders();
  }

  get redirected(): boolean {
    return false;
  }

  get type(): Response["type"] {
    return "default";
  }

  get url(): string {
    return "";
  }

  #makeHeaders(): Headers {
    const headers = new Headers(this.#init.headers);
    if (typeof this.#body === "string" && !headers.has("content-type")) {
      headers.set("content-type", TEXT_TYPE);
    }
    return headers;
  }

  static {
    forwardToReal(
      StaticResponse.prototype,
      Response.prototype,
      new Response(),
      (self) => self.#real ??= new HostResponse(self.#body, { ...self.#init, headers: self.headers }),
    );
  }
}

/** The lines of plain fields, checked; `undefined` where a `Headers` must judge. */
function fieldLines(init: StaticResponseInit["headers"], isText: boolean): string | undefined {
  if (init === undefined) return isText ? TEXT_TYPE_LINE : "";
  if (Symbol.iterator in init) return undefined;
  let lines = "";
  let hasType = false;
  for (const [name, value] of Object.entries(init)) {
    const lower = name.toLowerCase();
    if (OWN_FIELDS.has(lower) || !PLAIN_NAME.test(name)) return undefined;
    if (typeof value !== "string" || !PLAIN_VALUE.test(value)) return undefined;
    if (lower === "content-type") hasType = true;
    lines += `${lower}: ${value}\r\n`;
  }
  return isText && !hasType ? lines + TEXT_TYPE_LINE : lines;
}
