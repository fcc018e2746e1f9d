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
import { currentRuntime } from "../task/current.ts";
import { type Context, Future, Pending } from "../task/future.ts";
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

class Readable extends Future<void> {
  #io: ScheduledIo;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override describe(): string {
    return this.#io.describe("read");
  }

  override poll(context: Context): void | Pending {
    if (this.#io.isReadable) return;
    this.#io.waitReadable(context.waker);
    return Pending;
  }

  override drop(): void {
    this.#io.forgetReader();
  }
}

class Writable extends Future<void> {
  #io: ScheduledIo;

  constructor(io: ScheduledIo) {
    super();
    this.#io = io;
  }

  override describe(): string {
    return this.#io.describe("write");
  }

  override poll(context: Context): void | Pending {
    if (this.#io.isWritable) return;
    this.#io.waitWritable(context.waker);
    return Pending;
  }

  override drop(): void {
    this.#io.forgetWriter();
  }
}

class Read extends Future<number> {
  #stream: TcpStream;
  #into: Uint8Array;

  constructor(stream: TcpStream, into: Uint8Array) {
    super();
    this.#stream = stream;
    this.#into = into;
  }

  override describe(): string {
    return `read(), ${this.#stream.readable().describe()}`;
  }

  override poll(context: Context): number | Pending {
    const into = this.#into;
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    const count = this.#stream.tryRead(buffer, 0, Math.min(into.byteLength, SCRATCH_BYTES));
    if (count !== WouldBlock) {
      into.set(buffer.bytes.subarray(0, count));
      return count;
    }
    const waiting = this.#stream.readable().poll(context);
    return waiting === Pending ? Pending : this.poll(context);
  }

  override drop(): void {
    this.#stream.readable().drop();
  }
}

class WriteAll extends Future<void> {
  #stream: TcpStream;
  #bytes: Uint8Array;

  constructor(stream: TcpStream, bytes: Uint8Array) {
    super();
    this.#stream = stream;
    this.#bytes = bytes;
  }

  override describe(): string {
    return `writeAll(), ${this.#stream.writable().describe()}`;
  }

  override poll(context: Context): void | Pending {
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    while (this.#bytes.byteLength > 0) {
      const part = this.#bytes.subarray(0, SCRATCH_BYTES);
      buffer.bytes.set(part);
      const count = this.#stream.tryWrite(buffer, 0, part.byteLength);
      if (count !== WouldBlock) this.#bytes = this.#bytes.subarray(count);
      else if (this.#stream.writable().poll(context) === Pending) return Pending;
    }
  }

  override drop(): void {
    this.#stream.writable().drop();
  }
}

class Connect extends Future<TcpStream> {
  #stream: TcpStream;
  #address: NetAddress;

  constructor(stream: TcpStream, address: NetAddress) {
    super();
    this.#stream = stream;
    this.#address = address;
  }

  override describe(): string {
    return `connect() to ${this.#address.hostname}:${this.#address.port}`;
  }

  override poll(context: Context): TcpStream | Pending {
    if (this.#stream.writable().poll(context) === Pending) return Pending;
    const { hostname, port } = this.#address;
    const error = this.#stream.socket.takeError("connect", `${hostname}:${port}`);
    if (error === undefined) return this.#stream;
    this.#stream.close();
    throw error;
  }

  override drop(): void {
    this.#stream.close();
  }
}

/** A connection. One task reads and one writes at a time. */
export class TcpStream implements Disposable {
  /** The socket itself: its addresses and options. */
  readonly socket: Socket;
  #reactor: Reactor;
  #io: ScheduledIo;
  #readable: Readable;
  #writable: Writable;
  #closed = false;

  /** Registers a connected socket with the running runtime. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.#reactor = currentRuntime().reactor;
    this.#io = this.#reactor.register(socket.fd);
    this.#readable = new Readable(this.#io);
    this.#writable = new Writable(this.#io);
  }

  /** Connects to a numeric address. Fails with a `SystemError` such as `ECONNREFUSED`. */
  static connect(address: NetAddress): Future<TcpStream> {
    const stream = new TcpStream(Socket.connect(address));
    // Not writable before it is connected, which is its first edge.
    stream.#io.clearWritable();
    return new Connect(stream, address);
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
    return this.#readable;
  }

  /** Waits until a write is worth its call. */
  writable(): Future<void> {
    return this.#writable;
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end of what the peer sends. */
  read(into: Uint8Array): Future<number> {
    if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
    return new Read(this, into);
  }

  /** Writes all of the bytes, which must not change meanwhile. */
  writeAll(bytes: Uint8Array): Future<void> {
    return new WriteAll(this, bytes);
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

class Accept extends Future<TcpStream> {
  #socket: Socket;
  #io: ScheduledIo;
  #pause: Future<void> | null = null;

  constructor(socket: Socket, io: ScheduledIo) {
    super();
    this.#socket = socket;
    this.#io = io;
  }

  override describe(): string {
    return `accept(), ${this.#pause === null ? this.#io.describe("read") : this.#pause.describe()}`;
  }

  override poll(context: Context): TcpStream | Pending {
    for (;;) {
      if (this.#pause !== null) {
        if (this.#pause.poll(context) === Pending) return Pending;
        this.#pause = null;
      }
      if (!this.#io.isReadable) {
        this.#io.waitReadable(context.waker);
        return Pending;
      }
      try {
        const socket = this.#socket.accept();
        if (socket !== WouldBlock) return new TcpStream(socket);
        this.#io.clearReadable();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (EXHAUSTED.has(error.code)) this.#pause = sleep(EXHAUSTED_PAUSE_MS);
        else if (!PASSED.has(error.code)) throw error;
      }
    }
  }

  override drop(): void {
    this.#pause?.drop();
    this.#io.forgetReader();
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
    return new TcpListener(Socket.listen(address, options), reactor);
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
