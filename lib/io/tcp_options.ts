import { check, libc, SystemError } from "../../ffi/mod.ts";
import { AF_INET6 } from "../../ffi/layout/socket_address.ts";
import { requireBoolean, requireNames, shown } from "./arguments.ts";
import type { Fd } from "./fd.ts";

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SO_DOMAIN = 39;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_TCLASS = 67;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_USER_TIMEOUT = 18;
/** TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT, and what the kernel takes at most. */
const KEEP_ALIVE = [["idle", 4, 32767], ["interval", 5, 32767], ["count", 6, 127]] as const;
/** SO_SNDBUF and SO_RCVBUF are an int, and doubled. */
const LARGEST_BUFFER = 0x3fffffff;

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

/** setsockopt(2) of an int. */
export function setOption(fd: Fd, level: number, name: number, value: number): void {
  check(libc().setsockopt(fd.number, level, name, Int32Array.of(value), 4), "setsockopt");
}

function option(fd: Fd, level: number, name: number): number {
  const value = new Int32Array(1);
  check(libc().getsockopt(fd.number, level, name, value, Uint32Array.of(4)), "getsockopt");
  return value[0];
}

/** The options of a stream socket of TCP: socket(7), ip(7), ipv6(7), tcp(7). */
export class TcpOptions {
  readonly fd: Fd;

  protected constructor(fd: Fd) {
    this.fd = fd;
  }

  /** Whether small writes leave at once: TCP_NODELAY, tcp(7). */
  setNoDelay(on: boolean): void {
    requireBoolean("cannot set whether small writes leave at once", on);
    setOption(this.fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  /** Whether small writes leave at once. */
  get isNoDelay(): boolean {
    return option(this.fd, IPPROTO_TCP, TCP_NODELAY) !== 0;
  }

  /** Whether the kernel asks a silent peer now and then whether it is there: SO_KEEPALIVE, tcp(7). */
  setKeepAlive(on: boolean | KeepAlive): void {
    const what = "cannot set a socket's keep-alive";
    if (typeof on !== "object") requireBoolean(what, on);
    else {
      requireNames(what, "on is", on, ["idle", "interval", "count"]);
      for (const [name, number, most] of KEEP_ALIVE) {
        const value = on[name];
        if (value === undefined) continue;
        requireInteger(what, name, value, 1, most);
        setOption(this.fd, IPPROTO_TCP, number, value);
      }
    }
    setOption(this.fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  }

  /** When the kernel asks a silent peer whether it is there, or `undefined` where it does not. */
  get keepAlive(): Required<KeepAlive> | undefined {
    if (option(this.fd, SOL_SOCKET, SO_KEEPALIVE) === 0) return undefined;
    const [idle, interval, count] = KEEP_ALIVE.map(([, number]) => option(this.fd, IPPROTO_TCP, number));
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
    return this.#isIpv6
      ? option(this.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS)
      : option(this.fd, IPPROTO_IP, IP_TTL);
  }

  /** Throws a `RangeError` outside 1 to 255. */
  setTtl(hops: number): void {
    requireInteger("cannot set a socket's TTL", "hops", hops, 1, 255);
    if (this.#isIpv6) setOption(this.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
    else setOption(this.fd, IPPROTO_IP, IP_TTL, hops);
  }

  /** The field of each packet by which routers may treat it: IP_TOS, or IPv6's traffic class. */
  get typeOfService(): number {
    return this.#isIpv6 ? option(this.fd, IPPROTO_IPV6, IPV6_TCLASS) : option(this.fd, IPPROTO_IP, IP_TOS);
  }

  /** Throws a `RangeError` outside 0 to 255. The lowest two bits are the kernel's own. */
  setTypeOfService(value: number): void {
    requireInteger("cannot set a socket's type of service", "value", value, 0, 255);
    if (this.#isIpv6) setOption(this.fd, IPPROTO_IPV6, IPV6_TCLASS, value);
    else setOption(this.fd, IPPROTO_IP, IP_TOS, value);
  }

  /** For how many milliseconds what was sent may go unacknowledged before the connection is broken; 0 is the system's. */
  get userTimeout(): number {
    return option(this.fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
  }

  /** TCP_USER_TIMEOUT, tcp(7). Throws a `RangeError` for what is no count of milliseconds below 2 ** 31. */
  setUserTimeout(ms: number): void {
    requireInteger("cannot set a socket's user timeout", "ms", ms, 0, 0x7fffffff);
    setOption(this.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
  }

  get #isIpv6(): boolean {
    return option(this.fd, SOL_SOCKET, SO_DOMAIN) === AF_INET6;
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
    return option(this.fd, SOL_SOCKET, SO_SNDBUF);
  }

  /** The kernel doubles it, and keeps to its least and largest (`net.core.wmem_max`). */
  setSendBufferSize(bytes: number): void {
    this.#setBufferSize(SO_SNDBUF, bytes);
  }

  /** Bytes that the kernel keeps to be read, its own bookkeeping among them: SO_RCVBUF, socket(7). */
  get receiveBufferSize(): number {
    return option(this.fd, SOL_SOCKET, SO_RCVBUF);
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
    setOption(this.fd, SOL_SOCKET, name, bytes);
  }

  /** What went wrong since it was last asked (`SO_ERROR`), or `undefined`. */
  takeError(syscall: string, path?: string): SystemError | undefined {
    const failure = option(this.fd, SOL_SOCKET, SO_ERROR);
    return failure === 0 ? undefined : new SystemError(failure, syscall, { path });
  }
}
