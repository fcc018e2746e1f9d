/** More bytes came in one piece than the reader was told to take: nothing of them was taken. */
export class LimitExceededError extends Error {
  override readonly name = "LimitExceededError";
  /** In bytes. */
  readonly limit: number;

  /** `what` says which piece is too long. */
  constructor(what: string, limit: number) {
    super(`${what} is longer than ${limit} bytes, the limit that was set`);
    this.limit = limit;
  }
}

/** The bytes have ended in the middle of what was to be read. */
export class UnexpectedEndError extends Error {
  override readonly name = "UnexpectedEndError";
  /** How many bytes there were. */
  readonly received: number;

  constructor(what: string, received: number) {
    super(`cannot read ${what}: the stream has ended behind ${received} bytes of it`);
    this.received = received;
  }
}

/** The bytes are no UTF-8. */
export class InvalidTextError extends Error {
  override readonly name = "InvalidTextError";

  constructor(what: string, cause: unknown) {
    super(`${what} is no UTF-8`, { cause });
  }
}

/** The head of a frame says what cannot be. */
export class InvalidFrameError extends Error {
  override readonly name = "InvalidFrameError";
}

/** A writer has taken none of the bytes, and would never end. */
export class WriteZeroError extends Error {
  override readonly name = "WriteZeroError";

  constructor() {
    super("cannot write: the writer takes none of the bytes");
  }
}
