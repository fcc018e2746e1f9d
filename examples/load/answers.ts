/** What one connection is answered, taken as it comes. Another is made for each connection. */
export interface Answers {
  /** Takes the first `end` bytes, and returns how many answers they end. Throws a `WrongAnswer`. */
  take(bytes: Uint8Array, end: number): number;
  /** The server has ended the connection. Returns how many answers that ends. Throws a `WrongAnswer`. */
  end(): number;
  /** Whether the server has said that it answers nothing more here. */
  readonly isLast: boolean;
}

/** An answer is not what was asked for; the message is counted by. */
export class WrongAnswer extends Error {
  override name = "WrongAnswer";
}
