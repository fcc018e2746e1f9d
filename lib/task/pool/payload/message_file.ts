/** Messages in files of their own: sealed, so that they are what was written, and gone with their reader's descriptor. */
import type { Fd } from "../../../io/fd.ts";
import { numberOf } from "../../../io/fd.ts";
import { createSealed } from "../../../mem/memfd.ts";
import { Mmap } from "../../../mem/mmap.ts";
import type { OutgoingBuffers } from "./buffers.ts";
import type { Memory } from "./decode.ts";
import type { Writer } from "./writer.ts";

/** A file of the message, by its descriptor's number, which the message owns. */
export function writeFile(out: Writer, buffers: OutgoingBuffers): number {
  const pieces = [out.bytes.subarray(out.start, out.at)];
  let end = 0;
  for (const [bytes, at] of buffers.pieces()) {
    if (at > end) pieces.push(new Uint8Array(at - end));
    pieces.push(bytes);
    end = at + bytes.length;
  }
  return numberOf(createSealed("oxbow-message", ...pieces));
}

/** The file as memory, until it is disposed. Closes the descriptor. */
export function mapMessage(fd: Fd): Memory & Disposable {
  using _fd = fd;
  const map = Mmap.fromFd(fd);
  const { buffer, byteOffset, byteLength } = map.dataView();
  return {
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
    [Symbol.dispose]: () => map[Symbol.dispose](),
  };
}
