import { fieldLine } from "./lean/fields.ts";

/** What an {@linkcode HttpError} says beside its message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Header fields of the answer, such as those that a status asks for. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A request that is refused: `status` is what the client is answered, `message` what was wrong with it.
 * The connection closes after it, for where the next request would begin is no longer known.
 *
 * Throws a `RangeError` for a status that is no error's, and a `TypeError` for header fields that cannot be sent.
 */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** What the answer says besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, options);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(
        `cannot refuse a request: status is ${String(status)}, not an integer from 400 to 599`,
      );
    }
    this.status = status;
    this.headers = Object.freeze({ ...options.headers });
    for (const [name, value] of Object.entries(this.headers)) fieldLine(name, value);
  }
}

/** Why a request's signal is aborted: its client was told that it took too long, or has gone. */
export function abandoned(told: HttpError | undefined): DOMException {
  return told === undefined
    ? new DOMException("the client has gone", "AbortError")
    : new DOMException(told.message, "TimeoutError");
}
