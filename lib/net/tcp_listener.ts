import { SystemError } from "../../ffi/mod.ts";
import { requireNet } from "../../ffi/permissions.ts";
import { copyOf, type NetAddress } from "../io/net_address.ts";
import { type ListenOptions, listenResolved, Socket, WouldBlock } from "../io/socket.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../task/future.ts";
import { Ready } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { Ended } from "../task/stream/ended.ts";
import { Stream } from "../task/stream.ts";
import { sleep } from "../task/time/sleep.ts";
import { EXHAUSTED, EXHAUSTED_PAUSE_MS, PASSED } from "./accept_errors.ts";
import { BindName } from "./bind_name.ts";
import { requireTarget } from "./connect.ts";
import { TcpStream } from "./tcp_stream.ts";

/** A connection that a listener has taken, and who it is from. */
export interface Accepted {
  readonly stream: TcpStream;
  /** The peer's. */
  readonly address: NetAddress;
}

class Accept extends Future<Accepted> {
  #socket: Socket;
  #io: ScheduledIo;
  #wait: Future<void> | null = null;
  #isDone = false;

  constructor(socket: Socket, io: ScheduledIo) {
    super();
    this.#socket = socket;
    this.#io = io;
  }

  override describe(): string {
    return this.#wait === null ? "accept()" : `accept(), ${this.#wait.describe()}`;
  }

  override poll(context: Context): Accepted | Pending {
    if (this.#isDone) throw consumed("accept()");
    try {
      const accepted = this.#poll(context);
      if (accepted !== Pending) this.#isDone = true;
      return accepted;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  #poll(context: Context): Accepted | Pending {
    for (;;) {
      if (!proceed(context)) return Pending;
      const io = this.#io;
      if (io.isDeaf) throw new Error(`cannot accept: ${io.whyDeaf}`);
      if (this.#wait !== null) {
        if (this.#wait.poll(context) === Pending) return Pending;
        this.#wait = null;
      }
      if (!io.isReadable) this.#wait = new Ready(io, "read");
      else {
        const accepted = this.#accept();
        if (accepted !== null) return accepted;
      }
    }
  }

  #accept(): Accepted | null {
    try {
      const accepted = this.#socket.acceptFrom();
      coop.left--;
      if (accepted !== WouldBlock) return taken(accepted.socket, accepted.address);
      this.#io.clearReadable();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (EXHAUSTED.has(error.code)) this.#wait = sleep(EXHAUSTED_PAUSE_MS);
      else if (!PASSED.has(error.code)) throw error;
      else coop.left--;
    }
    return null;
  }

  override drop(): void {
    this.#isDone = true;
    this.#wait?.drop();
    this.#wait = null;
  }
}

function taken(socket: Socket, address: NetAddress): Accepted {
  try {
    return { stream: new TcpStream(socket), address };
  } catch (error) {
    socket.fd.close();
    throw error;
  }
}

/** Connections as they come. Ends where the listener is closed. */
class Incoming extends Stream<Accepted> {
  #listener: TcpListener | null;
  #accept: Future<Accepted> | null = null;

  constructor(listener: TcpListener) {
    super();
    this.#listener = listener;
  }

  override pollNext(context: Context): Accepted | Pending | Ended {
    const listener = this.#listener;
    if (listener === null || listener.isClosed) return this.#end();
    try {
      const accepted = (this.#accept ??= listener.accept()).poll(context);
      if (accepted !== Pending) this.#accept = null;
      return accepted;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): Ended {
    this.drop();
    return Ended;
  }

  override drop(): void {
    this.#listener = null;
    this.#accept?.drop();
    this.#accept = null;
  }
}

/** One of the addresses of a name. */
let bindResolved: (address: NetAddress, options: ListenOptions) => TcpListener;

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
   * Listens on a numeric address, or on `localhost`, which is 127.0.0.1; port 0 has the kernel choose one. It is
   * synchronous, for which another name would have to be looked up: see `bindName`. Throws a `SystemError`, `EADDRINUSE` where the port is taken, and Deno's `NotCapable`
   * where it is not permitted.
   */
  static bind(address: NetAddress, options: ListenOptions = {}): TcpListener {
    const at = copyOf(address, "listen on");
    if (at.hostname !== "localhost") return TcpListener.#own(() => Socket.listen(at, options));
    const { hostname, port } = at;
    requireNet(hostname, port);
    return TcpListener.#own(() => listenResolved({ hostname: "127.0.0.1", port }, options));
  }

  static {
    bindResolved = (address, options) => TcpListener.#own(() => listenResolved(address, options));
  }

  static #own(open: () => Socket): TcpListener {
    const { reactor } = currentRuntime();
    const socket = open();
    try {
      return new TcpListener(socket, reactor);
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** As `bind`, on the first of a name's addresses that can be listened on. Fails with a `LookupError` as well. */
  static bindName(address: NetAddress, options: ListenOptions = {}): Future<TcpListener> {
    const target = requireTarget(address, "listen on");
    return new BindName(target, (resolved) => bindResolved(resolved, options));
  }

  /**
   * The next connection, and who it is from; any number of tasks may wait for one. Where descriptors have run out it waits until some are free; a connection that
   * failed in the queue is passed over. Safe to drop.
   */
  accept(): Future<Accepted> {
    return new Accept(this.#socket, this.#io);
  }

  /** Connections as they come, for ever: the stream ends where the listener is closed. */
  incoming(): Stream<Accepted> {
    return new Incoming(this);
  }

  get isClosed(): boolean {
    return this.#socket.fd.isClosed;
  }

  /** Stops listening; who waits for a connection is told. Does nothing the second time. */
  close(): void {
    if (this.isClosed) return;
    this.#io.willEnd("the listener was closed");
    this.#reactor.deregister(this.#io);
    this.#socket.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
