import { requireBytes } from "../../io/arguments.ts";
import type { ByteQueue } from "./byte_queue.ts";
import { type Decoder, type Encoder, Incomplete } from "./codec.ts";
import { DelimitedSearch } from "./delimited.ts";
import { type DelimitedOptions, maxLengthOf } from "./lines_codec.ts";

/**
 * Frames that end with any of some bytes, and are written with a sequence of bytes behind each. The last frame need not
 * have an end. One that is too long fails with a `LimitExceededError`; having been resumed it goes on behind that.
 */
export class AnyDelimiterCodec implements Decoder<Uint8Array>, Encoder<Uint8Array> {
  #search: DelimitedSearch;
  #written: Uint8Array;

  /** A frame ends with any of the bytes of `delimiters`, and is written with all of `written` behind it. */
  constructor(delimiters: Uint8Array, written: Uint8Array, options: DelimitedOptions = {}) {
    const what = "cannot decode frames";
    requireBytes(what, "delimiters", delimiters);
    requireBytes(what, "written", written);
    if (delimiters.byteLength === 0) throw new RangeError(`${what}: there are no delimiters`);
    this.#search = new DelimitedSearch(maxLengthOf(what, options), "a frame", indexOfAny(delimiters));
    this.#written = written.slice();
  }

  decode(bytes: ByteQueue): Uint8Array | Incomplete {
    const length = this.#search.next(bytes);
    if (length === -1) return Incomplete;
    const frame = bytes.take(length);
    bytes.skip(1);
    return frame;
  }

  decodeEnd(bytes: ByteQueue): Uint8Array | Incomplete {
    const frame = this.decode(bytes);
    if (frame !== Incomplete || bytes.length === 0) return frame;
    this.#search.reset();
    return bytes.take(bytes.length);
  }

  encode(frame: Uint8Array, bytes: ByteQueue): void {
    requireBytes("cannot send", "frame", frame);
    bytes.push(frame);
    bytes.push(this.#written);
  }
}

function indexOfAny(delimiters: Uint8Array): (bytes: ByteQueue, from: number) => number {
  if (delimiters.byteLength === 1) {
    const [only] = delimiters;
    return (bytes, from) => bytes.indexOf(only, from);
  }
  const isDelimiter = new Uint8Array(256);
  for (const byte of delimiters) isDelimiter[byte] = 1;
  return (bytes, from) => {
    const view = bytes.view(from);
    for (let i = 0; i < view.length; i++) if (isDelimiter[view[i]] === 1) return from + i;
    return -1;
  };
}
