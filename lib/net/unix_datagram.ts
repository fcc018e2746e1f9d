import { requireBytes } from "../io/arguments.ts";
import { type Fd, WouldBlock } from "../io/fd.ts";
import { checkedBytes, type UnixAddress, unixCopyOf, type UnixName } from "../io/unix_address.ts";
import { UnixDatagramSocket } from "../io/unix_datagram_socket.ts";
import { requireFds, requireMost, type UnixMessage } from "../io/unix_end.ts";
import type { Future } from "../task/future.ts";
import { type CallKind, IoCall } from "../task/reactor/io_call.ts";
import { Ready } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { isWorthReading, isWorthWriting } from "./is_worth.ts";
import { type Pause, RetriedCall } from "./retried_call.ts";
import { bindOptionsOf, SocketFile, type UnixPathOptions } from "./unix_path.ts";

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;
const NO_FDS: readonly Fd[] = [];

const SEND: CallKind<UnixDatagram, Uint8Array, readonly Fd[], number> = {
  name: "send()",
  interest: "write",
  attempt: (socket, bytes, fds) => socket.trySendFds(fds, bytes),
};

/** A datagram on its way to an address. */
interface Sending {
  readonly bytes: Uint8Array;
  readonly fds: readonly Fd[];
  readonly to: UnixAddress;
  pauseMs: number;
}

/**
 * Of the room at a receiver to whom the socket is not connected no edge tells: unix(7) wakes those alone that are. So
 * who sends to an address asks again, less and less often.
 */
const SEND_TO: CallKind<UnixDatagram, Sending, Pause, number> = {
  name: "send()",
  interest: "write",
  attempt(socket, sending, pause): number {
    const count = socket.trySendFds(sending.fds, sending.bytes, sending.to);
    if (count !== WouldBlock) return count;
    const { pauseMs } = sending;
    sending.pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    return pause.retryAfter(pauseMs);
  },
};

const RECEIVE: CallKind<UnixDatagram, Uint8Array, number, UnixMessage> = {
  name: "recvFrom()",
  interest: "read",
  attempt: (socket, into, most) => socket.tryReceiveFds(into, most),
};

const PEEK: CallKind<UnixDatagram, Uint8Array, undefined, UnixMessage> = {
  name: "peekFrom()",
  interest: "read",
  attempt: (socket, into) => socket.tryPeekFrom(into),
};

/**
 * A socket of datagrams on this machine, on the runtime. They come whole, in their order, and none is lost: who sends
 * to a receiver whose queue is full waits. Any number of tasks may send and receive at once.
 *
 * @example
 * ```ts
 * import { UnixDatagram } from "@oxbow/oxbow/net";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const address = { abstract: `oxbow-example-${crypto.randomUUID()}` };
 *   using server = UnixDatagram.bind(address);
 *   using client = UnixDatagram.unbound();
 *   await client.sendTo(Uint8Array.of(1, 2, 3), address);
 *   const { length, truncated } = await server.recvFrom(new Uint8Array(2));
 *   console.log(length, truncated); // 2 true
 * });
 * ```
 */
export class UnixDatagram implements Disposable {
  /** The socket itself: its options, and calls that never wait. */
  readonly socket: UnixDatagramSocket;
  readonly #file: SocketFile | null;
  readonly #reactor: Reactor;
  readonly #io: ScheduledIo;

  private constructor(socket: UnixDatagramSocket, reactor: Reactor, file: SocketFile | null) {
    this.socket = socket;
    this.#file = file;
    this.#reactor = reactor;
    this.#io = reactor.register(socket.fd);
  }

  static #own(socket: UnixDatagramSocket, file: () => SocketFile | null): UnixDatagram {
    try {
      return new UnixDatagram(socket, currentRuntime().reactor, file());
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** A socket that is found at the address. Throws a `SystemError`, as `UnixListener.bind` does. */
  static bind(address: UnixAddress, options: UnixPathOptions = {}): UnixDatagram {
    const own = unixCopyOf(address, "cannot bind to");
    const bindOptions = bindOptionsOf("cannot bind", options);
    currentRuntime();
    return UnixDatagram.#own(
      UnixDatagramSocket.bind(own, bindOptions),
      () => SocketFile.of(own, options.unlink),
    );
  }

  /** A socket that has no address: nobody can answer it. */
  static unbound(): UnixDatagram {
    return UnixDatagram.#own(UnixDatagramSocket.unbound(), () => null);
  }

  /** A socket with an abstract name of the kernel's choice, for who wants to be answered. */
  static autobound(): UnixDatagram {
    return UnixDatagram.#own(UnixDatagramSocket.autobound(), () => null);
  }

  /** Two that are connected to each other. */
  static pair(): [UnixDatagram, UnixDatagram] {
    const [one, other] = UnixDatagramSocket.pair();
    try {
      const first = UnixDatagram.#own(one, () => null);
      try {
        return [first, UnixDatagram.#own(other, () => null)];
      } catch (error) {
        first.close();
        throw error;
      }
    } catch (error) {
      other.fd.close();
      throw error;
    }
  }

  /** Says where `send` sends, and from where alone datagrams come. Throws a `SystemError`: `ECONNREFUSED`, `ENOENT`. */
  connect(address: UnixAddress): void {
    this.socket.connect(address);
  }

  /**
   * Sends one datagram to whom the socket is connected, and gives how many bytes it has. Fails with a `SystemError`:
   * `ENOTCONN`, `EMSGSIZE` where it is larger than `socket.sendBufferSize` allows, `ECONNREFUSED` where nobody is there
   * any more, `ECONNRESET`.
   */
  send(bytes: Uint8Array): Future<number> {
    requireBytes("cannot send", "bytes", bytes);
    return new IoCall(SEND, this.#io, this, bytes, NO_FDS);
  }

  /** As `send`, to an address. */
  sendTo(bytes: Uint8Array, address: UnixAddress): Future<number> {
    requireBytes("cannot send", "bytes", bytes);
    return this.#sendTo(bytes, NO_FDS, address);
  }

  /** As `send`, or `sendTo`, with descriptors, up to 253, which the receiver then has of its own. */
  sendFds(fds: readonly Fd[], bytes: Uint8Array, address?: UnixAddress): Future<number> {
    requireFds(fds);
    requireBytes("cannot send", "bytes", bytes);
    return address === undefined
      ? new IoCall(SEND, this.#io, this, bytes, [...fds])
      : this.#sendTo(bytes, [...fds], address);
  }

  #sendTo(bytes: Uint8Array, fds: readonly Fd[], to: UnixAddress): Future<number> {
    checkedBytes(to, "cannot send to");
    return new RetriedCall(SEND_TO, this.#io, this, { bytes, fds, to, pauseMs: FIRST_PAUSE_MS });
  }

  /** Sends at once, or says `WouldBlock`. */
  trySend(bytes: Uint8Array): number {
    return this.trySendFds(NO_FDS, bytes);
  }

  /** Sends at once, or says `WouldBlock`. */
  trySendTo(bytes: Uint8Array, address: UnixAddress): number {
    return this.trySendFds(NO_FDS, bytes, address);
  }

  /** Sends at once, or says `WouldBlock`. */
  trySendFds(fds: readonly Fd[], bytes: Uint8Array, address?: UnixAddress): number {
    if (!isWorthWriting(this.#io)) return WouldBlock;
    const count = this.socket.sendMessage(bytes, fds, address);
    // Another receiver's queue says nothing of the next one's.
    if (count === WouldBlock && address === undefined) this.#io.clearWritable();
    return count;
  }

  /** Receives one datagram, and tells whose it is. Descriptors that come with it are closed. */
  recvFrom(into: Uint8Array): Future<UnixMessage> {
    return this.receiveFds(into, 0);
  }

  /** As `recvFrom`, with up to `most` descriptors, for the caller to close. */
  receiveFds(into: Uint8Array, most: number): Future<UnixMessage> {
    requireBytes("cannot receive", "into", into);
    requireMost(most);
    return new IoCall(RECEIVE, this.#io, this, into, most);
  }

  /** As `recvFrom`, and the datagram is there still for the next one. */
  peekFrom(into: Uint8Array): Future<UnixMessage> {
    requireBytes("cannot receive", "into", into);
    return new IoCall(PEEK, this.#io, this, into, undefined);
  }

  /** Receives at once, or says `WouldBlock`. */
  tryRecvFrom(into: Uint8Array): UnixMessage | typeof WouldBlock {
    return this.tryReceiveFds(into, 0);
  }

  /** Receives at once, or says `WouldBlock`. */
  tryReceiveFds(into: Uint8Array, most: number): UnixMessage | typeof WouldBlock {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#read(this.socket.receiveMessage(into, most));
  }

  /** Looks at once, or says `WouldBlock`. */
  tryPeekFrom(into: Uint8Array): UnixMessage | typeof WouldBlock {
    if (!isWorthReading(this.#io)) return WouldBlock;
    return this.#read(this.socket.peekMessage(into));
  }

  #read(message: UnixMessage | typeof WouldBlock): UnixMessage | typeof WouldBlock {
    if (message === WouldBlock) this.#io.clearReadable();
    return message;
  }

  /** Waits until a receive is worth its call. Any number of tasks may. */
  whenReadable(): Future<void> {
    return new Ready(this.#io, "read");
  }

  /** Waits until a send is worth its call. Any number of tasks may. */
  whenWritable(): Future<void> {
    return new Ready(this.#io, "write");
  }

  /** Our address: neither path nor name where it is unbound. */
  get localAddress(): UnixName {
    return this.socket.localAddress;
  }

  get isClosed(): boolean {
    return this.socket.fd.isClosed;
  }

  /** Closes the socket at once, and removes its file; a task that waits for it fails. Does nothing the second time. */
  close(): void {
    if (this.isClosed) return;
    this.#io.willEnd("it was closed");
    this.#reactor.deregister(this.#io);
    try {
      this.#file?.remove();
    } finally {
      this.socket.fd.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
