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
