import { errno, SystemError } from "../../ffi/mod.ts";
import { IoVectors } from "../../ffi/io_vectors.ts";
import { socketMessages } from "../../ffi/socket_messages.ts";
import { shown } from "./arguments.ts";
import { WouldBlock } from "./fd.ts";

const MSG_NOSIGNAL = 0x4000;
const EINTR = 4;
const EAGAIN = 11;

/** One serves all calls, which are over when they are back. */
let vectors: IoVectors | undefined;

/** One sendmsg(2) or recvmsg(2) of all parts in their order: a count of bytes, or `WouldBlock`. */
export function transferVectored(
  name: "sendmsg" | "recvmsg",
  fd: number,
  parts: readonly Uint8Array[],
): number {
  vectors ??= new IoVectors();
  const what = `cannot ${name === "sendmsg" ? "write" : "read"} parts`;
  if (!Array.isArray(parts)) throw new TypeError(`${what}: parts is ${shown(parts)}, and no list`);
  if (parts.length > vectors.capacity) {
    throw new RangeError(`${what}: there are ${parts.length}, and one call takes ${vectors.capacity}`);
  }
  // A copy: nobody changes it any more.
  const own: readonly unknown[] = [...parts];
  if (!own.every((part) => part instanceof Uint8Array)) {
    throw new TypeError(
      `${what}: part ${own.findIndex((part) => !(part instanceof Uint8Array))} is no Uint8Array`,
    );
  }
  vectors.pointTo(own);
  try {
    for (;;) {
      const count = Number(socketMessages()[name](fd, vectors.head, MSG_NOSIGNAL));
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, name);
    }
  } finally {
    vectors.pointTo([]);
  }
}
