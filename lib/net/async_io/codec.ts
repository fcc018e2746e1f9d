import type { ByteQueue } from "./byte_queue.ts";

/** What a decoder gives where the bytes that are there hold no whole frame. */
export const Incomplete: unique symbol = Symbol("incomplete");
/** What a decoder gives where the bytes that are there hold no whole frame. */
export type Incomplete = typeof Incomplete;

/** Makes frames of bytes. One object for each stream: it may keep in mind how far it has looked. */
export interface Decoder<T> {
  /** Takes the next frame off the front, or leaves what is there and says `Incomplete`. Throws where it is none. */
  decode(bytes: ByteQueue): T | Incomplete;
  /**
   * `decode`, behind which no bytes come: called until it says `Incomplete`. Where there is none, what is left over is
   * an `UnfinishedFrameError`.
   */
  decodeEnd?(bytes: ByteQueue): T | Incomplete;
}

/** Makes bytes of frames. */
export interface Encoder<T> {
  /** Adds the frame's bytes. Where it throws, what it has added is taken back. */
  encode(frame: T, bytes: ByteQueue): void;
}
