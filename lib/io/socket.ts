import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { AF_INET6, SocketAddress } from "../../ffi/layout/socket_address.ts";
import type { NativeBuffer } from "../../ffi/native_buffer.ts";
import { refuseDeniedNet, requireNet } from "../../ffi/permissions.ts";
import { requireFlag, requireNames, shown } from "./arguments.ts";
import { Fd, WouldBlock } from "./fd.ts";
import { addressOf, copyOf, type NetAddress, textOf } from "./net_address.ts";
import { accept, acceptFrom, MSG_PEEK, receive, send, shutdown } from "./socket_calls.ts";
import { type KeepAlive, setOption, TcpOptions } from "./tcp_options.ts";
import { transferVectored } from "./vectored.ts";

export { type KeepAlive, type NetAddress, WouldBlock };

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const LISTEN_NAMES = ["backlog", "reusePort", "reuseAddress", "ipv6Only", "noDelay"];
const LARGEST_BACKLOG = 0x7fffffff;
const EINTR = 4;
const EINPROGRESS = 115;

/** How `Socket.listen` opens its port: listen(2), socket(7). */
export interface ListenOptions {
  /** Connections that wait to be accepted: 1,024 where nothing is said. */
  backlog?: number;
  /** Other sockets may listen on the same port beside this one. */
  reusePort?: boolean;
  /** A port whose last connections have not faded away can be listened on: so it is where nothing is said. */
  reuseAddress?: boolean;
  /** An IPv6 socket takes no IPv4 connections: what the system says (`net.ipv6.bindv6only`) where nothing is said. */
  ipv6Only?: boolean;
  /** Small writes on the connections leave at once: they inherit it, without a call for each. */
  noDelay?: boolean;
}

/** How `Socket.connect` opens its socket. */
export interface ConnectOptions {
  /** Where the connection comes from; port 0 has the kernel choose one. */
  localAddress?: NetAddress;
  /** Small writes leave at once. */
  noDelay?: boolean;
}

function open(family: number): Fd {
  return Fd.unsafeOwn(check(libc().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

/** `Socket.listen` at one of the addresses of a name, for which Deno was asked: for the inside of this package. */
export let listenResolved: (address: NetAddress, options: ListenOptions) => Socket;
/** `Socket.connect` to one of the addresses of a name, for which Deno was asked: for the inside of this package. */
export let connectResolved: (address: NetAddress, options: ConnectOptions) => Socket;
/** A connection that somebody else has accepted: for the inside of this package. */
export let socketOf: (fd: Fd) => Socket;

/** A stream socket of TCP, non-blocking: socket(2), thin and synchronous. */
export class Socket extends TcpOptions implements Disposable {
  static {
    listenResolved = (address, options) => Socket.#listen(address, options, refuseDeniedNet);
    connectResolved = (address, options) => Socket.#connect(address, options, refuseDeniedNet);
    socketOf = (fd) => new Socket(fd);
  }

  private constructor(fd: Fd) {
    super(fd);
  }

  /** A socket that listens; port 0 has the kernel choose one. Throws a `SystemError` with `EADDRINUSE`. */
  static listen(address: NetAddress, options: ListenOptions = {}): Socket {
    return Socket.#listen(address, options, requireNet);
  }

  static #listen(
    address: NetAddress,
    options: ListenOptions,
    ask: (hostname: string, port: number) => void,
  ): Socket {
    requireNames("cannot listen", "options are", options, LISTEN_NAMES);
    const { backlog = 1024, reusePort = false, reuseAddress = true, ipv6Only, noDelay = false } = options;
    if (!Number.isInteger(backlog) || backlog < 0 || backlog > LARGEST_BACKLOG) {
      throw new RangeError(
        `cannot listen: backlog is ${shown(backlog)}, not an integer from 0 to ${LARGEST_BACKLOG}`,
      );
    }
    requireFlag("cannot listen", "reusePort", reusePort);
    requireFlag("cannot listen", "reuseAddress", reuseAddress);
    requireFlag("cannot listen", "ipv6Only", ipv6Only);
    requireFlag("cannot listen", "noDelay", noDelay);
    const at = copyOf(address, "listen on");
    const raw = SocketAddress.of(at.hostname, at.port);
    ask(at.hostname, at.port);
    const socket = new Socket(open(raw.family));
    try {
      if (reuseAddress) setOption(socket.fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (ipv6Only !== undefined && raw.family === AF_INET6) {
        setOption(socket.fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
      }
      if (reusePort) setOption(socket.fd, SOL_SOCKET, SO_REUSEPORT, 1);
      if (noDelay) socket.setNoDelay(true);
      const context = { path: textOf(at) };
      check(libc().bind(socket.fd.number, raw.bytes, raw.length[0]), "bind", context);
      check(libc().listen(socket.fd.number, backlog), "listen", context);
      return socket;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** A socket that connects: writable once it has, or has failed, which `takeError` tells. */
  static connect(address: NetAddress, options: ConnectOptions = {}): Socket {
    return Socket.#connect(address, options, requireNet);
  }

  static #connect(
    address: NetAddress,
    options: ConnectOptions,
    ask: (hostname: string, port: number) => void,
  ): Socket {
    requireNames("cannot connect", "options are", options, ["localAddress", "noDelay"]);
    const { localAddress, noDelay = false } = options;
    requireFlag("cannot connect", "noDelay", noDelay);
    const to = copyOf(address, "connect to");
    const from = localAddress === undefined ? undefined : copyOf(localAddress, "connect from");
    const raw = SocketAddress.of(to.hostname, to.port);
    const local = from === undefined ? undefined : SocketAddress.of(from.hostname, from.port);
    ask(to.hostname, to.port);
    const socket = new Socket(open(raw.family));
    try {
      if (noDelay) socket.setNoDelay(true);
      if (from !== undefined && local !== undefined) {
        check(libc().bind(socket.fd.number, local.bytes, local.length[0]), "bind", { path: textOf(from) });
      }
      if (libc().connect(socket.fd.number, raw.bytes, raw.length[0]) === -1) {
        const failure = errno();
        if (failure !== EINPROGRESS && failure !== EINTR) {
          throw new SystemError(failure, "connect", { path: textOf(to) });
        }
      }
      return socket;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** accept4(2). Throws a `SystemError`: `EMFILE` and `ENFILE` pass once descriptors are free again. */
  accept(): Socket | typeof WouldBlock {
    const number = accept(this.fd);
    return number === WouldBlock ? WouldBlock : new Socket(Fd.unsafeOwn(number));
  }

  /** As `accept`, with the peer's address, for which the kernel is asked in the same call. */
  acceptFrom(): { socket: Socket; address: NetAddress } | typeof WouldBlock {
    const accepted = acceptFrom(this.fd);
    if (accepted === WouldBlock) return WouldBlock;
    return { socket: new Socket(Fd.unsafeOwn(accepted.number)), address: addressOf(accepted.address) };
  }

  /**
   * recv(2) into `length` bytes from `from`; 0 is the end of what the peer sends. Throws a `SystemError`: `ECONNRESET`.
   * For a `Uint8Array` there is `fd.read`.
   */
  read(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return receive(this.fd, buffer, from, length);
  }

  /** As `read`, and what was read is there still for the next one. */
  peek(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return receive(this.fd, buffer, from, length, MSG_PEEK);
  }

  /** send(2) of `length` bytes from `from`. A peer that has gone is `EPIPE`, and no signal. */
  write(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return send(this.fd, buffer, from, length);
  }

  /**
   * Fills the parts in their order, as one `read`: recvmsg(2). To ask for the address of each costs up to a microsecond:
   * small parts are copied together sooner. Throws a `RangeError` for more than 1,024 of them.
   */
  readVectored(parts: readonly Uint8Array[]): number {
    return transferVectored("recvmsg", this.fd.number, parts);
  }

  /** Sends the parts in their order, as one `write`: sendmsg(2). As much as the kernel takes, maybe the half of one. */
  writeVectored(parts: readonly Uint8Array[]): number {
    return transferVectored("sendmsg", this.fd.number, parts);
  }

  /** shutdown(2): ends reading, writing or both. */
  shutdown(how: "read" | "write" | "both"): void {
    shutdown(this.fd, how);
  }

  /** Our end's address. */
  get localAddress(): NetAddress {
    const raw = new SocketAddress();
    check(libc().getsockname(this.fd.number, raw.bytes, raw.length), "getsockname");
    return addressOf(raw);
  }

  /** The peer's address. */
  get remoteAddress(): NetAddress {
    const raw = new SocketAddress();
    check(libc().getpeername(this.fd.number, raw.bytes, raw.length), "getpeername");
    return addressOf(raw);
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
