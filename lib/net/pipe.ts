import { requireBytes } from "../io/arguments.ts";
import { check, libc } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import { NativeBuffer } from "../../ffi/native_buffer.ts";
import { Fd, numberOf, WouldBlock } from "../io/fd.ts";
import { unwatch, watch } from "../mem/forgotten.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import "../task/runtime/attach.ts";
import { coop, proceed } from "../task/runtime/coop.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import { attempt, Ready, requireCall } from "../task/reactor/readiness.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { roomOf } from "./async_io/arguments.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";

const O_ACCMODE = 0o3;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_GETFL = 3;

/** Between the kernel and a caller's own bytes: one for the thread, since a copy out of it never waits. */
const SCRATCH_BYTES = 65536;

let scratch: NativeBuffer | undefined;

/** What is watched of an end, and must be let go of: apart from it, for it may be forgotten. */
class Watched {
  readonly fd: Fd;
  readonly io: ScheduledIo;
  readonly #reactor: Reactor;
  isClosed = false;

  constructor(fd: Fd) {
    this.fd = fd;
    this.#reactor = currentRuntime().reactor;
    this.io = this.#reactor.register(fd);
  }

  /** Does nothing where it was released. */
  close(): void {
    if (!this.isClosed) this.release().close();
  }

  /** Watches it no more: the descriptor is the caller's. */
  release(): Fd {
    if (this.isClosed) throw new Error("cannot take a pipe's descriptor: the end was closed or given away");
    this.isClosed = true;
    this.io.willEnd("the pipe's end was closed or given away");
    this.#reactor.deregister(this.io);
    return this.fd;
  }
}

class Read extends Future<number> {
  #reader: PipeReader | null;
  #io: ScheduledIo;
  #into: Uint8Array;
  #waker: Waker | null = null;

  constructor(reader: PipeReader, io: ScheduledIo, into: Uint8Array) {
    super();
    this.#reader = reader;
    this.#io = io;
    this.#into = into;
  }

  override describe(): string {
    return `read(), ${this.#io.describe("read")}`;
  }

  override poll(context: Context): number | Pending {
    const reader = this.#reader;
    if (reader === null) throw consumed("read()");
    if (!proceed(context)) return Pending;
    const into = this.#into;
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    const count = reader.tryRead(buffer, 0, Math.min(roomOf(into), SCRATCH_BYTES));
    if (count === WouldBlock) {
      if (this.#waker !== context.waker) this.#io.forgetReader(this.#waker);
      this.#io.waitReadable(context.waker);
      this.#waker = context.waker;
      return Pending;
    }
    coop.left--;
    this.#reader = null;
    into.set(buffer.bytes.subarray(0, count));
    return count;
  }

  override drop(): void {
    if (this.#reader !== null) this.#io.forgetReader(this.#waker);
    this.#reader = null;
  }
}

/** Writes all of the bytes, or a part. */
class Write extends Future<number> {
  #writer: PipeWriter | null;
  #io: ScheduledIo;
  #bytes: Uint8Array;
  #least: number;
  #from = 0;
  #waker: Waker | null = null;

  constructor(writer: PipeWriter, io: ScheduledIo, bytes: Uint8Array, least: number) {
    super();
    this.#writer = writer;
    this.#io = io;
    this.#bytes = bytes;
    this.#least = least;
  }

  override describe(): string {
    return `write(), ${this.#io.describe("write")}`;
  }

  override poll(context: Context): number | Pending {
    const writer = this.#writer;
    if (writer === null) throw consumed("write()");
    const buffer = scratch ??= new NativeBuffer(SCRATCH_BYTES);
    while (this.#from < this.#least) {
      if (!proceed(context)) return Pending;
      const part = this.#bytes.subarray(this.#from, this.#from + SCRATCH_BYTES);
      if (part.byteLength === 0) throw new TypeError("cannot write: bytes became fewer before all had left");
      buffer.bytes.set(part);
      const count = writer.tryWrite(buffer, 0, part.byteLength);
      if (count === WouldBlock) {
        if (this.#waker !== context.waker) this.#io.forgetWriter(this.#waker);
        this.#io.waitWritable(context.waker);
        this.#waker = context.waker;
        return Pending;
      }
      coop.left--;
      this.#from += count;
    }
    this.#writer = null;
    return this.#from;
  }

  override drop(): void {
    if (this.#writer !== null) this.#io.forgetWriter(this.#waker);
    this.#writer = null;
  }
}

class Shutdown extends Future<void> {
  #writer: PipeWriter | null;

  constructor(writer: PipeWriter) {
    super();
    this.#writer = writer;
  }

  override poll(): void {
    const writer = this.#writer;
    if (writer === null) throw consumed("shutdown()");
    this.#writer = null;
    writer.close();
  }

  override drop(): void {
    this.#writer = null;
  }
}

/** Throws for what is no pipe, or not open for `verb`; makes it non-blocking. */
function prepared(fd: Fd, verb: "read" | "write"): Fd {
  const what = `cannot ${verb} a pipe`;
  if (!Fd.isFd(fd)) throw new TypeError(`${what}: fd is no Fd`);
  const { type } = fd.status();
  if (type !== "fifo") throw new TypeError(`${what}: the descriptor is a ${type}'s, and no pipe's`);
  const access = check(libc().fcntl(numberOf(fd), F_GETFL, 0), "fcntl") & O_ACCMODE;
  if (access === (verb === "read" ? O_WRONLY : O_RDONLY)) {
    throw new TypeError(`${what}: the descriptor is not open for that`);
  }
  fd.setBlocking(false);
  return fd;
}

/** The end of a pipe that is read. One task reads at a time. One that is forgotten is closed by the collector. */
export class PipeReader implements AsyncRead, Disposable {
  readonly #watched: Watched;

  private constructor(fd: Fd) {
    const watched = new Watched(fd);
    this.#watched = watched;
    watch(this, "a PipeReader", () => watched.close());
  }

  /**
   * Takes over a pipe's descriptor, which becomes non-blocking, and watches it in the running runtime. Throws a
   * `TypeError` for what is no pipe, or not open to be read; it is the caller's still then.
   */
  static from(fd: Fd): PipeReader {
    return new PipeReader(prepared(fd, "read"));
  }

  /** The descriptor, which the end owns. */
  get fd(): Fd {
    return this.#watched.fd;
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    const { fd, io } = this.#watched;
    if (!io.isReadable) return WouldBlock;
    if (this.isClosed) throw new Error(`cannot read a pipe: ${io.whyDeaf}`);
    const count = fd.read(buffer, from, length);
    if (count === WouldBlock) io.clearReadable();
    else if (count < length && count > 0) io.drained();
    return count;
  }

  /** Makes a call of your own that reads the descriptor, where it is worth it: tokio's `try_io`. Never waits. */
  tryIo<T>(interest: "read", call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall(interest, call);
    return attempt(this.#watched.io, interest, call);
  }

  /** Waits until a read is worth its call. */
  whenReadable(): Future<void> {
    return new Ready(this.#watched.io, "read");
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end: every descriptor that could write was closed. */
  read(into: Uint8Array): Future<number> {
    requireBytes("cannot read", "into", into);
    if (into.byteLength === 0) throw new RangeError("cannot read into 0 bytes: 0 would look like the end");
    return new Read(this, this.#watched.io, into);
  }

  get isClosed(): boolean {
    return this.#watched.isClosed;
  }

  /** Gives the descriptor away, non-blocking as it is: this end is over. */
  intoFd(): Fd {
    unwatch(this);
    return this.#watched.release();
  }

  /** Closes the end: who writes is told by `EPIPE`. Does nothing the second time. */
  close(): void {
    if (!this.isClosed) this.intoFd().close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The end of a pipe that is written. One task writes at a time. One that is forgotten is closed by the collector. */
export class PipeWriter implements AsyncWrite, Disposable {
  readonly #watched: Watched;

  private constructor(fd: Fd) {
    const watched = new Watched(fd);
    this.#watched = watched;
    watch(this, "a PipeWriter", () => watched.close());
  }

  /** As `PipeReader.from`, for a descriptor that is open to be written. */
  static from(fd: Fd): PipeWriter {
    return new PipeWriter(prepared(fd, "write"));
  }

  /** The descriptor, which the end owns. */
  get fd(): Fd {
    return this.#watched.fd;
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    const { fd, io } = this.#watched;
    if (!io.isWritable) return WouldBlock;
    if (this.isClosed) throw new Error(`cannot write to a pipe: ${io.whyDeaf}`);
    const count = fd.write(buffer, from, length);
    if (count === WouldBlock) io.clearWritable();
    return count;
  }

  /** Makes a call of your own that writes the descriptor, where it is worth it. Never waits. */
  tryIo<T>(interest: "write", call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall(interest, call);
    return attempt(this.#watched.io, interest, call);
  }

  /** Waits until a write is worth its call. */
  whenWritable(): Future<void> {
    return new Ready(this.#watched.io, "write");
  }

  /**
   * Writes the first of the bytes, as many as the pipe takes: up to 4,096 at once or not at all. Fails with a
   * `SystemError`: `EPIPE` where nobody reads any more.
   */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this, this.#watched.io, bytes, Math.min(1, bytes.byteLength));
  }

  /** Writes all of the bytes, which must not change meanwhile. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this, this.#watched.io, bytes, bytes.byteLength).map(ignored);
  }

  /** Closes the end: a pipe has no other way to tell its reader that it is over. */
  shutdown(): Future<void> {
    return new Shutdown(this);
  }

  get isClosed(): boolean {
    return this.#watched.isClosed;
  }

  /** Gives the descriptor away, non-blocking as it is: this end is over. */
  intoFd(): Fd {
    unwatch(this);
    return this.#watched.release();
  }

  /** Closes the end: who reads finds the end after what is in the pipe. Does nothing the second time. */
  close(): void {
    if (!this.isClosed) this.intoFd().close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function ignored(): void {}

/**
 * A pipe: what is written to the second end is read from the first. Throws a `SystemError`: `EMFILE` where there are as
 * many descriptors as may be.
 *
 * @example
 * ```ts
 * import { pipe } from "@oxbow/oxbow/process";
 *
 * const [reader, writer] = pipe();
 * await writer.writeAll(new TextEncoder().encode("through the pipe"));
 * await writer.shutdown();
 * const into = new Uint8Array(100);
 * console.log(new TextDecoder().decode(into.subarray(0, await reader.read(into)))); // through the pipe
 * console.log(await reader.read(into)); // 0
 * reader.close();
 * ```
 */
export function pipe(): [reader: PipeReader, writer: PipeWriter] {
  const [ours, theirs] = rawPipe(O_NONBLOCK | O_CLOEXEC);
  try {
    const reader = PipeReader.from(ours);
    try {
      return [reader, PipeWriter.from(theirs)];
    } catch (error) {
      reader.close();
      throw error;
    }
  } catch (error) {
    ours.close();
    theirs.close();
    throw error;
  }
}

/** pipe2(2), for the inside of this package: the flags are each end's own afterwards. */
export function rawPipe(flags: number = O_CLOEXEC): [reader: Fd, writer: Fd] {
  const ends = new Int32Array(2);
  check(descriptors().pipe2(ends, flags), "pipe2");
  return [Fd.unsafeOwn(ends[0]), Fd.unsafeOwn(ends[1])];
}
