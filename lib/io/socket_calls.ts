import { check, errno, libc, NULL, type Pointer, pointerTo, SystemError, word } from "../../ffi/mod.ts";
import { SocketAddress } from "../../ffi/layout/socket_address.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { sendfileCalls } from "../../ffi/sendfile.ts";
import { shown } from "./arguments.ts";
import { type Fd, numberOf, WouldBlock } from "./fd.ts";

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const EINTR = 4;
const EAGAIN = 11;

/** What was read is there still for the next one. */
export const MSG_PEEK = 2;

/** recv(2) into `length` bytes of the buffer from `from`: a count of bytes, 0 at the end, or `WouldBlock`. */
export function receive(fd: Fd, buffer: NativeBuffer, from: number, length: number, flags = 0): number {
  const pointer = NativeBuffer.range(buffer, from, length);
  const { number } = fd;
  for (;;) {
    const count = libc().recv(number, pointer, word(length), flags);
    if (count >= 0) return count;
    const failure = errno();
    if (failure === EAGAIN) return WouldBlock;
    if (failure !== EINTR) throw new SystemError(failure, "recv");
  }
}

/** send(2) of `length` bytes of the buffer from `from`: a count of bytes, or `WouldBlock`. `EPIPE` comes with no signal. */
export function send(fd: Fd, buffer: NativeBuffer, from: number, length: number): number {
  const pointer = NativeBuffer.range(buffer, from, length);
  const { number } = fd;
  for (;;) {
    const count = libc().send(number, pointer, word(length), MSG_NOSIGNAL);
    if (count >= 0) return count;
    const failure = errno();
    if (failure === EAGAIN) return WouldBlock;
    if (failure !== EINTR) throw new SystemError(failure, "send");
  }
}

/** One call's: the others have their turn in between. */
const FILE_PART_BYTES = 1 << 20;
/** Where sendfile(2) begins: one serves all calls. */
const fileAt: BigInt64Array<ArrayBuffer> = new BigInt64Array(1);

/**
 * sendfile(2) of the first of `length` bytes of the file from `offset`, 1 MiB at most: a count of bytes, 0 where the file
 * ends there, or `WouldBlock`.
 */
export function sendFile(fd: Fd, file: Fd, offset: number, length: number): number {
  const [socket, source] = [numberOf(fd), numberOf(file)];
  const most = length < FILE_PART_BYTES ? length : FILE_PART_BYTES;
  for (;;) {
    fileAt[0] = BigInt(offset);
    const count = Number(sendfileCalls().sendfile(socket, source, fileAt, most));
    if (count >= 0) return count;
    const failure = errno();
    if (failure === EAGAIN) return WouldBlock;
    if (failure !== EINTR) throw new SystemError(failure, "sendfile");
  }
}

/** shutdown(2). */
export function shutdown(fd: Fd, how: "read" | "write" | "both"): void {
  const number = ["read", "write", "both"].indexOf(how);
  if (number === -1) {
    throw new TypeError(`cannot shut a socket down: how is ${shown(how)}, none of read, write and both`);
  }
  check(libc().shutdown(fd.number, number), "shutdown");
}

/** Where accept4(2) writes who has connected: one serves all calls, and its addresses are asked for once. */
interface Peer {
  readonly address: SocketAddress;
  readonly at: Pointer;
  readonly lengthAt: Pointer;
}

let peer: Peer | undefined;

function newPeer(): Peer {
  const address = new SocketAddress();
  return { address, at: pointerTo(address.bytes), lengthAt: pointerTo(address.length) };
}

/** accept4(2): a descriptor, or `WouldBlock`. */
export function accept(fd: Fd): number {
  return acceptInto(fd, NULL, NULL);
}

/** As `accept`, with who has connected: the address is overwritten by the next call. */
export function acceptFrom(fd: Fd): { number: number; address: SocketAddress } | typeof WouldBlock {
  const { address, at, lengthAt } = peer ??= newPeer();
  address.length[0] = address.bytes.byteLength;
  const number = acceptInto(fd, at, lengthAt);
  return number === WouldBlock ? WouldBlock : { number, address };
}

function acceptInto(fd: Fd, at: Pointer, lengthAt: Pointer): number {
  for (;;) {
    const number = libc().accept4(fd.number, at, lengthAt, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (number >= 0) return number;
    const failure = errno();
    if (failure === EAGAIN) return WouldBlock;
    if (failure !== EINTR) throw new SystemError(failure, "accept4");
  }
}
