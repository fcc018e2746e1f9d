import { checkedAddress } from "../../ffi/layout/numeric_address.ts";
import { requireFlag, requireNames, shown } from "../io/arguments.ts";
import { copyOf, type NetAddress } from "../io/net_address.ts";
import type { Socket } from "../io/socket.ts";
import { type Context, Future, Pending } from "../task/future.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { Connect, requireTarget } from "./connect.ts";
import { SocketStream } from "./socket_stream.ts";

/** How `TcpStream.connect` goes about it. */
export interface TcpConnectOptions {
  /** Fails with a `TimeoutError`, which names the addresses tried, after as many milliseconds from the first poll on. */
  timeout?: number;
  /** Fails with its reason where it is aborted. */
  signal?: AbortSignal;
  /** Small writes leave at once. */
  noDelay?: boolean;
  /** Where the connection comes from: a numeric address of this machine; port 0 has the kernel choose one. */
  localAddress?: NetAddress;
}

class ConnectStream extends Future<TcpStream> {
  readonly #connect: Connect;

  constructor(connect: Connect) {
    super();
    this.#connect = connect;
  }

  override describe(): string {
    return this.#connect.describe();
  }

  override poll(context: Context): TcpStream | Pending {
    const connected = this.#connect.poll(context);
    return connected === Pending ? Pending : new TcpStream(connected.socket, connected.io);
  }

  override drop(): void {
    this.#connect.drop();
  }
}

/** A connection of TCP: tcp(7). One task reads and one writes at a time. */
export class TcpStream extends SocketStream {
  /** The socket itself: its options, synchronous. */
  readonly socket: Socket;

  /** Takes over a connected socket. `io` is where it is watched already. */
  constructor(socket: Socket, io?: ScheduledIo) {
    super(socket.fd, io);
    this.socket = socket;
  }

  /**
   * Connects to an address, or to the one of a name's that answers first: they are tried 250 ms apart, the families by
   * turns, and the losers closed (happy eyeballs, RFC 8305). Nothing happens before the first poll. An address fails
   * with a `SystemError` such as `ECONNREFUSED`, a name with a `LookupError`, or a `ConnectError` that names every
   * address tried; on Deno both with `NotCapable` where that is not permitted.
   */
  static connect(address: NetAddress, options: TcpConnectOptions = {}): Future<TcpStream> {
    const target = requireTarget(address, "connect to");
    requireNames("cannot connect", "options are", options, ["timeout", "signal", "noDelay", "localAddress"]);
    const { timeout = Infinity, signal, noDelay, localAddress: from } = options;
    requireFlag("cannot connect", "noDelay", noDelay);
    if (!(typeof timeout === "number" && timeout >= 0)) {
      throw new RangeError(`cannot connect: timeout is ${shown(timeout)}, and no count of milliseconds`);
    }
    const localAddress = from === undefined ? undefined : copyOf(from, "connect from");
    if (localAddress !== undefined) checkedAddress(localAddress.hostname);
    const connecting = new ConnectStream(new Connect(target, { noDelay, localAddress }, timeout));
    return signal === undefined ? connecting : connecting.abortable(signal);
  }

  /** Our end's address. */
  get localAddress(): NetAddress {
    return this.socket.localAddress;
  }

  /** The peer's address. Throws a `SystemError`, `ENOTCONN`, where the connection is broken. */
  get remoteAddress(): NetAddress {
    return this.socket.remoteAddress;
  }

  /** Whether small writes leave at once: TCP_NODELAY. */
  setNoDelay(on: boolean): void {
    this.socket.setNoDelay(on);
  }
}
