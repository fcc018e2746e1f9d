import { shown } from "../../io/arguments.ts";
import { type Context, Pending } from "../../task/future.ts";
import { Ended, Stream } from "../../task/stream.ts";
import { requireReader } from "./arguments.ts";
import { type BufferOptions, capacityOf } from "./buf_reader.ts";
import { type Decoder, Incomplete } from "./codec.ts";
import { UnfinishedFrameError } from "./errors.ts";
import { Input } from "./input.ts";
import type { AsyncRead } from "./traits.ts";

/**
 * The frames of a reader, as a stream. `next()` is safe to drop: what has come of a frame stays. As a stream does, it ends
 * with the first error, of the reader or of the codec; and `resume` lets it go on.
 */
export class FramedRead<T> extends Stream<T> {
  /** May be changed between two frames: what is buffered goes to the new one. */
  decoder: Decoder<T>;
  #input: Input;
  #hasEnded = false;
  #isAtEnd = false;
  /** Whether what is buffered may hold a frame. */
  #mayDecode = false;

  constructor(reader: AsyncRead, decoder: Decoder<T>, options: BufferOptions = {}) {
    super();
    const what = "cannot read frames";
    requireReader(what, reader);
    if (typeof decoder !== "object" || decoder === null || typeof decoder.decode !== "function") {
      throw new TypeError(`${what}: the codec is ${shown(decoder)}, and has no decode()`);
    }
    this.decoder = decoder;
    this.#input = new Input(reader, capacityOf(what, options));
  }

  /** What was read and is no frame yet, as it lies there: until the next read. */
  get readBuffered(): Uint8Array {
    return this.#input.bytes.view();
  }

  override pollNext(context: Context): T | Pending | Ended {
    if (this.#hasEnded) return Ended;
    try {
      return this.#poll(context);
    } catch (error) {
      this.#hasEnded = true;
      throw error;
    }
  }

  #poll(context: Context): T | Pending | Ended {
    for (;;) {
      if (this.#mayDecode) {
        const frame = this.#decode();
        if (frame !== Incomplete) return frame;
        this.#mayDecode = false;
        if (this.#isAtEnd) {
          this.#hasEnded = true;
          return Ended;
        }
      }
      const count = this.#input.poll(context, this);
      if (count === Pending) return Pending;
      if (count === 0) this.#isAtEnd = true;
      this.#mayDecode = true;
    }
  }

  #decode(): T | Incomplete {
    const { decoder } = this;
    const { bytes } = this.#input;
    if (!this.#isAtEnd) return decoder.decode(bytes);
    if (decoder.decodeEnd !== undefined) return decoder.decodeEnd(bytes);
    const frame = decoder.decode(bytes);
    if (frame === Incomplete && bytes.length > 0) throw new UnfinishedFrameError(bytes.length);
    return frame;
  }

  /** Goes on behind an error or the end: with what is buffered, where the codec can, and with what is read then. */
  resume(): void {
    this.#hasEnded = false;
    this.#isAtEnd = false;
    this.#mayDecode = this.#input.bytes.length > 0;
  }

  override drop(): void {
    this.#hasEnded = true;
    this.#input.drop(this);
  }
}
