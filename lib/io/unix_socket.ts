import { check, errno, libc, NULL, pointerTo, SystemError } from "../../ffi/mod.ts";
import { iovec, msghdr } from "../../ffi/layout/linux.ts";
import { requireRead, requireWrite } from "../../ffi/permissions.ts";
import { socketMessages } from "../../ffi/socket_messages.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const TYPE = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const EINTR = 4;
const EAGAIN = 11;

/** `struct cmsghdr` and one descriptor: with no room for a second one, the kernel takes none. */
const CONTROL = 20;
/** sun_path, with its NUL. */
const LONGEST_PATH = 107;

/** A path as `struct sockaddr_un`. */
function addressAt(path: string, what: string): Uint8Array<ArrayBuffer> {
  if (typeof path !== "string") throw new TypeError(`cannot ${what} ${String(path)}: path is no string`);
  const text = new TextEncoder().encode(path);
  if (text.length < 1 || text.length > LONGEST_PATH || text.includes(0)) {
    throw new RangeError(
      `cannot ${what} ${path}: path is no text of 1 to ${LONGEST_PATH} bytes without a NUL`,
    );
  }
  requireRead(path);
  requireWrite(path);
  const bytes = new Uint8Array(2 + text.length + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(text, 2);
  return bytes;
}

/** What is sent or received: one byte, and room for one descriptor. */
interface Message {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly control: DataView<ArrayBuffer>;
  /** What C follows addresses to. */
  readonly held: readonly Uint8Array<ArrayBuffer>[];
}

/** One serves all calls, which are over when they are back. */
let only: Message | undefined;

function newMessage(): Message {
  const [data, vector, control] = [1, iovec.size, CONTROL].map((size) => new Uint8Array(size));
  const vectorView = iovec.view(vector);
  vectorView.iov_base = pointerTo(data);
  vectorView.iov_len = 1;
  const head = new Uint8Array(msghdr.size);
  const view = msghdr.view(head);
  view.msg_iov = pointerTo(vector);
  view.msg_iovlen = 1;
  view.msg_control = pointerTo(control);
  return { head, control: new DataView(control.buffer), held: [data, vector, control] };
}

function message(): Message {
  only ??= newMessage();
  msghdr.view(only.head).msg_controllen = CONTROL;
  return only;
}

/**
 * A stream socket of this machine: unix(7), non-blocking. What it is here for is to pass descriptors to other
 * processes (SCM_RIGHTS), which then have the same open file: a map's memory, say.
 *
 * @example
 * ```ts
 * import { UnixSocket, WouldBlock } from "@oxbow/oxbow/io";
 * import { Mmap } from "@oxbow/oxbow/mmap";
 *
 * const [here, there] = UnixSocket.pair();
 * using map = Mmap.anonymous(4096);
 * using fd = map.dupFd();
 * here.sendFd(fd);
 *
 * const received = there.receiveFd();
 * if (received !== undefined && received !== WouldBlock) {
 *   using other = Mmap.fromFd(received, { mode: "r+" });
 *   other.bytes()[0] = 42;
 *   received.close();
 * }
 * console.log(map.bytes()[0]); // 42
 * for (const socket of [here, there]) socket[Symbol.dispose]();
 * ```
 */
export class UnixSocket implements Disposable {
  readonly fd: Fd;

  private constructor(fd: Fd) {
    this.fd = fd;
  }

  static #open(): UnixSocket {
    return new UnixSocket(Fd.unsafeOwn(check(libc().socket(AF_UNIX, TYPE, 0), "socket")));
  }

  /** A socket that listens at a path, which must not be there yet. Whoever may write to it may connect. */
  static listen(path: string, backlog = 128): UnixSocket {
    const address = addressAt(path, "listen at");
    const socket = UnixSocket.#open();
    try {
      check(libc().bind(socket.fd.number, address, address.length), "bind", { path });
      check(libc().listen(socket.fd.number, backlog), "listen", { path });
      return socket;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** A connection to who listens at a path. Throws a `SystemError`: `EAGAIN` where as many wait as may. */
  static connect(path: string): UnixSocket {
    const address = addressAt(path, "connect to");
    const socket = UnixSocket.#open();
    try {
      check(libc().connect(socket.fd.number, address, address.length), "connect", { path });
      return socket;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** Two ends of one connection: socketpair(2). */
  static pair(): [UnixSocket, UnixSocket] {
    const pair = new Int32Array(2);
    check(socketMessages().socketpair(AF_UNIX, TYPE, 0, new Uint8Array(pair.buffer)), "socketpair");
    return [new UnixSocket(Fd.unsafeOwn(pair[0])), new UnixSocket(Fd.unsafeOwn(pair[1]))];
  }

  /** accept4(2). */
  accept(): UnixSocket | typeof WouldBlock {
    for (;;) {
      const number = libc().accept4(this.fd.number, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (number >= 0) return new UnixSocket(Fd.unsafeOwn(number));
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "accept4");
    }
  }

  /** Passes a descriptor on, with a byte that carries it: the peer has one of its own then. */
  sendFd(fd: Fd): 1 | typeof WouldBlock {
    if (!Fd.isFd(fd)) throw new TypeError("cannot send a descriptor: fd is no Fd");
    const { head, control } = message();
    control.setBigUint64(0, BigInt(CONTROL), true);
    control.setInt32(8, SOL_SOCKET, true);
    control.setInt32(12, SCM_RIGHTS, true);
    control.setInt32(16, numberOf(fd), true);
    return this.#call("sendmsg", head, MSG_NOSIGNAL) === WouldBlock ? WouldBlock : 1;
  }

  /**
   * Takes a descriptor that the peer has sent, and `undefined` at the end of what it sends. Throws a `TypeError` for
   * a byte without one.
   */
  receiveFd(): Fd | undefined | typeof WouldBlock {
    const { head, control } = message();
    const count = this.#call("recvmsg", head, MSG_CMSG_CLOEXEC);
    if (count === WouldBlock) return WouldBlock;
    if (count === 0) return undefined;
    const isRights = msghdr.view(head).msg_controllen >= CONTROL &&
      control.getInt32(8, true) === SOL_SOCKET &&
      control.getInt32(12, true) === SCM_RIGHTS;
    if (!isRights) throw new TypeError("cannot receive a descriptor: the peer sent a byte without one");
    return Fd.unsafeOwn(control.getInt32(16, true));
  }

  #call(name: "sendmsg" | "recvmsg", head: Uint8Array<ArrayBuffer>, flags: number): number {
    const { number } = this.fd;
    for (;;) {
      const count = Number(socketMessages()[name](number, head, flags));
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, name);
    }
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
