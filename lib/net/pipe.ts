import { requireBytes } from "../io/arguments.ts";
import { check, libc } from "../../ffi/mod.ts";
import { descriptors } from "../../ffi/descriptors.ts";
import type { NativeBuffer } from "../../ffi/native_buffer.ts";
import { Fd, numberOf, type WouldBlock } from "../io/fd.ts";
import type { Future } from "../task/future.ts";
import { attempt, Ready, requireCall } from "../task/reactor/readiness.ts";
import type { AsyncRead, AsyncWrite } from "./async_io/traits.ts";
import { PipeIo } from "./pipe_io.ts";
import { requireRoom } from "./socket/checks.ts";
import { Read } from "./socket/reads.ts";
import { Shutdown, Write, WriteAll } from "./socket/writes.ts";

const O_ACCMODE = 0o3;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_GETFL = 3;

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
  readonly #pipe: PipeIo;

  private constructor(fd: Fd) {
    this.#pipe = new PipeIo(fd, "a PipeReader");
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
    return this.#pipe.fd;
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#pipe.receive(buffer, from, length);
  }

  /** Makes a call of your own that reads the descriptor, where it is worth it: tokio's `try_io`. Never waits. */
  tryIo<T>(interest: "read", call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall(interest, call);
    return attempt(this.#pipe.io, interest, call);
  }

  /** Waits until a read is worth its call. */
  whenReadable(): Future<void> {
    return new Ready(this.#pipe.io, "read");
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end: every descriptor that could write was closed. */
  read(into: Uint8Array): Future<number> {
    requireRoom(into);
    return new Read(this.#pipe, into);
  }

  get isClosed(): boolean {
    return this.#pipe.isClosed;
  }

  /** Gives the descriptor away, non-blocking as it is: this end is over. */
  intoFd(): Fd {
    return this.#pipe.intoFd();
  }

  /** Closes the end: who writes is told by `EPIPE`. Does nothing the second time. */
  close(): void {
    this.#pipe.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The end of a pipe that is written. One task writes at a time. One that is forgotten is closed by the collector. */
export class PipeWriter implements AsyncWrite, Disposable {
  readonly #pipe: PipeIo;

  private constructor(fd: Fd) {
    this.#pipe = new PipeIo(fd, "a PipeWriter");
  }

  /** As `PipeReader.from`, for a descriptor that is open to be written. */
  static from(fd: Fd): PipeWriter {
    return new PipeWriter(prepared(fd, "write"));
  }

  /** The descriptor, which the end owns. */
  get fd(): Fd {
    return this.#pipe.fd;
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#pipe.send(buffer, from, length);
  }

  /** Makes a call of your own that writes the descriptor, where it is worth it. Never waits. */
  tryIo<T>(interest: "write", call: () => T | typeof WouldBlock): T | typeof WouldBlock {
    requireCall(interest, call);
    return attempt(this.#pipe.io, interest, call);
  }

  /** Waits until a write is worth its call. */
  whenWritable(): Future<void> {
    return new Ready(this.#pipe.io, "write");
  }

  /**
   * Writes the first of the bytes, as many as the pipe takes: up to 4,096 at once or not at all. Fails with a
   * `SystemError`: `EPIPE` where nobody reads any more.
   */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#pipe, bytes);
  }

  /** Writes all of the bytes, which must not change meanwhile. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new WriteAll(this.#pipe, bytes);
  }

  /** Closes the end: a pipe has no other way to tell its reader that it is over. */
  shutdown(): Future<void> {
    return new Shutdown(this.#pipe, "write");
  }

  get isClosed(): boolean {
    return this.#pipe.isClosed;
  }

  /** Gives the descriptor away, non-blocking as it is: this end is over. */
  intoFd(): Fd {
    return this.#pipe.intoFd();
  }

  /** Closes the end: who reads finds the end after what is in the pipe. Does nothing the second time. */
  close(): void {
    this.#pipe.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

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
