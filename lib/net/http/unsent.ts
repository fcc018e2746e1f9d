import type { NativeBuffer } from "../../../ffi/native_buffer.ts";
import { WouldBlock } from "../../io/fd.ts";
import type { TcpStream } from "../tcp_stream.ts";
import { BUFFER_BYTES } from "./buffers.ts";
import type { Output } from "./response/output.ts";

/** What of a connection's answers did not leave at once. There is none of it but for a client that is slow. */
export class Unsent {
  readonly #parts: Uint8Array[] = [];
  /** Bytes in `#parts`: fewer are there where one was detached. */
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Takes all of `output` but what was `sent`, which others then may use. */
  take(output: Output, sent: number): void {
    for (const part of [output.bytes.slice(sent, output.length), ...output.rest]) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.#length += part.length;
    }
    output.clear();
  }

  /** Sends some of it by way of `sending`: how many bytes, or `WouldBlock`. */
  sendTo(stream: TcpStream, sending: NativeBuffer): number {
    const parts = this.#parts;
    // What was detached has no bytes left.
    while (parts.length > 0 && parts[0].length === 0) parts.shift();
    const [part] = parts;
    if (part === undefined) throw new Error("a response's bytes were detached before they were sent");
    const length = Math.min(part.length, BUFFER_BYTES);
    sending.bytes.set(length < part.length ? part.subarray(0, length) : part);
    const count = stream.tryWrite(sending, 0, length);
    if (count === WouldBlock) return WouldBlock;
    this.#length -= count;
    if (count < part.length) parts[0] = part.subarray(count);
    else parts.shift();
    return count;
  }
}
