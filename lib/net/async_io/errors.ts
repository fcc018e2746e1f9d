/** What is read has ended before as much was there as was asked for. */
export class UnexpectedEndError extends Error {
  override readonly name = "UnexpectedEndError";
  /** How many bytes were asked for. */
  readonly expected: number;
  /** How many there were. */
  readonly received: number;

  constructor(expected: number, received: number) {
    super(`cannot read ${expected} bytes: the end came after ${received}`);
    this.expected = expected;
    this.received = received;
  }
}

/** More bytes came in one piece than the reader was told to take: nothing of them was taken. */
export class LimitExceededError extends RangeError {
  override readonly name = "LimitExceededError";
  /** In bytes. */
  readonly limit: number;

  /** `what` says which piece is too long. */
  constructor(what: string, limit: number) {
    super(`${what} is longer than ${limit} bytes, the limit that was set`);
    this.limit = limit;
  }
}

/** The end came in the middle of a frame. */
export class UnfinishedFrameError extends Error {
  override readonly name = "UnfinishedFrameError";
  /** How many bytes of the frame there were. */
  readonly received: number;

  constructor(received: number) {
    super(`cannot read a frame: the end came after ${received} bytes of it`);
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
