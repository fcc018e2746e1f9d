import { readFrom } from "../../../../ffi/file_calls.ts";
import { errno, SystemError } from "../../../../ffi/mod.ts";
import type { Fd } from "../../../io/fd.ts";
import type { ByteRange } from "./ranges.ts";

/** What a body is made of. */
export type Piece = Uint8Array<ArrayBuffer> | ByteRange;

/** What is read at once where the kernel cannot send it by itself. */
const PIECE_BYTES = 65536;
const EINTR = 4;

/**
 * Bytes and parts of a file one after another, each asked for when the one before was taken. `ended` is called once, when
 * the file is needed no more.
 */
export function streamOf(
  fd: Fd,
  pieces: readonly Piece[],
  ended: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const parts = piecesOf(fd, pieces);
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      try {
        const { done, value } = parts.next();
        if (!done) return controller.enqueue(value);
        controller.close();
        // Whoever reads into bytes of their own is told so.
        controller.byobRequest?.respond(0);
      } catch (error) {
        controller.error(error);
      }
      ended();
    },
    cancel: ended,
  });
}

function* piecesOf(fd: Fd, pieces: readonly Piece[]): Generator<Uint8Array<ArrayBuffer>, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      yield piece;
      continue;
    }
    for (let at = piece.start; at < piece.end;) {
      const bytes = readPart(fd, at, Math.min(PIECE_BYTES, piece.end - at));
      at += bytes.length;
      yield bytes;
    }
  }
}

function readPart(fd: Fd, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (;;) {
    const count = readFrom(fd.number, bytes, offset);
    if (count > 0) return bytes.subarray(0, count);
    if (count === 0) throw new Error(`a response's file ended at ${offset}, before its length`);
    const failure = errno();
    if (failure !== EINTR) throw new SystemError(failure, "pread");
  }
}
