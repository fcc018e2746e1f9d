/**
 * A request that is refused: `status` is what the client is answered, `message` what was wrong with it.
 * The connection closes after it, for where the next request would begin is no longer known.
 */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
