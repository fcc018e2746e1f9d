import { type Fd, WouldBlock } from "../../io/fd.ts";
import { sendFile } from "../../io/socket_calls.ts";
import { ioOf } from "../socket_stream.ts";
import type { TcpStream } from "../tcp_stream.ts";

/**
 * sendfile(2) of up to `length` bytes of the file from `offset`: how many were sent, or `WouldBlock`. Throws where
 * the file ends before, which a response that has named its length cannot mend.
 */
export function trySendFile(stream: TcpStream, file: Fd, offset: number, length: number): number {
  const count = sendFile(stream.fd, file, offset, length);
  if (count === 0) throw new Error(`a response's file ended ${length} bytes before its length`);
  if (count === WouldBlock) ioOf(stream).clearWritable();
  return count;
}
