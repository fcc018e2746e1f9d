import { check, errno, libc, NULL, SystemError, word } from "../../ffi/mod.ts";
import { AF_INET, AF_INET6, SocketAddress } from "../../ffi/layout/socket_address.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { requireNet } from "../../ffi/permissions.ts";
import { Fd, WouldBlock } from "./fd.ts";

export { WouldBlock };

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_REUSEPORT = 15;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_NOSIGNAL = 0x4000;
const EINTR = 4;
const EAGAIN = 11;
const EINPROGRESS = 115;

/** A numeric address and a port. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** How `Socket.listen` opens its port: listen(2), socket(7). */
export interface ListenOptions {
  /** Connections that wait to be accepted: 1,024 where nothing is said. */
  backlog?: number;
  /** Other sockets may listen on the same port beside this one. */
  reusePort?: boolean;
  /** Small writes on the connections leave at once: they inherit it, without a call for each. */
  noDelay?: boolean;
}

function checkedAddress(address: NetAddress, what: string): SocketAddress {
  const { hostname, port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`cannot ${what} ${hostname}: port is ${port}, not an integer from 0 to 65535`);
  }
  return SocketAddress.of(hostname, port);
}

function textOf({ hostname, port }: NetAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function open(family: number): Fd {
  return Fd.unsafeOwn(check(libc().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

/** A stream socket of TCP, non-blocking: socket(2), thin and synchronous. */
export class Socket implements Disposable {
  readonly fd: Fd;

  private constructor(fd: Fd) {
    this.fd = fd;
  }

  /** A socket that listens; port 0 has the kernel choose one. Throws a `SystemError` with `EADDRINUSE`. */
  static listen(address: NetAddress, options: ListenOptions = {}): Socket {
    const { backlog = 1024, reusePort = false, noDelay = false } = options;
    const raw = checkedAddress(address, "listen on");
    requireNet(address.hostname, address.port);
    const socket = new Socket(open(raw.family));
    try {
      socket.#setOption(SOL_SOCKET, SO_REUSEADDR, 1);
      if (reusePort) socket.#setOption(SOL_SOCKET, SO_REUSEPORT, 1);
      if (noDelay) socket.setNoDelay(true);
      const context = { path: textOf(address) };
      check(libc().bind(socket.fd.number, raw.bytes, raw.length[0]), "bind", context);
      check(libc().listen(socket.fd.number, backlog), "listen", context);
      return socket;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** A socket that connects: writable once it has, or has failed, which `takeError` tells. */
  static connect(address: NetAddress): Socket {
    const raw = checkedAddress(address, "connect to");
    requireNet(address.hostname, address.port);
    const socket = new Socket(open(raw.family));
    if (libc().connect(socket.fd.number, raw.bytes, raw.length[0]) === -1) {
      const failure = errno();
      if (failure !== EINPROGRESS && failure !== EINTR) {
        socket.fd.close();
        throw new SystemError(failure, "connect", { path: textOf(address) });
      }
    }
    return socket;
  }

  /** accept4(2). Throws a `SystemError`: `EMFILE` and `ENFILE` pass once descriptors are free again. */
  accept(): Socket | typeof WouldBlock {
    for (;;) {
      const number = libc().accept4(this.fd.number, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (number >= 0) return new Socket(Fd.unsafeOwn(number));
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "accept4");
    }
  }

  /** recv(2) into `length` bytes from `from`; 0 is the end of what the peer sends. */
  read(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    const pointer = NativeBuffer.range(buffer, from, length);
    const fd = this.fd.number;
    for (;;) {
      const count = libc().recv(fd, pointer, word(length), 0);
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "recv");
    }
  }

  /** send(2) of `length` bytes from `from`. A peer that has gone is `EPIPE`, and no signal. */
  write(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    const pointer = NativeBuffer.range(buffer, from, length);
    const fd = this.fd.number;
    for (;;) {
      const count = libc().send(fd, pointer, word(length), MSG_NOSIGNAL);
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "send");
    }
  }

  /** shutdown(2): ends reading, writing or both. */
  shutdown(how: "read" | "write" | "both"): void {
    check(libc().shutdown(this.fd.number, how === "read" ? 0 : how === "write" ? 1 : 2), "shutdown");
  }

  /** Whether small writes leave at once: TCP_NODELAY, tcp(7). */
  setNoDelay(on: boolean): void {
    this.#setOption(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  #setOption(level: number, name: number, value: number): void {
    check(libc().setsockopt(this.fd.number, level, name, Int32Array.of(value), 4), "setsockopt");
  }

  /** What went wrong since it was last asked (`SO_ERROR`), or `undefined`. */
  takeError(syscall: string, path?: string): SystemError | undefined {
    const value = new Int32Array(1);
    check(libc().getsockopt(this.fd.number, SOL_SOCKET, SO_ERROR, value, Uint32Array.of(4)), "getsockopt");
    return value[0] === 0 ? undefined : new SystemError(value[0], syscall, { path });
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
