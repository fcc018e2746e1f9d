import { type Context, Pending } from "../../task/future.ts";
import { Ended, Stream } from "../../task/stream.ts";
import type { Input } from "./input.ts";
import { untilByte } from "./reads.ts";

/** What lies between the bytes that are `byte`. */
export class Split extends Stream<Uint8Array> {
  #input: Input | null;
  #byte: number;
  #limit: number;
  #seen = 0;

  constructor(input: Input, byte: number, limit: number) {
    super();
    this.#input = input;
    this.#byte = byte;
    this.#limit = limit;
  }

  override pollNext(context: Context): Uint8Array | Pending | Ended {
    const input = this.#input;
    if (input === null) return Ended;
    input.requireFree(this);
    const { bytes } = input;
    let length: number | Pending;
    try {
      length = untilByte(context, input, this, this.#byte, this.#limit, this.#seen);
    } catch (error) {
      this.#input = null;
      throw error;
    }
    if (length === Pending) {
      this.#seen = bytes.length;
      return Pending;
    }
    this.#seen = 0;
    if (length === 0) {
      this.#input = null;
      return Ended;
    }
    const part = bytes.take(length);
    return part[length - 1] === this.#byte ? part.subarray(0, -1) : part;
  }

  override drop(): void {
    this.#input?.drop(this);
    this.#input = null;
  }
}
