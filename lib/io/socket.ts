import { check, errno, libc, SystemError } from "../../ffi/mod.ts";
import { AF_INET, AF_INET6, SocketAddress } from "../../ffi/layout/socket_address.ts";
import type { NativeBuffer } from "../../ffi/native_buffer.ts";
import { refuseDeniedNet, requireNet } from "../../ffi/permissions.ts";
import { requireBoolean, requireFlag, requireNames, shown } from "./arguments.ts";
import { Fd, WouldBlock } from "./fd.ts";
import { copyOf, type NetAddress, textOf } from "./net_address.ts";
import { accept, acceptFrom, MSG_PEEK, receive, send, shutdown } from "./socket_calls.ts";
import { transferVectored } from "./vectored.ts";

export { type NetAddress, WouldBlock };

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SO_REUSEPORT = 15;
const SO_DOMAIN = 39;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_USER_TIMEOUT = 18;
/** TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT, and what the kernel takes at most. */
const KEEP_ALIVE = [["idle", 4, 32767], ["interval", 5, 32767], ["count", 6, 127]] as const;
const LISTEN_NAMES = ["backlog", "reusePort", "reuseAddress", "ipv6Only", "noDelay"];
/** SO_SNDBUF and SO_RCVBUF are an int, and doubled. */
const LARGEST_BUFFER = 0x3fffffff;
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

/** When the kernel asks a silent peer whether it is there, in whole seconds: tcp(7). */
export interface KeepAlive {
  /** After how long a silence it asks. */
  readonly idle?: number;
  /** How long it waits before it asks again. */
  readonly interval?: number;
  /** How often it asks, before it takes the connection for broken. */
  readonly count?: number;
}

function requireInteger(what: string, name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${what}: ${name} is ${shown(value)}, not an integer from ${least} to ${most}`);
}

function open(family: number): Fd {
  return Fd.unsafeOwn(check(libc().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

/** `Socket.listen` at one of the addresses of a name, for which Deno was asked: for the inside of this package. */
export let listenResolved: (address: NetAddress, options: ListenOptions) => Socket;
/** `Socket.connect` to one of the addresses of a name, for which Deno was asked: for the inside of this package. */
export let connectResolved: (address: NetAddress, options: ConnectOptions) => Socket;

/** A stream socket of TCP, non-blocking: socket(2), thin and synchronous. */
export class Socket implements Disposable {
  readonly fd: Fd;

  static {
    listenResolved = (address, options) => Socket.#listen(address, options, refuseDeniedNet);
    connectResolved = (address, options) => Socket.#connect(address, options, refuseDeniedNet);
  }

  private constructor(fd: Fd) {
    this.fd = fd;
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
      if (reuseAddress) socket.#setOption(SOL_SOCKET, SO_REUSEADDR, 1);
      if (ipv6Only !== undefined && raw.family === AF_INET6) {
        socket.#setOption(IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
      }
      if (reusePort) socket.#setOption(SOL_SOCKET, SO_REUSEPORT, 1);
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

  /** Whether small writes leave at once: TCP_NODELAY, tcp(7). */
  setNoDelay(on: boolean): void {
    requireBoolean("cannot set whether small writes leave at once", on);
    this.#setOption(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  /** Whether small writes leave at once. */
  get isNoDelay(): boolean {
    return this.#option(IPPROTO_TCP, TCP_NODELAY) !== 0;
  }

  /** Whether the kernel asks a silent peer now and then whether it is there: SO_KEEPALIVE, tcp(7). */
  setKeepAlive(on: boolean | KeepAlive): void {
    const what = "cannot set a socket's keep-alive";
    if (typeof on !== "object") requireBoolean(what, on);
    else {
      requireNames(what, "on is", on, ["idle", "interval", "count"]);
      for (const [name, option, most] of KEEP_ALIVE) {
        const value = on[name];
        if (value === undefined) continue;
        requireInteger(what, name, value, 1, most);
        this.#setOption(IPPROTO_TCP, option, value);
      }
    }
    this.#setOption(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  }

  /** When the kernel asks a silent peer whether it is there, or `undefined` where it does not. */
  get keepAlive(): Required<KeepAlive> | undefined {
    if (this.#option(SOL_SOCKET, SO_KEEPALIVE) === 0) return undefined;
    const [idle, interval, count] = KEEP_ALIVE.map(([, option]) => this.#option(IPPROTO_TCP, option));
    return { idle, interval, count };
  }

  /** As `setLinger` was told: seconds, or `undefined`. */
  get linger(): number | undefined {
    const linger = new Int32Array(2);
    check(
      libc().getsockopt(this.fd.number, SOL_SOCKET, SO_LINGER, linger, Uint32Array.of(8)),
      "getsockopt",
    );
    return linger[0] === 0 ? undefined : linger[1];
  }

  /** How many routers what is sent passes at most: IP_TTL, ip(7). */
  get ttl(): number {
    return this.#isIpv6 ? this.#option(IPPROTO_IPV6, IPV6_UNICAST_HOPS) : this.#option(IPPROTO_IP, IP_TTL);
  }

  /** Throws a `RangeError` outside 1 to 255. */
  setTtl(hops: number): void {
    requireInteger("cannot set a socket's TTL", "hops", hops, 1, 255);
    if (this.#isIpv6) this.#setOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
    else this.#setOption(IPPROTO_IP, IP_TTL, hops);
  }

  /** The field of each packet by which routers may treat it: IP_TOS, or IPv6's traffic class. */
  get typeOfService(): number {
    return this.#isIpv6 ? this.#option(IPPROTO_IPV6, IPV6_TCLASS) : this.#option(IPPROTO_IP, IP_TOS);
  }

  /** Throws a `RangeError` outside 0 to 255. The lowest two bits are the kernel's own. */
  setTypeOfService(value: number): void {
    requireInteger("cannot set a socket's type of service", "value", value, 0, 255);
    if (this.#isIpv6) this.#setOption(IPPROTO_IPV6, IPV6_TCLASS, value);
    else this.#setOption(IPPROTO_IP, IP_TOS, value);
  }

  /** For how many milliseconds what was sent may go unacknowledged before the connection is broken; 0 is the system's. */
  get userTimeout(): number {
    return this.#option(IPPROTO_TCP, TCP_USER_TIMEOUT);
  }

  /** TCP_USER_TIMEOUT, tcp(7). Throws a `RangeError` for what is no count of milliseconds below 2 ** 31. */
  setUserTimeout(ms: number): void {
    requireInteger("cannot set a socket's user timeout", "ms", ms, 0, 0x7fffffff);
    this.#setOption(IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
  }

  get #isIpv6(): boolean {
    return this.#option(SOL_SOCKET, SO_DOMAIN) === AF_INET6;
  }

  /**
   * How many seconds the kernel tries to send, once the socket is closed, what it has not sent: SO_LINGER, socket(7). 0
   * throws it away and resets the connection, and `undefined` is the default: it tries, and nobody waits. Of a socket
   * that blocks, `close` waits as long.
   */
  setLinger(seconds: number | undefined): void {
    if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 0 && seconds <= 0xffff)) {
      throw new RangeError(
        `cannot set a socket's linger: seconds is ${shown(seconds)}, not an integer from 0 to 65535`,
      );
    }
    const linger = Int32Array.of(seconds === undefined ? 0 : 1, seconds ?? 0);
    check(libc().setsockopt(this.fd.number, SOL_SOCKET, SO_LINGER, linger, 8), "setsockopt");
  }

  /** Bytes that the kernel keeps to be sent, its own bookkeeping among them: SO_SNDBUF, socket(7). */
  get sendBufferSize(): number {
    return this.#option(SOL_SOCKET, SO_SNDBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.wmem_max`). */
  setSendBufferSize(bytes: number): void {
    this.#setBufferSize(SO_SNDBUF, bytes);
  }

  /** Bytes that the kernel keeps to be read, its own bookkeeping among them: SO_RCVBUF, socket(7). */
  get receiveBufferSize(): number {
    return this.#option(SOL_SOCKET, SO_RCVBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.rmem_max`). A listener's go to its connections. */
  setReceiveBufferSize(bytes: number): void {
    this.#setBufferSize(SO_RCVBUF, bytes);
  }

  #setBufferSize(name: number, bytes: number): void {
    if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= LARGEST_BUFFER)) {
      throw new RangeError(
        `cannot set a socket's buffer: bytes is ${shown(bytes)}, not an integer from 1 to ${LARGEST_BUFFER}`,
      );
    }
    this.#setOption(SOL_SOCKET, name, bytes);
  }

  #setOption(level: number, name: number, value: number): void {
    check(libc().setsockopt(this.fd.number, level, name, Int32Array.of(value), 4), "setsockopt");
  }

  #option(level: number, name: number): number {
    const value = new Int32Array(1);
    check(libc().getsockopt(this.fd.number, level, name, value, Uint32Array.of(4)), "getsockopt");
    return value[0];
  }

  /** What went wrong since it was last asked (`SO_ERROR`), or `undefined`. */
  takeError(syscall: string, path?: string): SystemError | undefined {
    const failure = this.#option(SOL_SOCKET, SO_ERROR);
    return failure === 0 ? undefined : new SystemError(failure, syscall, { path });
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

function addressOf(raw: SocketAddress): NetAddress {
  if (raw.family !== AF_INET && raw.family !== AF_INET6) {
    throw new TypeError(`cannot read a socket's address: its family is ${raw.family}, not IPv4 or IPv6`);
  }
  return { hostname: raw.hostname, port: raw.port };
}
