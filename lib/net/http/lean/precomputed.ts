import { DatedBytes } from "../response/dated_bytes.ts";
import { reasonPhrase } from "../response/status.ts";
import { checkStatus, fieldLine, TEXT_LINE } from "./fields.ts";

/** What a `Precomputed` is made with. */
export interface PrecomputedInit {
  /** 200 where nothing is said. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
}

/** A response whose bytes are there before it is asked for, but for its `Date`: made once, sent by a copy. */
export class Precomputed {
  readonly status: number;
  readonly #lines: string;
  readonly #body: Uint8Array;
  readonly #bytes: DatedBytes;

  /** A text has the type `text/plain` where the headers name none. Throws for what cannot be sent. */
  constructor(body: string | Uint8Array = "", { status = 200, headers = {} }: PrecomputedInit = {}) {
    checkStatus(status, body);
    let lines = "";
    let hasType = typeof body !== "string";
    for (const [name, value] of Object.entries(headers)) {
      const line = fieldLine(name, value);
      if (line.startsWith("content-type:")) hasType = true;
      lines += line;
    }
    if (!hasType) lines += TEXT_LINE;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body.slice();
    const length = status === 204 || status === 304 ? "" : `content-length: ${bytes.length}\r\n`;
    this.status = status;
    this.#lines = lines;
    this.#body = bytes;
    const text = Array.from(status === 304 ? [] : bytes, (byte) => String.fromCharCode(byte)).join("");
    this.#bytes = new DatedBytes(
      `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}date: `,
      `\r\n${length}\r\n${text}`,
    );
  }

  /** JSON, of that type. */
  static json(data: unknown, { status, headers }: PrecomputedInit = {}): Precomputed {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("cannot answer with JSON: the data is none");
    return new Precomputed(text, { status, headers: { "content-type": "application/json", ...headers } });
  }

  /** For a connection that stays open, to be copied at once. */
  static bytes(precomputed: Precomputed): Uint8Array<ArrayBuffer> {
    return precomputed.#bytes.take();
  }

  /** What it is made of, for other connections. */
  static parts(precomputed: Precomputed): { lines: string; body: Uint8Array } {
    return { lines: precomputed.#lines, body: precomputed.#body };
  }
}
