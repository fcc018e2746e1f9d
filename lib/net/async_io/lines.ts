import { type Context, Pending } from "../../task/future.ts";
import { Ended, Stream } from "../../task/stream.ts";
import { InvalidTextError, LimitExceededError } from "./errors.ts";
import type { Input } from "./input.ts";
import { textOf } from "./text.ts";

const LF = 10;
const CR = "\r".charCodeAt(0);
const encoder = new TextEncoder();

/**
 * Lines, a block of them at a time: the bytes up to the last LF that is there are decoded at once and cut as text. They
 * stay in the input until all of them were given, so that it can be said how far a stream has come that is dropped.
 */
export class Lines extends Stream<string> {
  #input: Input | null;
  #limit: number;
  /** The lines of the block, and which of them is next. */
  #lines: readonly string[] = [];
  #next = 0;
  /** The bytes of the block. */
  #size = 0;
  /** How many bytes behind the block were looked at. */
  #seen = 0;
  /** What is wrong behind the block's last line. */
  #failure: Error | null = null;
  #isLast = false;

  constructor(input: Input, limit: number) {
    super();
    this.#input = input;
    this.#limit = limit;
  }

  override pollNext(context: Context): string | Pending | Ended {
    const input = this.#input;
    if (input === null) return Ended;
    while (this.#next === this.#lines.length) {
      const isThere = this.#poll(context, input);
      if (isThere === Pending) return Pending;
      if (!isThere) {
        this.#end(input);
        return Ended;
      }
    }
    const line = this.#lines[this.#next];
    const { length } = line;
    const isTooLong = length > this.#limit ||
      (3 * length > this.#limit && encoder.encode(line).byteLength > this.#limit);
    if (isTooLong) this.#fail(new LimitExceededError("a line", this.#limit));
    this.#next++;
    const hasReturn = length > 0 && line.charCodeAt(length - 1) === CR;
    return hasReturn && !(this.#isLast && this.#next === this.#lines.length) ? line.slice(0, -1) : line;
  }

  /** The next block. `false`: there is none. */
  #poll(context: Context, input: Input): boolean | Pending {
    if (this.#failure !== null) this.#fail(this.#failure);
    const { bytes } = input;
    input.hold(this);
    bytes.skip(this.#size);
    this.#size = this.#next = 0;
    this.#lines = [];
    for (;;) {
      const last = bytes.view(this.#seen).lastIndexOf(LF);
      if (last !== -1) {
        this.#cut(input, this.#seen + last + 1);
        return true;
      }
      this.#seen = bytes.length;
      if (this.#seen > this.#limit) this.#fail(new LimitExceededError("a line", this.#limit));
      let count: number | Pending;
      try {
        count = input.poll(context, this);
      } catch (error) {
        this.#end(input);
        throw error;
      }
      if (count === Pending) return Pending;
      if (count > 0) continue;
      if (bytes.length === 0) return false;
      this.#isLast = true;
      this.#cut(input, bytes.length);
      return true;
    }
  }

  /** Makes lines of the first `size` bytes. */
  #cut(input: Input, size: number): void {
    this.#size = size;
    this.#seen = 0;
    const block = input.bytes.view(0, size);
    try {
      this.#lines = textOf(this.#isLast ? block : block.subarray(0, -1), "a line").split("\n");
    } catch (error) {
      if (!(error instanceof InvalidTextError)) throw error;
      this.#lines = this.#valid(block);
    }
  }

  /** The lines before the first that is no UTF-8. */
  #valid(block: Uint8Array): string[] {
    const lines: string[] = [];
    try {
      for (let start = 0; start < block.length;) {
        const found = block.indexOf(LF, start);
        const end = found === -1 ? block.length : found;
        lines.push(textOf(block.subarray(start, end), "a line"));
        start = end + 1;
      }
    } catch (error) {
      if (!(error instanceof InvalidTextError)) throw error;
      this.#failure = error;
    }
    return lines;
  }

  #end(input: Input): void {
    this.#input = null;
    input.letGo(this);
  }

  #fail(error: Error): never {
    this.drop();
    throw error;
  }

  /** The input is left behind the last line that was given. */
  override drop(): void {
    const input = this.#input;
    if (input === null) return;
    this.#end(input);
    input.drop(this);
    const { bytes } = input;
    let given = this.#next === this.#lines.length && this.#failure === null ? this.#size : 0;
    if (given === 0) { for (let i = 0; i < this.#next; i++) given = bytes.indexOf(LF, given) + 1; }
    bytes.skip(given);
    this.#lines = [];
  }
}
