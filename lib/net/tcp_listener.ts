import { SystemError } from "../../ffi/mod.ts";
import { type ListenOptions, type NetAddress, Socket, WouldBlock } from "../io/socket.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { sleep } from "../task/mod.ts";
import { TcpStream } from "./tcp_stream.ts";

/** Passes by itself once descriptors or memory are free: the kernel keeps the connection in its queue. */
const EXHAUSTED: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/** The connection failed before it was accepted: accept(2) says to go on. */
const PASSED: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "EPROTO",
  "ENETDOWN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const EXHAUSTED_PAUSE_MS = 50;
/** A connection that a listener has taken, and who it is from. */
export interface Accepted {
  readonly stream: TcpStream;
  /** The peer's. */
  readonly address: NetAddress;
}

class Accept extends Future<Accepted> {
  #socket: Socket;
  #io: ScheduledIo;
  #pause: Future<void> | null = null;
  #waker: Waker | null = null;
  #isDone = false;

  constructor(socket: Socket, io: ScheduledIo) {
    super();
    this.#socket = socket;
    this.#io = io;
  }

  override describe(): string {
    return `accept(), ${this.#pause === null ? this.#io.describe("read") : this.#pause.describe()}`;
  }

  override poll(context: Context): Accepted | Pending {
    if (this.#isDone) throw consumed("accept()");
    for (;;) {
      if (!proceed(context)) return Pending;
      if (this.#pause !== null) {
        if (this.#pause.poll(context) === Pending) return Pending;
        this.#pause = null;
      }
      if (!this.#io.isReadable) {
        this.#io.waitReadable(context.waker);
        this.#waker = context.waker;
        return Pending;
      }
      try {
        const accepted = this.#socket.acceptFrom();
        coop.left--;
        if (accepted !== WouldBlock) return this.#accepted(accepted.socket, accepted.address);
        this.#io.clearReadable();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (EXHAUSTED.has(error.code)) this.#pause = sleep(EXHAUSTED_PAUSE_MS);
        else if (!PASSED.has(error.code)) throw error;
      }
    }
  }

  #accepted(socket: Socket, address: NetAddress): Accepted {
    this.#isDone = true;
    try {
      return { stream: new TcpStream(socket), address };
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  override drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#pause?.drop();
    this.#io.forgetReader(this.#waker);
  }
}

/** A port that is listened on. */
export class TcpListener implements Disposable {
  readonly address: NetAddress;
  #socket: Socket;
  #reactor: Reactor;
  #io: ScheduledIo;

  private constructor(socket: Socket, reactor: Reactor) {
    this.#socket = socket;
    this.address = socket.localAddress;
    this.#reactor = reactor;
    this.#io = reactor.register(socket.fd);
  }

  /**
   * Listens on a numeric address; port 0 has the kernel choose one. Throws a `SystemError`, `EADDRINUSE`
   * where the port is taken, and Deno's `NotCapable` where it is not permitted.
   */
  static bind(address: NetAddress, options: ListenOptions = {}): TcpListener {
    const { reactor } = currentRuntime();
    const socket = Socket.listen(address, options);
    try {
      return new TcpListener(socket, reactor);
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /**
   * The next connection. Where descriptors have run out it waits until some are free; a connection that
   * failed in the queue is passed over.
   */
  accept(): Future<Accepted> {
    return new Accept(this.#socket, this.#io);
  }

  get isClosed(): boolean {
    return this.#socket.fd.isClosed;
  }

  /** Stops listening. Does nothing the second time. */
  close(): void {
    if (this.isClosed) return;
    this.#reactor.deregister(this.#io);
    this.#socket.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
