/** Messages in files of their own: sealed, so that they are what was written, and gone with their reader's descriptor. */
import { libc } from "../../../../ffi/libc.ts";
import { createSealedFile } from "../../../mem/memory_file.ts";
import { PlainMap } from "../../../mem/plain_map.ts";
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
  return createSealedFile("oxbow-message", ...pieces);
}

/** The file as memory, until it is disposed, and the descriptor closed. */
export function mapMessage(descriptor: number, byteLength: number): Memory & Disposable {
  const map = PlainMap.read({ descriptor, byteLength });
  const { bytes } = map;
  return {
    bytes,
    view: new DataView(bytes.buffer, 0, byteLength),
    [Symbol.dispose]: () => map[Symbol.dispose](),
  };
}

/** Gives up a file that nobody reads. */
export function closeMessage(descriptor: number): void {
  libc().close(descriptor);
}
