import { type Answers, WrongAnswer } from "./answers.ts";

/** `length` bytes in which a part that is lost, doubled or out of place shows. */
export function message(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i ^ (i >>> 8) * 167 ^ (i >>> 16) * 89);
}

/** The bytes that were sent, again and again. */
export class EchoAnswers implements Answers {
  readonly isLast = false;
  #message: Uint8Array;
  /** How many bytes of the message have come back. */
  #at = 0;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  take(bytes: Uint8Array, end: number): number {
    const message = this.#message;
    let at = this.#at;
    let ended = 0;
    for (let i = 0; i < end; i++) {
      if (bytes[i] !== message[at]) throw new WrongAnswer("another byte than was sent");
      if (++at < message.length) continue;
      at = 0;
      ended++;
    }
    this.#at = at;
    return ended;
  }

  end(): number {
    throw new WrongAnswer("the server ended the connection");
  }
}
