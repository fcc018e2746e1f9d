/**
 * TCP on the runtime: what would block parks its task until the reactor unparks it. Every call is made
 * first and waited for only when the kernel says that it would block; readiness is by edges, so a short
 * read saves the call that would have found nothing.
 *
 * @module
 */
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { SystemError } from "../../ffi/mod.ts";
import { type ListenOptions, type NetAddress, Socket, WouldBlock } from "../io/socket.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import { Readable, Writable } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { sleep } from "../task/mod.ts";

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
/** Between the kernel and a caller's own bytes: one for the thread, since a copy out of it never waits. */
const SCRATCH_BYTES = 65536;

let scratch: NativeBuffer | undefined;

class Read extends Future<number> {
  #stream: TcpStream | null;
  #io: ScheduledIo;
  #into: Uint8Array;
  #waker: Waker | null = null;

  constructor(stream: TcpStream, io: ScheduledIo, into: Uint8Array) {
    super();
    this.#stream = stream;
    this.#io = io;
    this.#into = into;
  }

  override describe(): string {
    return `read(), ${this.#io.describe("read")}`;
  }

  override poll(context: Context): number | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed("read()");
    if (!proceed(context)) return Pending;
    const into = this.#into;
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    const count = stream.tryRead(buffer, 0, Math.min(into.byteLength, SCRATCH_BYTES));
    if (count === WouldBlock) {
      this.#io.waitReadable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#stream = null;
    into.set(buffer.bytes.subarray(0, count));
    return count;
  }

  override drop(): void {
    if (this.#stream !== null) this.#io.forgetReader(this.#waker);
    this.#stream = null;
  }
}

class WriteAll extends Future<void> {
  #stream: TcpStream | null;
  #io: ScheduledIo;
  #bytes: Uint8Array;
  #waker: Waker | null = null;

  constructor(stream: TcpStream, io: ScheduledIo, bytes: Uint8Array) {
    super();
    this.#stream = stream;
    this.#io = io;
    this.#bytes = bytes;
  }

  override describe(): string {
    return `writeAll(), ${this.#io.describe("write")}`;
  }

  override poll(context: Context): void | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed("writeAll()");
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    while (this.#bytes.byteLength > 0) {
      if (!proceed(context)) return Pending;
      const part = this.#bytes.subarray(0, SCRATCH_BYTES);
      buffer.bytes.set(part);
      const count = stream.tryWrite(buffer, 0, part.byteLength);
      if (count === WouldBlock) {
        this.#io.waitWritable(context.waker);
        this.#waker = context.waker;
        return Pending;
      }
      coop.left--;
      this.#bytes = this.#bytes.subarray(count);
    }
    this.#stream = null;
  }

  override drop(): void {
    if (this.#stream !== null) this.#io.forgetWriter(this.#waker);
    this.#stream = null;
  }
}

class Connect extends Future<TcpStream> {
  #stream: TcpStream | null;
  #io: ScheduledIo;
  #address: NetAddress;

  constructor(stream: TcpStream, io: ScheduledIo, address: NetAddress) {
    super();
    this.#stream = stream;
    this.#io = io;
    this.#address = address;
  }

  override describe(): string {
    return `connect() to ${this.#address.hostname}:${this.#address.port}`;
  }

  override poll(context: Context): TcpStream | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed("connect()");
    if (!this.#io.isWritable) {
      this.#io.waitWritable(context.waker);
      return Pending;
    }
    this.#stream = null;
    const { hostname, port } = this.#address;
    const error = stream.socket.takeError("connect", `${hostname}:${port}`);
    if (error === undefined) return stream;
    stream.close();
    throw error;
  }

  override drop(): void {
    this.#stream?.close();
    this.#stream = null;
  }
}

function requireBytes(what: string, name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`cannot ${what}: ${name} is no Uint8Array`);
}

/** What the reactor knows of the stream: for the inside of this package. */
export let ioOf: (stream: TcpStream) => ScheduledIo;

/** A connection. One task reads and one writes at a time. */
export class TcpStream implements Disposable {
  /** The socket itself: its addresses and options. */
  readonly socket: Socket;
  #reactor: Reactor;
  #io: ScheduledIo;
  #closed = false;

  static {
    ioOf = (stream) => stream.#io;
  }

  /** Registers a connected socket with the running runtime. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.#reactor = currentRuntime().reactor;
    this.#io = this.#reactor.register(socket.fd);
  }

  /** Connects to a numeric address. Fails with a `SystemError` such as `ECONNREFUSED`. */
  static connect(address: NetAddress): Future<TcpStream> {
    const stream = streamOf(Socket.connect(address));
    // Not writable before it is connected, which is its first edge.
    stream.#io.clearWritable();
    return new Connect(stream, stream.#io, address);
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    if (!this.#io.isReadable) return WouldBlock;
    const count = this.socket.read(buffer, from, length);
    if (count === WouldBlock) this.#io.clearReadable();
    else if (count < length && count > 0) this.#io.drained();
    return count;
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    if (!this.#io.isWritable) return WouldBlock;
    const count = this.socket.write(buffer, from, length);
    if (count === WouldBlock) this.#io.clearWritable();
    return count;
  }

  /** Waits until a read is worth its call. */
  readable(): Future<void> {
    return new Readable(this.#io);
  }

  /** Waits until a write is worth its call. */
  writable(): Future<void> {
    return new Writable(this.#io);
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end of what the peer sends. */
  read(into: Uint8Array): Future<number> {
    requireBytes("read", "into", into);
    if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
    return new Read(this, this.#io, into);
  }

  /** Writes all of the bytes, which must not change meanwhile. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("write", "bytes", bytes);
    return new WriteAll(this, this.#io, bytes);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Closes the connection at once; a task that waits for it fails. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.deregister(this.#io);
    this.socket.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A stream of a socket that is nobody else's: closed where it cannot be watched. */
function streamOf(socket: Socket): TcpStream {
  try {
    return new TcpStream(socket);
  } catch (error) {
    socket.fd.close();
    throw error;
  }
}

class Accept extends Future<TcpStream> {
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

  override poll(context: Context): TcpStream | Pending {
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
        const socket = this.#socket.accept();
        coop.left--;
        if (socket !== WouldBlock) return this.#accepted(socket);
        this.#io.clearReadable();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (EXHAUSTED.has(error.code)) this.#pause = sleep(EXHAUSTED_PAUSE_MS);
        else if (!PASSED.has(error.code)) throw error;
      }
    }
  }

  #accepted(socket: Socket): TcpStream {
    this.#isDone = true;
    return streamOf(socket);
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
  accept(): Future<TcpStream> {
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
