import { type NetAddress, Socket } from "../io/socket.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { consumed, type Context, Future, Pending } from "../task/future.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { SocketStream } from "./socket_stream.ts";

class Connect extends Future<TcpStream> {
  #address: NetAddress;
  #socket: Socket | null = null;
  #io: ScheduledIo | null = null;
  #isDone = false;

  constructor(address: NetAddress) {
    super();
    this.#address = address;
  }

  override describe(): string {
    return `connect() to ${this.#address.hostname}:${this.#address.port}`;
  }

  override poll(context: Context): TcpStream | Pending {
    if (this.#isDone) throw consumed("connect()");
    const io = this.#io ??= this.#begin();
    const socket = this.#socket;
    if (!io.isWritable) {
      io.waitWritable(context.waker);
      return Pending;
    }
    if (socket === null) throw consumed("connect()");
    const { hostname, port } = this.#address;
    const error = socket.takeError("connect", `${hostname}:${port}`);
    if (error !== undefined) {
      this.drop();
      throw error;
    }
    this.#isDone = true;
    return new TcpStream(socket, io);
  }

  #begin(): ScheduledIo {
    this.#isDone = true;
    const socket = Socket.connect(this.#address);
    try {
      const io = currentRuntime().reactor.register(socket.fd);
      // Not writable before it is connected, which is its first edge.
      io.clearWritable();
      this.#socket = socket;
      this.#isDone = false;
      return io;
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  override drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#io !== null) currentRuntime().reactor.deregister(this.#io);
    this.#socket?.fd.close();
  }
}

/** A connection. One task reads and one writes at a time. */
export class TcpStream extends SocketStream {
  /** The socket itself: its addresses and options. */
  readonly socket: Socket;

  /** Takes over a connected socket. `io` is where it is watched already. */
  constructor(socket: Socket, io?: ScheduledIo) {
    super(socket.fd, io);
    this.socket = socket;
  }

  /** Connects to a numeric address, from the first poll on. Fails with a `SystemError` such as `ECONNREFUSED`. */
  static connect(address: NetAddress): Future<TcpStream> {
    Socket.requireAddress(address, "connect to");
    return new Connect(address);
  }
}
