import { requireBytes } from "../../io/arguments.ts";
import { abortSignalOf } from "../abort_signal_of.ts";
import type { Future } from "../../task/future.ts";
import { Read, ReadBuffer } from "./reads.ts";
import type { StreamIo } from "./stream_io.ts";
import { Shutdown, WriteAll } from "./writes.ts";

/** What the stream reads, as the web has it: nothing is read before it is asked for, into the asker's bytes where it has some. */
export function readableOf(stream: StreamIo): ReadableStream<Uint8Array<ArrayBuffer>> {
  const cancelled = new AbortController();
  const until = <T>(future: Future<T>): Promise<T> => future.abortable(cancelled.signal).toPromise();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view;
      if (request && view) {
        const count = await until(
          new Read(stream, new Uint8Array(view.buffer, view.byteOffset, view.byteLength)),
        );
        if (count === 0) controller.close();
        request.respond(count);
        return;
      }
      using buffer = await until(new ReadBuffer(stream));
      if (buffer === null) controller.close();
      else controller.enqueue(buffer.bytes.slice());
    },
    cancel() {
      cancelled.abort();
      if (!stream.isClosed) new Shutdown(stream, "read").poll();
    },
  }, { highWaterMark: 0 });
}

/**
 * What the stream writes, as the web has it: a chunk is taken when the one before has left. Its end is the stream's
 * end; its abortion closes the connection, lest the peer take a part for the whole.
 */
export function writableOf(stream: StreamIo): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write(chunk, controller) {
      requireBytes("cannot write", "chunk", chunk);
      return new WriteAll(stream, chunk).abortable(abortSignalOf(controller)).toPromise();
    },
    close() {
      return new Shutdown(stream, "write").toPromise();
    },
    abort() {
      stream.close();
    },
  });
}
