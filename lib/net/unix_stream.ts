import { requireBytes } from "../io/arguments.ts";
import { SystemError } from "../../ffi/mod.ts";
import { type Fd, WouldBlock } from "../io/fd.ts";
import { checkedBytes, type UnixAddress, unixCopyOf, type UnixName, unixText } from "../io/unix_address.ts";
import { requireFds, requireMost, type UnixCredentials, type UnixMessage } from "../io/unix_end.ts";
import { UnixSocket } from "../io/unix_socket.ts";
import type { Mmap } from "../mem/map.ts";
import { proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending } from "../task/future.ts";
import { type CallKind, IoCall } from "../task/reactor/io_call.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { sleep } from "../task/time/sleep.ts";
import { roomOf } from "./async_io/arguments.ts";
import { isWorthReading, isWorthWriting } from "./is_worth.ts";
import { ioOf, SocketStream } from "./socket_stream.ts";
import { type HandleOptions, ReceiveHandle, SendHandle } from "./unix_handle.ts";

/** What carries descriptors that are sent alone. */
const CARRIER = new Uint8Array(1);
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** Of a listener whose queue is full nothing tells when there is room: it is asked again, less and less often. */
class Connect extends Future<UnixStream> {
  readonly #address: UnixAddress;
  #pause: Future<void> | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #isDone = false;

  constructor(address: UnixAddress) {
    super();
    this.#address = address;
  }

  override describe(): string {
    return `connect() to ${unixText(this.#address)}`;
  }

  override poll(context: Context): UnixStream | Pending {
    if (this.#isDone) throw consumed("connect()");
    for (;;) {
      if (!proceed(context)) return Pending;
      if (this.#pause !== null) {
        if (this.#pause.poll(context) === Pending) return Pending;
        this.#pause = null;
      }
      const stream = this.#attempt();
      if (stream !== undefined) return stream;
      this.#pause = sleep(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    }
  }

  #attempt(): UnixStream | undefined {
    this.#isDone = true;
    try {
      return streamOf(UnixSocket.connect(this.#address));
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "EAGAIN")) throw error;
      this.#isDone = false;
      return undefined;
    }
  }

  override drop(): void {
    this.#isDone = true;
    this.#pause?.drop();
    this.#pause = null;
  }
}

/** What has not left yet: the descriptors go with the first of the bytes. */
interface Unsent {
  bytes: Uint8Array;
  fds: readonly Fd[];
}

const SEND_FDS: CallKind<UnixSocket, ScheduledIo, Unsent, void> = {
  name: "sendFds()",
  interest: "write",
  attempt(socket, io, unsent): void | typeof WouldBlock {
    while (unsent.bytes.length > 0) {
      if (!isWorthWriting(io)) return WouldBlock;
      const count = socket.sendMessage(unsent.bytes, unsent.fds);
      if (count === WouldBlock) {
        io.clearWritable();
        return WouldBlock;
      }
      unsent.bytes = unsent.bytes.subarray(count);
      unsent.fds = [];
    }
  },
};

const RECEIVE_FDS: CallKind<UnixStream, Uint8Array, number, UnixMessage> = {
  name: "receiveFds()",
  interest: "read",
  attempt(stream, into, most): UnixMessage | typeof WouldBlock {
    const io = ioOf(stream);
    if (!isWorthReading(io)) return WouldBlock;
    roomOf(into);
    const message = stream.socket.receiveMessage(into, most);
    if (message === WouldBlock) io.clearReadable();
    return message;
  },
};

/**
 * A connection on this machine, on the runtime: a `SocketStream` that can carry descriptors, and with them the memory
 * of maps. One task reads and one writes at a time.
 *
 * @example
 * ```ts
 * import { UnixStream } from "@oxbow/oxbow/net";
 * import { Mmap } from "@oxbow/oxbow/mmap";
 * import { run } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [here, there] = UnixStream.pair();
 *   using map = Mmap.anonymous(4096);
 *   await here.sendHandle(map);
 *   using other = await there.receiveHandle({ mode: "r+" });
 *   other.bytes()[0] = 42;
 *   console.log(map.bytes()[0]); // 42
 *   here.close();
 *   there.close();
 * });
 * ```
 */
export class UnixStream extends SocketStream {
  /** The socket itself: its addresses and options. */
  readonly socket: UnixSocket;
  readonly #io: ScheduledIo;

  /** Takes over a connected socket, and registers it with the running runtime. */
  constructor(socket: UnixSocket) {
    super(socket.fd);
    this.socket = socket;
    this.#io = ioOf(this);
    this.#io.expectGaps();
  }

  /**
   * Connects to who listens there. Where as many wait as may, it asks again until there is room. Fails with a
   * `SystemError`: `ENOENT`, `ECONNREFUSED` where nobody listens at the file, `EACCES`.
   */
  static connect(address: UnixAddress): Future<UnixStream> {
    const what = "cannot connect to";
    const to = unixCopyOf(address, what);
    checkedBytes(to, what);
    return new Connect(to);
  }

  /** Two ends of one connection. */
  static pair(): [UnixStream, UnixStream] {
    const [one, other] = UnixSocket.pair();
    try {
      const stream = streamOf(one);
      try {
        return [stream, new UnixStream(other)];
      } catch (error) {
        stream.close();
        throw error;
      }
    } catch (error) {
      other.fd.close();
      throw error;
    }
  }

  /**
   * Sends all of the bytes, a NUL where none are said, and with the first of them descriptors, up to 253, which the
   * peer then has of its own. Ours stay ours, and may be closed then.
   */
  sendFds(fds: readonly Fd[], bytes: Uint8Array = CARRIER): Future<void> {
    requireFds(fds);
    requireBytes("cannot send descriptors", "bytes", bytes);
    if (bytes.length === 0) {
      throw new RangeError("cannot send descriptors with 0 bytes: a stream carries none so");
    }
    return new IoCall(SEND_FDS, this.#io, this.socket, this.#io, { bytes, fds: [...fds] });
  }

  /**
   * Reads up to `into.byteLength` bytes, and takes up to `most` descriptors that come with them, for the caller to
   * close. `length` is 0 at the end. A plain `read` closes what descriptors come.
   */
  receiveFds(into: Uint8Array, most: number): Future<UnixMessage> {
    requireMost(most);
    requireBytes("cannot receive descriptors", "into", into);
    if (into.length === 0) {
      throw new RangeError("cannot receive descriptors with 0 bytes: 0 would look like the end");
    }
    return new IoCall(RECEIVE_FDS, this.#io, this, into, most);
  }

  /**
   * Passes a map on to another process, which has the same memory then: what either writes both see. It stays there as
   * long as one of them has it.
   */
  sendHandle(map: Mmap): Future<void> {
    return new SendHandle(this, map);
  }

  /**
   * Takes a map that the peer has sent by `sendHandle`. It writes where the peer's does, and nothing is said. Fails
   * where something else is read, with a `HandleError`: all that is read then is lost.
   */
  receiveHandle(options: HandleOptions & { mode: "r+" | "c" }): Future<Mmap<"write">>;
  receiveHandle(options?: HandleOptions): Future<Mmap>;
  receiveHandle(options: HandleOptions = {}): Future<Mmap> {
    return new ReceiveHandle(this, options);
  }

  /** Who is at the other end, as it was when it connected, listened or made the pair. */
  get peerCredentials(): UnixCredentials {
    return this.socket.peerCredentials;
  }

  /** Our end's address. */
  get localAddress(): UnixName {
    return this.socket.localAddress;
  }

  /** The peer's address: neither path nor name where it was bound to none, as those that connect are not. */
  get remoteAddress(): UnixName {
    return this.socket.remoteAddress;
  }
}

/** A stream of a socket that is nobody else's: closed where it cannot be watched. */
export function streamOf(socket: UnixSocket): UnixStream {
  try {
    return new UnixStream(socket);
  } catch (error) {
    socket.fd.close();
    throw error;
  }
}
