import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { ucred } from "../../ffi/layout/linux.ts";
import { MOST_DESCRIPTORS, SocketMessage } from "../../ffi/layout/socket_message.ts";
import { byteLengthOf } from "../../ffi/native_buffer.ts";
import { socketMessages } from "../../ffi/socket_messages.ts";
import { requireBoolean, requireBytes, shown } from "./arguments.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";
import { fillScratch, readScratch, scratch, SCRATCH_BYTES } from "./scratch.ts";
import { shutdown } from "./socket_calls.ts";
import {
  type UnixAddress,
  unixBytes,
  unixCopyOf,
  type UnixName,
  unixNameOf,
  unixText,
} from "./unix_address.ts";

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_PASSCRED = 16;
const SO_PEERCRED = 17;
const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const EINTR = 4;
const EAGAIN = 11;
const LARGEST_BUFFER = 0x3fffffff;

/** A process, as the kernel knows it: nobody can lie about it who is not root. */
export interface UnixCredentials {
  /** 0 where it is of another namespace. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What came in one message. */
export interface UnixMessage {
  /** How many bytes were put into the caller's. */
  readonly length: number;
  /** Whether a datagram had more bytes, which are lost. */
  readonly truncated: boolean;
  /** Whose a datagram is. */
  readonly address: UnixName;
  /** The descriptors that came with it, for their owner to close. */
  readonly fds: readonly Fd[];
  /** Whether more descriptors came than were asked for, or than the process may have: the kernel has closed them. */
  readonly fdsTruncated: boolean;
  /** Who has sent it, where `setPassCredentials` asks for that. */
  readonly credentials?: UnixCredentials;
}

/** One serves all calls, which are over when they are back. */
let message: SocketMessage | undefined;

/** Throws for what are no descriptors that one message carries. */
export function requireFds(fds: readonly Fd[]): void {
  if (!Array.isArray(fds)) throw new TypeError(`cannot send descriptors: fds is ${shown(fds)}, and no list`);
  const wrong = fds.findIndex((fd) => !Fd.isFd(fd));
  if (wrong !== -1) throw new TypeError(`cannot send descriptors: fds[${wrong}] is no Fd`);
  if (fds.length > MOST_DESCRIPTORS) {
    throw new RangeError(
      `cannot send descriptors: there are ${fds.length}, and one message carries ${MOST_DESCRIPTORS}`,
    );
  }
}

/** Throws for what is no count of descriptors to be received. */
export function requireMost(most: number): void {
  if (!(Number.isInteger(most) && most >= 0 && most <= MOST_DESCRIPTORS)) {
    throw new RangeError(
      `cannot receive descriptors: most is ${shown(most)}, not an integer from 0 to ${MOST_DESCRIPTORS}`,
    );
  }
}

/** What sockets of this machine have in common: unix(7). */
export abstract class UnixEnd implements Disposable {
  readonly fd: Fd;
  /** Asked once. */
  #passesCredentials: boolean | undefined;

  constructor(fd: Fd) {
    this.fd = fd;
  }

  /**
   * sendmsg(2): bytes, and descriptors that the peer then has of its own. How many bytes were taken, the descriptors
   * with the first of them, or `WouldBlock`. A stream needs a byte to carry descriptors. A message nobody receives is
   * closed with its descriptors by the kernel.
   */
  sendMessage(bytes: Uint8Array, fds: readonly Fd[] = [], to?: UnixAddress): number {
    requireFds(fds);
    requireBytes("cannot send", "bytes", bytes);
    const what = "cannot send to";
    const receiver = to === undefined ? undefined : unixCopyOf(to, what);
    const name = receiver === undefined ? undefined : unixBytes(receiver, what);
    const head = message ??= new SocketMessage();
    const length = byteLengthOf(bytes);
    if (length <= SCRATCH_BYTES) {
      fillScratch(bytes);
      head.pointTo(scratch(), length);
    } else {
      head.pointToView(bytes);
    }
    head.prepare(name, fds.map(numberOf));
    const count = this.#call("sendmsg", head, MSG_NOSIGNAL, receiver);
    head.release();
    return count;
  }

  /**
   * recvmsg(2) into the bytes, with up to `most` descriptors. `fds` of the answer are the caller's to close. A plain
   * `read` closes what descriptors come with its bytes.
   */
  receiveMessage(into: Uint8Array, most = 0): UnixMessage | typeof WouldBlock {
    return this.#receive(into, most, 0);
  }

  /** As `receiveMessage`, and it is there still for the next one; of its descriptors it tells nothing. */
  peekMessage(into: Uint8Array): UnixMessage | typeof WouldBlock {
    return this.#receive(into, 0, MSG_PEEK);
  }

  #receive(into: Uint8Array, most: number, flags: number): UnixMessage | typeof WouldBlock {
    requireMost(most);
    requireBytes("cannot receive", "into", into);
    const passes = this.#passesCredentials ??= this.#get(SO_PASSCRED) !== 0;
    const head = message ??= new SocketMessage();
    const room = byteLengthOf(into);
    const isSmall = room <= SCRATCH_BYTES;
    if (isSmall) head.pointTo(scratch(), room);
    else head.pointToView(into);
    head.expect(most, passes);
    const count = this.#call("recvmsg", head, flags | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    head.release();
    if (count === WouldBlock) return WouldBlock;
    const fds = head.descriptors.map(Fd.unsafeOwn);
    const length = Math.min(count, room);
    if (isSmall) readScratch(into, length);
    const { credentials, isControlTruncated } = head;
    return {
      length,
      truncated: count > room,
      address: unixNameOf(head.name),
      fds,
      fdsTruncated: isControlTruncated && (flags & MSG_PEEK) === 0,
      ...(credentials === undefined ? {} : { credentials }),
    };
  }

  #call(name: "sendmsg" | "recvmsg", message: SocketMessage, flags: number, to?: UnixAddress): number {
    const number = numberOf(this.fd);
    for (;;) {
      const count = Number(socketMessages()[name](number, message.head, flags));
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure === EINTR) continue;
      message.release();
      throw new SystemError(failure, name, { path: to === undefined ? undefined : unixText(to) });
    }
  }

  /** shutdown(2): ends reading, writing or both. */
  shutdown(how: "read" | "write" | "both"): void {
    shutdown(this.fd, how);
  }

  /** Who is at the other end, as it was when it connected, listened or made the pair: SO_PEERCRED. */
  get peerCredentials(): UnixCredentials {
    const bytes = new Uint8Array(ucred.size);
    const length = Uint32Array.of(bytes.length);
    check(libc().getsockopt(numberOf(this.fd), SOL_SOCKET, SO_PEERCRED, bytes, length), "getsockopt");
    const { pid, uid, gid } = ucred.view(bytes);
    return { pid, uid, gid };
  }

  /**
   * Whether each message tells who has sent it: SO_PASSCRED. What was sent before tells nobody: uid 65534 and pid 0. A
   * socket that has no address gets an abstract one at its first message. Messages of different senders are read apart.
   */
  setPassCredentials(on: boolean): void {
    requireBoolean("cannot set whether credentials pass", on);
    this.#set(SO_PASSCRED, on ? 1 : 0);
    this.#passesCredentials = on;
  }

  /** Bytes that the kernel keeps to be sent, its own bookkeeping among them: SO_SNDBUF. A datagram is smaller. */
  get sendBufferSize(): number {
    return this.#get(SO_SNDBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.wmem_max`). */
  setSendBufferSize(bytes: number): void {
    if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= LARGEST_BUFFER)) {
      throw new RangeError(
        `cannot set a socket's buffer: bytes is ${shown(bytes)}, not an integer from 1 to ${LARGEST_BUFFER}`,
      );
    }
    this.#set(SO_SNDBUF, bytes);
  }

  /** SO_RCVBUF, which sockets of this machine have and do not heed: what is sent counts for its sender. */
  get receiveBufferSize(): number {
    return this.#get(SO_RCVBUF);
  }

  #set(name: number, value: number): void {
    check(
      libc().setsockopt(numberOf(this.fd), SOL_SOCKET, name, Int32Array.of(value), 4),
      "setsockopt",
    );
  }

  #get(name: number): number {
    const value = new Int32Array(1);
    check(libc().getsockopt(numberOf(this.fd), SOL_SOCKET, name, value, Uint32Array.of(4)), "getsockopt");
    return value[0];
  }

  /** Our end's address: neither path nor name where it was bound to none. */
  get localAddress(): UnixName {
    return this.#name("getsockname");
  }

  /** The peer's address. Throws a `SystemError`: `ENOTCONN`. */
  get remoteAddress(): UnixName {
    return this.#name("getpeername");
  }

  #name(syscall: "getsockname" | "getpeername"): UnixName {
    const bytes = new Uint8Array(112);
    const length = Uint32Array.of(bytes.length);
    check(libc()[syscall](numberOf(this.fd), bytes, length), syscall);
    return unixNameOf(bytes.subarray(0, length[0]));
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
