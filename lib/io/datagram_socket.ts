import { check, errno, libc, NULL, type Pointer, SystemError, word } from "../../ffi/mod.ts";
import { datagrams } from "../../ffi/datagrams.ts";
import { NetAddresses } from "../../ffi/layout/net_addresses.ts";
import { SocketAddress } from "../../ffi/layout/socket_address.ts";
import { byteLengthOf, NativeBuffer } from "../../ffi/native_buffer.ts";
import { isSandboxed, refuseDeniedNet, requireNet } from "../../ffi/permissions.ts";
import { requireBytes } from "./arguments.ts";
import { type DatagramBatch, messagesOf } from "./datagram_batch.ts";
import { bindDatagram, type DatagramOptions } from "./datagram_bind.ts";
import { type Fd, numberOf, WouldBlock } from "./fd.ts";
import { IpOptions } from "./ip_options.ts";
import { type NetAddress, requireObject, textOf } from "./net_address.ts";
import { fillScratch, readScratch, scratch, SCRATCH_BYTES } from "./scratch.ts";

const MSG_PEEK = 2;
/** What is told is the datagram's length, and not how much of it there was room for. */
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const EINTR = 4;
const EAGAIN = 11;
const EMSGSIZE = 90;
const SENDER = 0;
const RECEIVER = 1;

/** Throws where an address is none that the socket can send to; for the inside of this package. */
export let requireReceiver: (socket: DatagramSocket, address: NetAddress) => NetAddress;

/** `DatagramSocket.bind` at one of the addresses of a name, for which Deno was asked; for the inside of this package. */
export let bindResolved: (address: NetAddress, options: DatagramOptions) => DatagramSocket;

/**
 * A socket of UDP, non-blocking: socket(2), udp(7), thin and synchronous. Addresses are numeric; a link-local one has
 * `%` and its interface behind it, by name or number, and is told with the number.
 *
 * @example
 * ```ts
 * import { DatagramSocket } from "@oxbow/oxbow/io";
 *
 * using server = DatagramSocket.bind({ hostname: "127.0.0.1", port: 0 });
 * using client = DatagramSocket.bind({ hostname: "127.0.0.1", port: 0 });
 * client.sendTo(Uint8Array.of(1, 2, 3), server.localAddress);
 * const into = new Uint8Array(1500);
 * console.log(server.recv(into), server.sender.port === client.localAddress.port); // 3 true
 * ```
 */
export class DatagramSocket extends IpOptions implements Disposable {
  /** Of the sender and of the receiver, which nobody else has: they stay where they are. */
  readonly #addresses: NetAddresses = new NetAddresses(2);
  readonly #senderAt: Pointer = this.#addresses.pointer(SENDER);
  readonly #senderLengthAt: Pointer = this.#addresses.lengthPointer(SENDER);
  readonly #receiverAt: Pointer = this.#addresses.pointer(RECEIVER);

  static {
    requireReceiver = (socket, address) => {
      const { hostname, port } = requireObject(address);
      socket.#addresses.set(RECEIVER, hostname, port);
      return { hostname, port };
    };
    bindResolved = (address, options) => DatagramSocket.#bind(address, options, refuseDeniedNet);
  }

  private constructor(fd: Fd, family: number) {
    super(fd, family);
  }

  /** A socket with a port of its own; port 0 has the kernel choose one. Throws a `SystemError` with `EADDRINUSE`. */
  static override bind(address: NetAddress, options: DatagramOptions = {}): DatagramSocket {
    return DatagramSocket.#bind(address, options, requireNet);
  }

  static #bind(address: NetAddress, options: DatagramOptions, ask: typeof refuseDeniedNet): DatagramSocket {
    const { fd, family } = bindDatagram(address, options, ask);
    return new DatagramSocket(fd, family);
  }

  /**
   * Says to whom `send` sends, and from whom alone datagrams come: connect(2), which sends nothing itself. Only
   * then is a port where nobody is told of, as `ECONNREFUSED` at a later call.
   */
  connect(address: NetAddress): void {
    const { hostname, port } = requireObject(address);
    const addresses = new NetAddresses(1);
    addresses.set(0, hostname, port);
    requireNet(hostname, port);
    check(libc().connect(numberOf(this.fd), addresses.bytes(0), addresses.length(0)), "connect", {
      path: textOf({ hostname, port }),
    });
  }

  /** Takes `connect` back. A port that the kernel chose goes with it, and it chooses another one at the next `sendTo`. */
  disconnect(): void {
    // AF_UNSPEC.
    check(libc().connect(numberOf(this.fd), new Uint8Array(16), 16), "connect");
  }

  /**
   * Sends one datagram to whom the socket is connected: how many bytes it has, or `WouldBlock`. Throws a
   * `SystemError`: `EMSGSIZE` where they are too many, `EDESTADDRREQ` where it is not connected, `ECONNREFUSED` where
   * nobody was there before.
   */
  send(bytes: Uint8Array): number {
    return this.#send(bytes, false);
  }

  /** As `send`, to an address. Many calls to the same one cost its text once. */
  sendTo(bytes: Uint8Array, address: NetAddress): number {
    const { hostname, port } = requireObject(address);
    this.#addresses.set(RECEIVER, hostname, port);
    if (isSandboxed()) requireNet(hostname, port);
    return this.#send(bytes, true);
  }

  #send(bytes: Uint8Array, hasReceiver: boolean): number {
    requireBytes("cannot send", "bytes", bytes);
    const fd = numberOf(this.fd);
    const length = byteLengthOf(bytes);
    // More than any datagram has.
    if (length > SCRATCH_BYTES) throw this.#sendError(EMSGSIZE, hasReceiver);
    const buffer = scratch();
    fillScratch(bytes);
    const to = hasReceiver ? this.#receiverAt : NULL;
    const toLength = hasReceiver ? this.#addresses.length(RECEIVER) : 0;
    const from = NativeBuffer.range(buffer, 0, length);
    for (;;) {
      const count = datagrams().sendto(fd, from, word(length), MSG_NOSIGNAL, to, toLength);
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw this.#sendError(failure, hasReceiver);
    }
  }

  #sendError(failure: number, hasReceiver: boolean): SystemError {
    const path = hasReceiver ? textOf(this.#addresses.get(RECEIVER)) : undefined;
    return new SystemError(failure, "sendto", { path });
  }

  /**
   * Receives one datagram: how many bytes it has, which is more than `into` has where the rest of it is lost, or
   * `WouldBlock`. `sender` tells whose it is. Throws a `SystemError`: `ECONNREFUSED` where the peer of a connected
   * socket was not there for what was sent to it.
   */
  recv(into: Uint8Array): number {
    return this.#receive(into, MSG_TRUNC);
  }

  /** As `recv`, and the datagram is there still for the next one. */
  peek(into: Uint8Array): number {
    return this.#receive(into, MSG_TRUNC | MSG_PEEK);
  }

  #receive(into: Uint8Array, flags: number): number {
    requireBytes("cannot receive", "into", into);
    const fd = numberOf(this.fd);
    const room = Math.min(byteLengthOf(into), SCRATCH_BYTES);
    const buffer = scratch();
    const start = NativeBuffer.range(buffer, 0, room);
    this.#addresses.expect(SENDER);
    for (;;) {
      const count = datagrams().recvfrom(fd, start, word(room), flags, this.#senderAt, this.#senderLengthAt);
      if (count >= 0) {
        readScratch(into, Math.min(count, room));
        return count;
      }
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "recvfrom");
    }
  }

  /** Whose the last datagram was that `recv` or `peek` has given. The same object, as long as it is the same address. */
  get sender(): NetAddress {
    return this.#addresses.get(SENDER);
  }

  /**
   * Sends the batch's datagrams from the one at `from`, by one call: how many, or `WouldBlock`. Those after the first
   * that cannot be sent stay; where it is the first itself, that is thrown.
   */
  sendMany(batch: DatagramBatch, from = 0): number {
    const messages = messagesOf(batch);
    const { length } = batch;
    if (!Number.isInteger(from) || from < 0 || from >= length) {
      throw new RangeError(`cannot send a batch of ${length} from ${from}: there is no such datagram`);
    }
    if (isSandboxed()) {
      for (let i = from; i < length; i++) {
        const address = batch.address(i);
        if (address !== undefined) requireNet(address.hostname, address.port);
      }
    }
    messages.prepare(from, length);
    const pointer = messages.pointer(from);
    for (;;) {
      const count = datagrams().sendmmsg(numberOf(this.fd), pointer, length - from, MSG_NOSIGNAL);
      if (count >= 0) return count;
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "sendmmsg");
    }
  }

  /** Receives up to as many datagrams as the batch has room for, by one call: how many, or `WouldBlock`. */
  recvMany(batch: DatagramBatch): number {
    const messages = messagesOf(batch);
    batch.clear();
    messages.expect(batch.capacity);
    const pointer = messages.pointer(0);
    for (;;) {
      const count = datagrams().recvmmsg(numberOf(this.fd), pointer, batch.capacity, 0, NULL);
      if (count >= 0) {
        messages.received(count);
        batch.length = count;
        return count;
      }
      const failure = errno();
      if (failure === EAGAIN) return WouldBlock;
      if (failure !== EINTR) throw new SystemError(failure, "recvmmsg");
    }
  }

  /** What went wrong since it was last asked, or by an earlier call (`SO_ERROR`), or `undefined`. */
  takeError(): SystemError | undefined {
    const failure = this.takeErrorNumber();
    return failure === 0 ? undefined : new SystemError(failure, "getsockopt");
  }

  /** Our end's address. */
  get localAddress(): NetAddress {
    return this.#name("getsockname");
  }

  /** To whom it is connected. Throws a `SystemError`: `ENOTCONN`. */
  get remoteAddress(): NetAddress {
    return this.#name("getpeername");
  }

  #name(syscall: "getsockname" | "getpeername"): NetAddress {
    const raw = new SocketAddress();
    check(libc()[syscall](numberOf(this.fd), raw.bytes, raw.length), syscall);
    const addresses = new NetAddresses(1);
    addresses.bytes(0).set(raw.bytes.subarray(0, raw.length[0]));
    return addresses.get(0);
  }

  [Symbol.dispose](): void {
    this.fd.close();
  }
}
