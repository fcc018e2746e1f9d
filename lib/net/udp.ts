import { requireBytes } from "../io/arguments.ts";
import { byteLengthOf } from "../../ffi/native_buffer.ts";
import { requireNet } from "../../ffi/permissions.ts";
import { type DatagramBatch, messagesOf } from "../io/datagram_batch.ts";
import type { DatagramOptions } from "../io/datagram_bind.ts";
import { bindResolved, DatagramSocket, requireReceiver } from "../io/datagram_socket.ts";
import { WouldBlock } from "../io/fd.ts";
import type { NetInterface } from "../io/ip_options.ts";
import { copyOf, type NetAddress } from "../io/net_address.ts";
import type { Future } from "../task/future.ts";
import { type CallKind, IoCall } from "../task/reactor/io_call.ts";
import { Ready } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { BindName } from "./bind_name.ts";
import { requireTarget } from "./connect.ts";
import { isWorthReading, isWorthWriting } from "./is_worth.ts";

/** A datagram that was received. */
export interface Datagram {
  /** How many of its bytes were put into the caller's. */
  readonly length: number;
  /** Whose it is. */
  readonly address: NetAddress;
  /** Whether it had more bytes, which are lost. */
  readonly truncated: boolean;
}

const SEND: CallKind<UdpSocket, Uint8Array, undefined, number> = {
  name: "send()",
  interest: "write",
  attempt: (socket, bytes) => socket.trySend(bytes),
};

const SEND_TO: CallKind<UdpSocket, Uint8Array, NetAddress, number> = {
  name: "sendTo()",
  interest: "write",
  attempt: (socket, bytes, address) => socket.trySendTo(bytes, address),
};

const SEND_MANY: CallKind<UdpSocket, DatagramBatch, { hasBegun: boolean }, void> = {
  name: "sendMany()",
  interest: "write",
  attempt(socket, batch, progress): void | typeof WouldBlock {
    if (!progress.hasBegun) batch.sent = 0;
    progress.hasBegun = true;
    while (batch.sent < batch.length) {
      const count = socket.trySendMany(batch, batch.sent);
      if (count === WouldBlock) return WouldBlock;
      batch.sent += count;
    }
  },
};

const RECV: CallKind<UdpSocket, Uint8Array, undefined, number> = {
  name: "recv()",
  interest: "read",
  attempt: (socket, into) => socket.tryRecv(into),
};

const RECV_FROM: CallKind<UdpSocket, Uint8Array, undefined, Datagram> = {
  name: "recvFrom()",
  interest: "read",
  attempt: (socket, into) => socket.tryRecvFrom(into),
};

const PEEK_FROM: CallKind<UdpSocket, Uint8Array, undefined, Datagram> = {
  name: "peekFrom()",
  interest: "read",
  attempt: (socket, into) => socket.tryPeekFrom(into),
};

const RECV_MANY: CallKind<UdpSocket, DatagramBatch, undefined, number> = {
  name: "recvMany()",
  interest: "read",
  attempt: (socket, batch) => socket.tryRecvMany(batch),
};

/**
 * A socket of UDP on the runtime. Any number of tasks may send and receive at once: each datagram goes to one of them.
 * The addresses of datagrams are numeric; `lookup` makes them of names.
 *
 * UDP promises nothing: a datagram may be lost, come twice, or after a later one. Even on one machine what comes to a
 * full buffer (`socket.setReceiveBufferSize`) is thrown away.
 *
 * @example
 * ```ts
 * import { UdpSocket } from "@oxbow/oxbow/net";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   using server = UdpSocket.bind({ hostname: "127.0.0.1", port: 0 });
 *   using client = UdpSocket.bind({ hostname: "127.0.0.1", port: 0 });
 *   await client.sendTo(new TextEncoder().encode("hello"), server.localAddress);
 *   const into = new Uint8Array(1500);
 *   const { length, address } = await server.recvFrom(into);
 *   await server.sendTo(into.subarray(0, length), address);
 *   console.log(new TextDecoder().decode(into.subarray(0, await client.recv(into)))); // hello
 * });
 * ```
 */
export class UdpSocket implements Disposable {
  /** The socket itself: its options, and calls that never wait. */
  readonly socket: DatagramSocket;
  readonly #reactor: Reactor;
  readonly #io: ScheduledIo;

  private constructor(socket: DatagramSocket, reactor: Reactor) {
    this.socket = socket;
    this.#reactor = reactor;
    this.#io = reactor.register(socket.fd);
  }

  /**
   * A socket with a port of its own, of the address's family; port 0 has the kernel choose one. The address is numeric, or
   * `localhost`, which is 127.0.0.1: for another name see `bindName`. Throws a `SystemError`, `EADDRINUSE` where the port
   * is taken, and Deno's `NotCapable`.
   */
  static bind(address: NetAddress, options: DatagramOptions = {}): UdpSocket {
    const { hostname, port } = copyOf(address, "bind to");
    if (hostname !== "localhost") {
      return UdpSocket.#own(() => DatagramSocket.bind({ hostname, port }, options));
    }
    requireNet(hostname, port);
    return UdpSocket.#own(() => bindResolved({ hostname: "127.0.0.1", port }, options));
  }

  /** As `bind`, at the first of a name's addresses that it can have. Fails with a `LookupError` as well. */
  static bindName(address: NetAddress, options: DatagramOptions = {}): Future<UdpSocket> {
    requireTarget(address, "bind to");
    return new BindName(address, (resolved) => UdpSocket.#own(() => bindResolved(resolved, options)));
  }

  static #own(open: () => DatagramSocket): UdpSocket {
    const { reactor } = currentRuntime();
    const socket = open();
    try {
      return new UdpSocket(socket, reactor);
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /**
   * Says to whom `send` sends, and from whom alone datagrams come. It sends nothing. Where nobody has the peer's port, a
   * later call fails with `ECONNREFUSED`, which the peer's machine tells a connected socket alone.
   */
  connect(address: NetAddress): void {
    this.socket.connect(address);
  }

  /**
   * Sends one datagram to whom the socket is connected, and gives how many bytes it has. Fails with a `SystemError`:
   * `EDESTADDRREQ` where it is not, `EMSGSIZE` for more than 65,507 bytes (65,487 in IPv6).
   */
  send(bytes: Uint8Array): Future<number> {
    requireBytes("cannot send", "bytes", bytes);
    return new IoCall(SEND, this.#io, this, bytes, undefined);
  }

  /** As `send`, to an address. */
  sendTo(bytes: Uint8Array, address: NetAddress): Future<number> {
    requireBytes("cannot send", "bytes", bytes);
    return new IoCall(SEND_TO, this.#io, this, bytes, requireReceiver(this.socket, address));
  }

  /** Sends at once, or says `WouldBlock`. */
  trySend(bytes: Uint8Array): number {
    if (!isWorthWriting(this.#io)) return WouldBlock;
    return this.#written(this.socket.send(bytes));
  }

  /** Sends at once, or says `WouldBlock`. */
  trySendTo(bytes: Uint8Array, address: NetAddress): number {
    if (!isWorthWriting(this.#io)) return WouldBlock;
    return this.#written(this.socket.sendTo(bytes, address));
  }

  /**
   * Sends all datagrams of the batch, up to 1,024 by one call. `batch.sent` tells how many are gone, also where one of
   * them fails or the future is dropped. The batch must not change meanwhile.
   */
  sendMany(batch: DatagramBatch): Future<void> {
    messagesOf(batch);
    return new IoCall(SEND_MANY, this.#io, this, batch, { hasBegun: false });
  }

  /** Sends those from the one at `from` that can be at once: how many, or `WouldBlock`. */
  trySendMany(batch: DatagramBatch, from = 0): number {
    if (!isWorthWriting(this.#io)) return WouldBlock;
    return this.#written(this.socket.sendMany(batch, from));
  }

  #written(count: number): number {
    if (count === WouldBlock) this.#io.clearWritable();
    return count;
  }

  /**
   * Receives one datagram, and gives how many bytes it has: more than `into` has, where the rest of it is lost. Of a
   * connected socket it fails with `ECONNREFUSED` where the peer was not there.
   */
  recv(into: Uint8Array): Future<number> {
    requireBytes("cannot receive", "into", into);
    return new IoCall(RECV, this.#io, this, into, undefined);
  }

  /** Receives one datagram, and tells whose it is. */
  recvFrom(into: Uint8Array): Future<Datagram> {
    requireBytes("cannot receive", "into", into);
    return new IoCall(RECV_FROM, this.#io, this, into, undefined);
  }

  /** As `recvFrom`, and the datagram is there still for the next one. */
  peekFrom(into: Uint8Array): Future<Datagram> {
    requireBytes("cannot receive", "into", into);
    return new IoCall(PEEK_FROM, this.#io, this, into, undefined);
  }

  /** Receives at once, as `recv`, or says `WouldBlock`. */
  tryRecv(into: Uint8Array): number {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#read(this.socket.recv(into));
  }

  /** Receives at once, or says `WouldBlock`. */
  tryRecvFrom(into: Uint8Array): Datagram | typeof WouldBlock {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#datagram(this.#read(this.socket.recv(into)), into);
  }

  /** Looks at once, or says `WouldBlock`. */
  tryPeekFrom(into: Uint8Array): Datagram | typeof WouldBlock {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#datagram(this.#read(this.socket.peek(into)), into);
  }

  /**
   * Waits for datagrams and receives up to as many as the batch has room for, by one call. Gives how many, which is
   * `batch.length`.
   */
  recvMany(batch: DatagramBatch): Future<number> {
    messagesOf(batch);
    return new IoCall(RECV_MANY, this.#io, this, batch, undefined);
  }

  /** Receives as many as there are at once, or says `WouldBlock`. */
  tryRecvMany(batch: DatagramBatch): number {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#read(this.socket.recvMany(batch));
  }

  #read(count: number): number {
    if (count === WouldBlock) this.#io.clearReadable();
    return count;
  }

  #datagram(count: number, into: Uint8Array): Datagram | typeof WouldBlock {
    if (count === WouldBlock) return WouldBlock;
    const room = byteLengthOf(into);
    return { length: Math.min(count, room), address: this.socket.sender, truncated: count > room };
  }

  /** Waits until a receive is worth its call. */
  whenReadable(): Future<void> {
    return new Ready(this.#io, "read");
  }

  /** Waits until a send is worth its call. */
  whenWritable(): Future<void> {
    return new Ready(this.#io, "write");
  }

  /** Receives what is sent to the group, at an interface. The socket's options say the rest of multicast. */
  joinMulticast(group: string, at?: NetInterface): void {
    this.socket.joinMulticast(group, at);
  }

  /** Receives it no more. */
  leaveMulticast(group: string, at?: NetInterface): void {
    this.socket.leaveMulticast(group, at);
  }

  /** Our address. */
  get localAddress(): NetAddress {
    return this.socket.localAddress;
  }

  get isClosed(): boolean {
    return this.socket.fd.isClosed;
  }

  /** Closes the socket at once; a task that waits for it fails. Does nothing the second time. */
  close(): void {
    if (this.isClosed) return;
    this.#io.willEnd("it was closed");
    this.#reactor.deregister(this.#io);
    this.socket.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
