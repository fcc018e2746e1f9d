/** What an {@linkcode HttpError} says beside its message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Header fields of the answer, such as those that a status asks for. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A request that is refused: `status` is what the client is answered, `message` what was wrong with it.
 * The connection closes after it, for where the next request would begin is no longer known.
 */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  /** What the answer says besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}
