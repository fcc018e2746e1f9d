import { errno, SystemError } from "../../../ffi/mod.ts";
import { sendfileCalls } from "../../../ffi/sendfile.ts";
import { type Fd, WouldBlock } from "../../io/fd.ts";
import { ioOf } from "../socket_stream.ts";
import type { TcpStream } from "../tcp_stream.ts";

const EINTR = 4;
const EAGAIN = 11;
/** One call's: the others have their turn in between. */
const PART_BYTES = 1 << 20;

const at = new BigInt64Array(1);

/**
 * sendfile(2) of up to `length` bytes of the file from `offset`: how many were sent, or `WouldBlock`. Throws where
 * the file ends before, which a response that has named its length cannot mend.
 */
export function trySendFile(stream: TcpStream, file: Fd, offset: number, length: number): number {
  const wanted = Math.min(length, PART_BYTES);
  for (;;) {
    at[0] = BigInt(offset);
    const count = Number(sendfileCalls().sendfile(stream.fd.number, file.number, at, wanted));
    if (count > 0) return count;
    if (count === 0) throw new Error(`a response's file ended ${length} bytes before its length`);
    const failure = errno();
    if (failure === EAGAIN) {
      ioOf(stream).clearWritable();
      return WouldBlock;
    }
    if (failure !== EINTR) throw new SystemError(failure, "sendfile");
  }
}
