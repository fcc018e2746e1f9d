import { requireNames, shown } from "../../io/arguments.ts";
import { requireLimit } from "./arguments.ts";
import type { ByteQueue } from "./byte_queue.ts";
import { type Decoder, type Encoder, Incomplete } from "./codec.ts";
import { DelimitedSearch } from "./delimited.ts";
import { textOf } from "./text.ts";

const LF = 10;
const CR = 13;

/** How long a frame may be that ends with a delimiter. */
export interface DelimitedOptions {
  /** In bytes, the delimiter not counted: any number where nothing is said. */
  maxLength?: number;
}

/** The limit that the options set. */
export function maxLengthOf(what: string, options: DelimitedOptions): number {
  requireNames(what, "options are", options, ["maxLength"]);
  const { maxLength = Infinity } = options;
  requireLimit(what, "maxLength", maxLength);
  return maxLength;
}

function indexOfEnd(bytes: ByteQueue, from: number): number {
  return bytes.indexOf(LF, from);
}

/**
 * Lines of UTF-8 that end with LF, or with CRLF, whose CR counts for the limit. The last one need not have an end. Fails
 * with a `LimitExceededError` for one that is too long, and having been resumed goes on behind it; so it does behind a
 * line that is no UTF-8.
 */
export class LinesCodec implements Decoder<string>, Encoder<string> {
  #search: DelimitedSearch;

  constructor(options: DelimitedOptions = {}) {
    this.#search = new DelimitedSearch(maxLengthOf("cannot decode lines", options), "a line", indexOfEnd);
  }

  decode(bytes: ByteQueue): string | Incomplete {
    const length = this.#search.next(bytes);
    return length === -1 ? Incomplete : this.#take(bytes, length, length + 1);
  }

  decodeEnd(bytes: ByteQueue): string | Incomplete {
    const line = this.decode(bytes);
    if (line !== Incomplete) return line;
    const { length } = bytes;
    if (length === 0 || (length === 1 && bytes.at(0) === CR)) return Incomplete;
    this.#search.reset();
    return this.#take(bytes, length, length);
  }

  #take(bytes: ByteQueue, length: number, taken: number): string {
    const hasReturn = length > 0 && bytes.at(length - 1) === CR;
    const line = bytes.view(0, hasReturn ? length - 1 : length);
    bytes.skip(taken);
    return textOf(line, "a line");
  }

  /** Throws a `TypeError` for what is no string. A line that holds an LF is read as two. */
  encode(line: string, bytes: ByteQueue): void {
    if (typeof line !== "string") {
      throw new TypeError(`cannot send a line: it is ${shown(line)}, and no string`);
    }
    bytes.pushText(line);
    bytes.pushByte(LF);
  }
}
