import { requireBytes } from "../../io/arguments.ts";
import type { ByteQueue } from "./byte_queue.ts";
import { type Decoder, type Encoder, Incomplete } from "./codec.ts";

/** Frames that are what came in one read: for what is only passed on. */
export class BytesCodec implements Decoder<Uint8Array>, Encoder<Uint8Array> {
  decode(bytes: ByteQueue): Uint8Array | Incomplete {
    return bytes.length === 0 ? Incomplete : bytes.take(bytes.length);
  }

  encode(frame: Uint8Array, bytes: ByteQueue): void {
    requireBytes("cannot send", "frame", frame);
    bytes.push(frame);
  }
}
