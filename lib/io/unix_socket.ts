import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { Fd, numberOf, WouldBlock } from "./fd.ts";
import { accept, acceptFrom } from "./socket_calls.ts";
import {
  type UnixAddress,
  unixBytes,
  unixCopyOf,
  type UnixName,
  unixNameOf,
  unixText,
} from "./unix_address.ts";
import { bindUnix, openUnix, pairOf, type UnixBindOptions } from "./unix_bind.ts";
import { UnixEnd } from "./unix_end.ts";

const SOCK_STREAM = 1;
/** What carries a descriptor that is sent alone. */
const CARRIER = new Uint8Array(1);

function addressOf(address: string | UnixAddress, what: string): UnixAddress {
  const isObject = typeof address === "object" && address !== null;
  return unixCopyOf(isObject ? address : { path: address }, what);
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
export class UnixSocket extends UnixEnd {
  private constructor(fd: Fd) {
    super(fd);
  }

  /**
   * A socket that listens at a path, which must not be there yet, or at an abstract name. Whoever may write to the path
   * may connect, and to a name whoever is on this machine. Throws a `SystemError`: `EADDRINUSE`, with what to do about
   * a file that nobody listens at.
   */
  static listen(address: string | UnixAddress, backlog = 128, options: UnixBindOptions = {}): UnixSocket {
    const what = "cannot listen at";
    const at = addressOf(address, what);
    const fd = openUnix(SOCK_STREAM);
    try {
      bindUnix(fd, SOCK_STREAM, at, options, what);
      check(libc().listen(numberOf(fd), backlog), "listen", { path: unixText(at) });
      return new UnixSocket(fd);
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** A connection to who listens there. Throws a `SystemError`: `EAGAIN` where as many wait as may. */
  static connect(address: string | UnixAddress): UnixSocket {
    const what = "cannot connect to";
    const to = addressOf(address, what);
    const bytes = unixBytes(to, what);
    const fd = openUnix(SOCK_STREAM);
    if (libc().connect(numberOf(fd), bytes, bytes.length) === -1) {
      const failure = errno();
      fd.close();
      throw new SystemError(failure, "connect", { path: unixText(to) });
    }
    return new UnixSocket(fd);
  }

  /** Two ends of one connection: socketpair(2). */
  static pair(): [UnixSocket, UnixSocket] {
    const [one, other] = pairOf(SOCK_STREAM);
    return [new UnixSocket(one), new UnixSocket(other)];
  }

  /** accept4(2). */
  accept(): UnixSocket | typeof WouldBlock {
    const number = accept(this.fd);
    return number === WouldBlock ? WouldBlock : new UnixSocket(Fd.unsafeOwn(number));
  }

  /** As `accept`, with the peer's address, for which the kernel is asked in the same call. */
  acceptFrom(): { socket: UnixSocket; address: UnixName } | typeof WouldBlock {
    const accepted = acceptFrom(this.fd);
    if (accepted === WouldBlock) return WouldBlock;
    const { number, address: { bytes, length } } = accepted;
    const address = unixNameOf(bytes.subarray(0, length[0]));
    return { socket: new UnixSocket(Fd.unsafeOwn(number)), address };
  }

  /** Passes a descriptor on, with a byte that carries it: the peer has one of its own then. */
  sendFd(fd: Fd): 1 | typeof WouldBlock {
    if (!Fd.isFd(fd)) throw new TypeError("cannot send a descriptor: fd is no Fd");
    return this.sendMessage(CARRIER, [fd]) === WouldBlock ? WouldBlock : 1;
  }

  /**
   * Takes a descriptor that the peer has sent, and `undefined` at the end of what it sends. Throws a `TypeError` for
   * a byte without one.
   */
  receiveFd(): Fd | undefined | typeof WouldBlock {
    const received = this.receiveMessage(new Uint8Array(1), 1);
    if (received === WouldBlock) return WouldBlock;
    const { length, fds } = received;
    if (length === 0) return undefined;
    if (fds.length === 0) {
      throw new TypeError("cannot receive a descriptor: the peer sent a byte without one");
    }
    return fds[0];
  }
}
