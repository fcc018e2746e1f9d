import { requireBytes, requireFlag, requireNames, shown } from "../../io/arguments.ts";
import { requireCount } from "./arguments.ts";
import type { ByteQueue } from "./byte_queue.ts";
import { type Decoder, type Encoder, Incomplete } from "./codec.ts";
import { InvalidFrameError, LimitExceededError, UnfinishedFrameError } from "./errors.ts";

/** Where the length lies, and what it counts. */
export interface LengthDelimitedOptions {
  /** Bytes of the length: 1 to 8, and 4 where nothing is said. */
  lengthFieldLength?: number;
  /** Whether its high byte comes first: yes, where nothing is said. */
  bigEndian?: boolean;
  /** Bytes of the head before the length: none where nothing is said. */
  offset?: number;
  /** What is added to the length to know how many bytes come behind it, such as -4 where it counts itself. */
  adjustment?: number;
  /** Bytes of the head that are no part of the frame: all up to the length's end where nothing is said. */
  numSkip?: number;
  /** Longer frames are refused: 8 MiB where nothing is said. Never more than the length can say. */
  maxFrameLength?: number;
}

const NAMES: readonly string[] = [
  "lengthFieldLength",
  "bigEndian",
  "offset",
  "adjustment",
  "numSkip",
  "maxFrameLength",
] satisfies (keyof LengthDelimitedOptions)[];
const MAX_FRAME_LENGTH = 8 << 20;

/**
 * Frames behind their length. A length that is more than `maxFrameLength` fails with a `LimitExceededError` before any of
 * the frame is waited for, and one that the adjustment makes negative with an `InvalidFrameError`; nothing is taken then,
 * and there is no way to go on. What a peer says of a length reserves no memory.
 *
 * What is sent has a head of the length alone.
 */
export class LengthDelimitedCodec implements Decoder<Uint8Array>, Encoder<Uint8Array> {
  readonly #fieldLength: number;
  readonly #isBigEndian: boolean;
  readonly #offset: number;
  readonly #adjustment: number;
  readonly #skip: number;
  #limit: number;
  /** What is left of a frame whose head was taken, or -1. */
  #length = -1;

  constructor(options: LengthDelimitedOptions = {}) {
    const what = "cannot delimit by length";
    requireNames(what, "options are", options, NAMES);
    const {
      lengthFieldLength = 4,
      bigEndian = true,
      offset = 0,
      adjustment = 0,
      numSkip = offset + lengthFieldLength,
      maxFrameLength = MAX_FRAME_LENGTH,
    } = options;
    requireCount(what, "lengthFieldLength", lengthFieldLength, 1);
    if (lengthFieldLength > 8) {
      throw new RangeError(`${what}: lengthFieldLength is ${lengthFieldLength}, not an integer from 1 to 8`);
    }
    requireFlag(what, "bigEndian", bigEndian);
    requireCount(what, "offset", offset);
    if (!Number.isSafeInteger(adjustment)) {
      throw new RangeError(`${what}: adjustment is ${shown(adjustment)}, not an integer`);
    }
    requireCount(what, "numSkip", numSkip);
    this.#fieldLength = lengthFieldLength;
    this.#isBigEndian = bigEndian;
    this.#offset = offset;
    this.#adjustment = adjustment;
    this.#skip = numSkip;
    this.#limit = this.#clipped(maxFrameLength);
  }

  /** The longest frame, in bytes. A frame whose head was read is not subject to a change. */
  get maxFrameLength(): number {
    return this.#limit;
  }

  setMaxFrameLength(bytes: number): void {
    this.#limit = this.#clipped(bytes);
  }

  #clipped(bytes: number): number {
    requireCount("cannot delimit by length", "maxFrameLength", bytes);
    const largest = 2 ** (8 * this.#fieldLength) - 1 + this.#adjustment;
    return Math.max(0, Math.min(bytes, largest));
  }

  decode(bytes: ByteQueue): Uint8Array | Incomplete {
    if (this.#length === -1) {
      const head = Math.max(this.#offset + this.#fieldLength, this.#skip);
      if (bytes.length < head) return Incomplete;
      const length = this.#frameLength(bytes);
      bytes.skip(this.#skip);
      this.#length = length;
    }
    if (bytes.length < this.#length) return Incomplete;
    const frame = bytes.take(this.#length);
    this.#length = -1;
    return frame;
  }

  decodeEnd(bytes: ByteQueue): Uint8Array | Incomplete {
    const frame = this.decode(bytes);
    if (frame === Incomplete && (bytes.length > 0 || this.#length !== -1)) {
      throw new UnfinishedFrameError(bytes.length);
    }
    return frame;
  }

  #frameLength(bytes: ByteQueue): number {
    const field = bytes.view(this.#offset, this.#offset + this.#fieldLength);
    let said = 0;
    // Beyond 2^53 it is not exact, and far above any limit.
    for (let i = 0; i < field.length; i++) {
      said = said * 256 + field[this.#isBigEndian ? i : field.length - 1 - i];
    }
    const length = said + this.#adjustment;
    if (length < 0) {
      throw new InvalidFrameError(
        `a frame's length is ${said}, which with an adjustment of ${this.#adjustment} is less than none`,
      );
    }
    if (length > this.#limit) throw new LimitExceededError("a frame", this.#limit);
    return length;
  }

  encode(frame: Uint8Array, bytes: ByteQueue): void {
    requireBytes("cannot send", "frame", frame);
    const { byteLength } = frame;
    if (byteLength > this.#limit) throw new LimitExceededError("a frame", this.#limit);
    const said = byteLength - this.#adjustment;
    if (said < 0) {
      throw new InvalidFrameError(
        `a frame of ${byteLength} bytes has no length with an adjustment of ${this.#adjustment}`,
      );
    }
    const size = this.#fieldLength;
    const field = bytes.room(size + byteLength);
    let rest = said;
    for (let i = 0; i < size; i++) {
      field[this.#isBigEndian ? size - 1 - i : i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    bytes.added(size);
    bytes.push(frame);
  }
}
