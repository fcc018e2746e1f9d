import type { Fields, Framing } from "./fields.ts";
import { urlOfTarget } from "./target.ts";

export type { Framing } from "./fields.ts";

/**
 * The head of one request. Nothing of it changes: requests of the same bytes may be one and the same head. Names and
 * values are cut out of its text when they are asked for.
 */
export class RequestHead {
  /** As the client spelt it: methods are case-sensitive. */
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  readonly #fields: Fields;

  /** `target` is one that `checkTarget` allows the method. */
  constructor(method: string, target: string, fields: Fields) {
    this.method = method;
    this.target = target;
    this.#fields = fields;
  }

  /** 0 for HTTP/1.0, else 1. */
  get minor(): 0 | 1 {
    return this.#fields.minor;
  }

  /** Whether the client would send another request on this connection. */
  get keepAlive(): boolean {
    return this.#fields.keepAlive;
  }

  /** Whether the client waits for `100 Continue` before it sends the body. */
  get expectContinue(): boolean {
    return this.#fields.expectContinue;
  }

  get framing(): Framing {
    return this.#fields.framing;
  }

  /** Bytes of the body; 0 unless `framing` is `"length"`. */
  get contentLength(): number {
    return this.#fields.contentLength;
  }

  /**
   * The URL that was asked for, as `new URL(…).href` spells it. `localOrigin` stands in where the client named
   * no host, as HTTP/1.0 may.
   */
  url(localOrigin: string): string {
    const { origin } = this.#fields;
    return urlOfTarget(this.target, origin === "" ? localOrigin : origin);
  }

  /** The value of the field `name` (in lower case), several joined by `", "`; null where there is none. */
  get(name: string): string | null {
    return this.#fields.get(name);
  }

  /** The fields as they came: a name as the client spelt it, its value, the next name, and so on. */
  rawFields(): string[] {
    return this.#fields.raw();
  }

  /** The fields as a new `Headers`. */
  headers(): Headers {
    return this.#fields.headers();
  }
}
