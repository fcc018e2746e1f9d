import { SystemError } from "../../ffi/mod.ts";
import { shown } from "../io/arguments.ts";
import { WouldBlock } from "../io/fd.ts";
import { type UnixAddress, unixCopyOf, type UnixName } from "../io/unix_address.ts";
import { UnixSocket } from "../io/unix_socket.ts";
import { type Context, type Future, Pending } from "../task/future.ts";
import type { CallKind } from "../task/reactor/io_call.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { Ended } from "../task/stream/ended.ts";
import { Stream } from "../task/stream.ts";
import { isWorthReading } from "./is_worth.ts";
import { type Pause, RetriedCall } from "./retried_call.ts";
import { bindOptionsOf, SocketFile, type UnixPathOptions } from "./unix_path.ts";
import { streamOf, type UnixStream } from "./unix_stream.ts";

/** Passes by itself once descriptors or memory are free: the kernel keeps the connection in its queue. */
const EXHAUSTED: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
const EXHAUSTED_PAUSE_MS = 50;
const LARGEST_BACKLOG = 0x7fffffff;

/** How `UnixListener.bind` listens. */
export interface UnixListenOptions extends UnixPathOptions {
  /** Connections that wait to be accepted: 1,024 where nothing is said, and no more than `net.core.somaxconn`. */
  backlog?: number;
}

/** A connection that a listener has taken, and who it is from. */
export interface UnixAccepted {
  readonly stream: UnixStream;
  /** The peer's: neither path nor name, as a rule. */
  readonly address: UnixName;
}

const ACCEPT: CallKind<UnixSocket, ScheduledIo, Pause, UnixAccepted> = {
  name: "accept()",
  interest: "read",
  attempt(socket, io, pause): UnixAccepted | typeof WouldBlock {
    if (!isWorthReading(io)) return WouldBlock;
    try {
      const accepted = socket.acceptFrom();
      if (accepted !== WouldBlock) return { stream: streamOf(accepted.socket), address: accepted.address };
      io.clearReadable();
      return WouldBlock;
    } catch (error) {
      if (!(error instanceof SystemError && EXHAUSTED.has(error.code))) throw error;
      return pause.retryAfter(EXHAUSTED_PAUSE_MS);
    }
  },
};

class Incoming extends Stream<UnixAccepted> {
  #listener: UnixListener | null;
  #accept: Future<UnixAccepted> | null = null;

  constructor(listener: UnixListener) {
    super();
    this.#listener = listener;
  }

  override pollNext(context: Context): UnixAccepted | Pending | Ended {
    const listener = this.#listener;
    if (listener === null) return Ended;
    if (listener.isClosed) {
      this.drop();
      return Ended;
    }
    try {
      const accepted = (this.#accept ??= listener.accept()).poll(context);
      if (accepted !== Pending) this.#accept = null;
      return accepted;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  override drop(): void {
    this.#listener = null;
    this.#accept?.drop();
    this.#accept = null;
  }
}

/**
 * A path or an abstract name that is listened at, on the runtime. Whoever may write to the path may connect, and to a
 * name whoever is on this machine: `peerCredentials` of the stream tells who it is.
 *
 * @example
 * ```ts
 * import { UnixListener, UnixStream } from "@oxbow/oxbow/net";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const address = { abstract: `oxbow-example-${crypto.randomUUID()}` };
 *   using listener = UnixListener.bind(address);
 *   using client = await UnixStream.connect(address);
 *   const { stream: server } = await listener.accept();
 *   await client.writeAll(Uint8Array.of(1, 2, 3));
 *   console.log(await server.read(new Uint8Array(10))); // 3
 *   console.log(server.peerCredentials.uid === client.peerCredentials.uid); // true
 *   server.close();
 * });
 * ```
 */
export class UnixListener implements Disposable {
  readonly #address: UnixAddress;
  readonly #socket: UnixSocket;
  readonly #file: SocketFile | null;
  readonly #reactor: Reactor;
  readonly #io: ScheduledIo;

  private constructor(address: UnixAddress, socket: UnixSocket, file: SocketFile | null, reactor: Reactor) {
    this.#address = address;
    this.#socket = socket;
    this.#file = file;
    this.#reactor = reactor;
    this.#io = reactor.register(socket.fd);
  }

  /**
   * Listens at a path that is not there yet, or at an abstract name. Throws a `SystemError`: `EADDRINUSE` where somebody
   * listens there, or a file is there, with what to do about one that a process has left; `EACCES`, `ENOENT` for the
   * path's folder.
   */
  static bind(address: UnixAddress, options: UnixListenOptions = {}): UnixListener {
    const { backlog = 1024, ...rest } = options;
    if (!Number.isInteger(backlog) || backlog < 0 || backlog > LARGEST_BACKLOG) {
      throw new RangeError(
        `cannot listen: backlog is ${shown(backlog)}, not an integer from 0 to ${LARGEST_BACKLOG}`,
      );
    }
    const at = unixCopyOf(address, "cannot listen at");
    const bindOptions = bindOptionsOf("cannot listen", rest);
    const { reactor } = currentRuntime();
    const socket = UnixSocket.listen(at, backlog, bindOptions);
    try {
      return new UnixListener(at, socket, SocketFile.of(at, rest.unlink), reactor);
    } catch (error) {
      socket.fd.close();
      throw error;
    }
  }

  /** Where it listens: a copy. */
  get address(): UnixAddress {
    return unixCopyOf(this.#address, "cannot listen at");
  }

  /** The next connection. Where descriptors have run out it waits until some are free. */
  accept(): Future<UnixAccepted> {
    return new RetriedCall(ACCEPT, this.#io, this.#socket, this.#io);
  }

  /** Connections as they come. Ends where the listener is closed before it is asked for the next. */
  incoming(): Stream<UnixAccepted> {
    return new Incoming(this);
  }

  get isClosed(): boolean {
    return this.#socket.fd.isClosed;
  }

  /** Stops listening, and removes the file. Those who wait to be accepted are refused. Does nothing the second time. */
  close(): void {
    if (this.isClosed) return;
    this.#io.willEnd("the listener was closed");
    this.#reactor.deregister(this.#io);
    try {
      this.#file?.remove();
    } finally {
      this.#socket.fd.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
