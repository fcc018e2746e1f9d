/**
 * Streams of bytes on the runtime of `/task`: buffers, lines, frames, copies and pipes in memory, over whatever can be
 * read and written.
 *
 * All of it stands on two interfaces, `AsyncRead` and `AsyncWrite`, which sockets, pipes, a child's stdio and `duplex`
 * implement, and of which anybody can write another one. What is read and not taken stays in its reader: a future that
 * is dropped, because it lost a `select` or its time was up, loses no byte unless its documentation says so. Work is
 * linear in the bytes however they are cut, and whatever grows with what a peer sends takes a limit.
 *
 * @example
 * ```ts
 * import { BufReader, duplex } from "@oxbow/oxbow/async_io";
 * import { run, spawn } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = duplex(8);
 *   spawn(async () => {
 *     await there.writeAll(new TextEncoder().encode("one\r\ntwo\nthree"));
 *     there.close();
 *   });
 *   for await (const line of new BufReader(here).lines({ limit: 1000 })) console.log(line); // one, two, three
 * });
 * ```
 *
 * Follows tokio's `io` and tokio-util's `codec`, splice(2), sendfile(2), copy_file_range(2).
 *
 * @module
 */
import "../task/mod.ts";

export type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
export { AnyDelimiterCodec } from "./async_io/any_delimiter_codec.ts";
export type { LimitOptions } from "./async_io/arguments.ts";
export { type BufferOptions, BufReader } from "./async_io/buf_reader.ts";
export { BufStream } from "./async_io/buf_stream.ts";
export { BufWriter } from "./async_io/buf_writer.ts";
export { ByteQueue } from "./async_io/byte_queue.ts";
export { BytesCodec } from "./async_io/bytes_codec.ts";
export { chain } from "./async_io/chain.ts";
export { type Decoder, type Encoder, Incomplete } from "./async_io/codec.ts";
export { empty, repeat, sink } from "./async_io/constant.ts";
export { copy, type CopyOptions } from "./async_io/copy.ts";
export { type Copied, copyBidirectional } from "./async_io/copy_bidirectional.ts";
export type { DescriptorStream } from "./async_io/descriptor.ts";
export { duplex, DuplexStream, simplex, SimplexReader, SimplexWriter } from "./async_io/duplex.ts";
export {
  InvalidFrameError,
  InvalidTextError,
  LimitExceededError,
  UnexpectedEndError,
  UnfinishedFrameError,
  WriteZeroError,
} from "./async_io/errors.ts";
export { Framed } from "./async_io/framed.ts";
export { FramedRead } from "./async_io/framed_read.ts";
export { FramedWrite, type FramedWriteOptions } from "./async_io/framed_write.ts";
export { LengthDelimitedCodec, type LengthDelimitedOptions } from "./async_io/length_delimited_codec.ts";
export { type DelimitedOptions, LinesCodec } from "./async_io/lines_codec.ts";
export type { BigIntFormat, NumberFormat } from "./async_io/number_format.ts";
export type { Flushable } from "./async_io/output.ts";
export { Take, take } from "./async_io/take.ts";
export { fromReadable, fromWritable, toReadable, toWritable } from "./async_io/web.ts";
