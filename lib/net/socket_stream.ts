import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { type Fd, WouldBlock } from "../io/fd.ts";
import { shown } from "../io/arguments.ts";
import { receive, send, shutdown } from "../io/socket_calls.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import { Readable, Writable } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";

/** Between the kernel and a caller's own bytes: one for the thread, since a copy out of it never waits. */
const SCRATCH_BYTES = 65536;

let scratch: NativeBuffer | undefined;

class Read extends Future<number> {
  #stream: SocketStream | null;
  #io: ScheduledIo;
  #into: Uint8Array;
  #waker: Waker | null = null;

  constructor(stream: SocketStream, io: ScheduledIo, into: Uint8Array) {
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
  #stream: SocketStream | null;
  #io: ScheduledIo;
  #bytes: Uint8Array;
  #waker: Waker | null = null;

  constructor(stream: SocketStream, io: ScheduledIo, bytes: Uint8Array) {
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

class Write extends Future<number> {
  #stream: SocketStream | null;
  #io: ScheduledIo;
  #bytes: Uint8Array;
  #waker: Waker | null = null;

  constructor(stream: SocketStream, io: ScheduledIo, bytes: Uint8Array) {
    super();
    this.#stream = stream;
    this.#io = io;
    this.#bytes = bytes;
  }

  override describe(): string {
    return `write(), ${this.#io.describe("write")}`;
  }

  override poll(context: Context): number | Pending {
    const stream = this.#stream;
    if (stream === null) throw consumed("write()");
    if (!proceed(context)) return Pending;
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    const part = this.#bytes.byteLength > SCRATCH_BYTES
      ? this.#bytes.subarray(0, SCRATCH_BYTES)
      : this.#bytes;
    buffer.bytes.set(part);
    const count = stream.tryWrite(buffer, 0, part.byteLength);
    if (count === WouldBlock) {
      this.#io.waitWritable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#stream = null;
    return count;
  }

  override drop(): void {
    if (this.#stream !== null) this.#io.forgetWriter(this.#waker);
    this.#stream = null;
  }
}

class Shutdown extends Future<void> {
  #stream: SocketStream | null;
  #how: "read" | "write" | "both";

  constructor(stream: SocketStream, how: "read" | "write" | "both") {
    super();
    this.#stream = stream;
    this.#how = how;
  }

  override poll(): void {
    const stream = this.#stream;
    if (stream === null) throw consumed("shutdown()");
    this.#stream = null;
    shutdown(stream.fd, this.#how);
  }

  override drop(): void {
    this.#stream = null;
  }
}

function requireBytes(what: string, name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`cannot ${what}: ${name} is no Uint8Array`);
}

/** What the reactor knows of a stream: for the inside of this package. */
export let ioOf: (stream: SocketStream) => ScheduledIo;

/**
 * A connected stream of bytes, whatever its family: what `TcpStream` and `UnixStream` share. One task reads and one
 * writes at a time.
 */
export abstract class SocketStream implements AsyncRead, AsyncWrite, Disposable, AsyncDisposable {
  /** The socket's descriptor, which the stream owns. */
  readonly fd: Fd;
  #reactor: Reactor;
  #io: ScheduledIo;
  #closed = false;

  static {
    ioOf = (stream) => stream.#io;
  }

  /** Takes over a connected socket, and registers it with the running runtime. `io` is where it is watched already. */
  constructor(fd: Fd, io?: ScheduledIo) {
    this.fd = fd;
    this.#reactor = currentRuntime().reactor;
    this.#io = io ?? this.#reactor.register(fd);
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    if (!this.#io.isReadable) return WouldBlock;
    const count = receive(this.fd, buffer, from, length);
    if (count === WouldBlock) this.#io.clearReadable();
    else if (count < length && count > 0) this.#io.drained();
    return count;
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    if (!this.#io.isWritable) return WouldBlock;
    const count = send(this.fd, buffer, from, length);
    if (count === WouldBlock) this.#io.clearWritable();
    return count;
  }

  /** Waits until a read is worth its call. */
  whenReadable(): Future<void> {
    return new Readable(this.#io);
  }

  /** Waits until a write is worth its call. */
  whenWritable(): Future<void> {
    return new Writable(this.#io);
  }

  /** A read of the descriptor would have blocked: `whenReadable` waits for the next edge. In the same turn as that. */
  clearReadable(): void {
    this.#io.clearReadable();
  }

  /** A write to the descriptor would have blocked: `whenWritable` waits for the next edge. In the same turn as that. */
  clearWritable(): void {
    this.#io.clearWritable();
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

  /** Writes the first of the bytes, as many as the kernel takes: at least one, where there is one. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("write", "bytes", bytes);
    return new Write(this, this.#io, bytes);
  }

  /** shutdown(2): ends what is written, so that the peer reads its end, or what is read, or both. */
  shutdown(how: "read" | "write" | "both" = "write"): Future<void> {
    if (how !== "read" && how !== "write" && how !== "both") {
      throw new TypeError(`cannot shut a stream down: how is ${shown(how)}, none of read, write and both`);
    }
    return new Shutdown(this, how);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Closes the connection at once; a task that waits for it fails. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.deregister(this.#io);
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Ends what is written, then closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }
}
