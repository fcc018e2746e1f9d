import type { Framing, HeadFields } from "./head_fields.ts";
import { urlOfTarget } from "./target.ts";

/** The head of one request. Nothing of it changes, and nothing of it lies in the bytes that it was read from. */
export class RequestHead {
  /** As the client spelt it: methods are case-sensitive. */
  declare readonly method: string;
  /** The request target as it came. */
  declare readonly target: string;
  /** What its fields are, and say. */
  declare readonly fields: HeadFields;

  /** `target` is one that `method` may have. */
  constructor(method: string, target: string, fields: HeadFields) {
    this.method = method;
    this.target = target;
    this.fields = fields;
  }

  /** 0 for HTTP/1.0, else 1. */
  get minor(): number {
    return this.fields.minor;
  }

  /** The origin that the `Host` field names; empty where it names none. */
  get origin(): string {
    return this.fields.origin;
  }

  /** Whether the client would send another request on this connection. */
  get keepAlive(): boolean {
    return this.fields.keepAlive;
  }

  /** Bytes of the body; 0 unless `framing` is `"length"`. */
  get contentLength(): number {
    return this.fields.contentLength;
  }

  get framing(): Framing {
    return this.fields.framing;
  }

  /** Whether the client waits for `100 Continue` before it sends the body. */
  get expectContinue(): boolean {
    return this.fields.expectContinue;
  }

  /**
   * The URL that was asked for, as `new URL(…).href` spells it. `localOrigin` stands in where the client named
   * no host, as HTTP/1.0 may.
   */
  url(localOrigin: string): string {
    return urlOfTarget(this.target, this.origin === "" ? localOrigin : this.origin);
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    return this.fields.get(name);
  }

  /** The fields as they came: a name as the client spelt it, its value, the next name, and so on. */
  rawFields(): readonly string[] {
    return this.fields.read();
  }

  /** The fields as a new `Headers`. */
  headers(): Headers {
    const headers = new Headers();
    const fields = this.fields.read();
    for (let i = 0; i < fields.length; i += 2) headers.append(fields[i], fields[i + 1]);
    return headers;
  }
}
