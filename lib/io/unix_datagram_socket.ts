import { check, libc } from "../../ffi/mod.ts";
import { requireAbstract } from "../../ffi/permissions.ts";
import { type Fd, numberOf } from "./fd.ts";
import { type UnixAddress, unixBytes, unixCopyOf, unixText } from "./unix_address.ts";
import { bindUnix, openUnix, pairOf, type UnixBindOptions } from "./unix_bind.ts";
import { UnixEnd } from "./unix_end.ts";

const SOCK_DGRAM = 2;

/**
 * A socket of datagrams on this machine: unix(7), non-blocking. They come whole, in their order, and none is lost: who
 * sends to a full one is told `WouldBlock`. `sendMessage` and `receiveMessage` carry them, with descriptors where wanted.
 *
 * @example
 * ```ts
 * import { UnixDatagramSocket, WouldBlock } from "@oxbow/oxbow/io";
 *
 * using server = UnixDatagramSocket.autobound();
 * using client = UnixDatagramSocket.unbound();
 * const { abstract = "" } = server.localAddress;
 * client.sendMessage(Uint8Array.of(1, 2, 3), [], { abstract });
 * const message = server.receiveMessage(new Uint8Array(2));
 * if (message !== WouldBlock) console.log(message.length, message.truncated); // 2 true
 * ```
 */
export class UnixDatagramSocket extends UnixEnd {
  private constructor(fd: Fd) {
    super(fd);
  }

  /** A socket that is found at the address. Throws a `SystemError`, as `UnixSocket.listen` does. */
  static override bind(address: UnixAddress, options: UnixBindOptions = {}): UnixDatagramSocket {
    const what = "cannot bind to";
    const at = unixCopyOf(address, what);
    const fd = openUnix(SOCK_DGRAM);
    try {
      bindUnix(fd, SOCK_DGRAM, at, options, what);
      return new UnixDatagramSocket(fd);
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** A socket that nobody can answer. */
  static unbound(): UnixDatagramSocket {
    return new UnixDatagramSocket(openUnix(SOCK_DGRAM));
  }

  /** A socket with an abstract name of the kernel's choice, for who wants to be answered. */
  static autobound(): UnixDatagramSocket {
    requireAbstract("");
    const fd = openUnix(SOCK_DGRAM);
    try {
      // AF_UNIX and no more.
      check(libc().bind(numberOf(fd), Uint8Array.of(1, 0), 2), "bind");
      return new UnixDatagramSocket(fd);
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** Two that are connected to each other: socketpair(2). */
  static pair(): [UnixDatagramSocket, UnixDatagramSocket] {
    const [one, other] = pairOf(SOCK_DGRAM);
    return [new UnixDatagramSocket(one), new UnixDatagramSocket(other)];
  }

  /** Says where messages go that name no receiver, and from where alone they come. Throws a `SystemError`: `ECONNREFUSED`. */
  connect(address: UnixAddress): void {
    const what = "cannot connect to";
    const to = unixCopyOf(address, what);
    const bytes = unixBytes(to, what);
    check(libc().connect(numberOf(this.fd), bytes, bytes.length), "connect", { path: unixText(to) });
  }
}
