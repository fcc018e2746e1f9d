import { requireBytes } from "../../io/arguments.ts";
import type { NativeBuffer } from "../../../ffi/native_buffer.ts";
import type { Fd } from "../../io/fd.ts";
import type { Future } from "../../task/future.ts";
import { Ready } from "../../task/reactor/readiness.ts";
import type { AsyncRead, AsyncWrite } from "../async_io/traits.ts";
import type { PooledBuffer } from "../buffer_pool.ts";
import { requireLimit, requireParts, requireRoom } from "./checks.ts";
import { Peek, Read, ReadBuffer, ReadExact, ReadToEnd, ReadVectored } from "./reads.ts";
import { type FileBacked, SendFile, type SendFileOptions } from "./send_file.ts";
import type { StreamIo } from "./stream_io.ts";
import { Shutdown, Write, WriteAll, WriteBuffer, WriteVectored } from "./writes.ts";

/** What two halves of a stream have in common. */
export interface Split {
  readonly stream: StreamIo;
  /** Whether the halves own it: the last that is closed closes it. */
  owns: boolean;
  /** How many halves are open. */
  open: number;
}

function closed(split: Split): void {
  split.open--;
  if (split.owns && split.open === 0) split.stream.close();
}

/** The side of a stream that is read. One task reads at a time. */
export class ReadHalf implements AsyncRead, Disposable {
  readonly #split: Split;
  readonly #stream: StreamIo;
  #isClosed = false;

  /** A stream's own: see `split`. */
  constructor(split: Split) {
    this.#split = split;
    this.#stream = split.stream;
  }

  /** Reads up to `length` bytes into the buffer at `from`; 0 is the end, `WouldBlock` nothing yet. */
  tryRead(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#opened().receive(buffer, from, length);
  }

  /** Waits until a read is worth its call. Any number may. */
  whenReadable(): Future<void> {
    return new Ready(this.#opened().io, "read");
  }

  /** Reads up to `into.byteLength` bytes; 0 is the end of what the peer sends. */
  read(into: Uint8Array): Future<number> {
    requireRoom(into);
    return new Read(this.#opened(), into);
  }

  /** As `read`, and what was read is there still for the next one. */
  peek(into: Uint8Array): Future<number> {
    requireRoom(into);
    return new Peek(this.#opened(), into);
  }

  /** Fills all of `into`. Fails with an `UnexpectedEndError`, and part of it filled, where the end comes before. */
  readExact(into: Uint8Array): Future<void> {
    requireBytes("cannot read", "into", into);
    return new ReadExact(this.#opened(), into);
  }

  /** Everything up to the end. Fails with a `LimitExceededError` where that is more than `limit` bytes. */
  readToEnd(options: { limit?: number } = {}): Future<Uint8Array<ArrayBuffer>> {
    return new ReadToEnd(this.#opened(), requireLimit(options));
  }

  /** Fills the parts in their order, as one `read`: recvmsg(2). */
  readVectored(parts: readonly Uint8Array[]): Future<number> {
    return new ReadVectored(this.#opened(), requireParts("read", parts));
  }

  /** What is there, in memory of the thread's pool, taken only then; `null` at the end. */
  readBuffer(): Future<PooledBuffer | null> {
    return new ReadBuffer(this.#opened());
  }

  /** Reads no more, but for a read that waits already. Where the halves own the stream, it is closed with the second of them. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closed(this.#split);
  }

  /** The stream, where this half was not closed: it may be open still for the other one. */
  #opened(): StreamIo {
    if (this.#isClosed && !this.#stream.isClosed) {
      throw new Error("cannot read: this half of the stream was closed");
    }
    return this.#stream;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Which stream it is half of. */
  static splitOf(half: ReadHalf): Split {
    return half.#split;
  }
}

/** The side of a stream that is written. One task writes at a time. */
export class WriteHalf implements AsyncWrite, Disposable {
  readonly #split: Split;
  readonly #stream: StreamIo;
  #isClosed = false;

  /** A stream's own: see `split`. */
  constructor(split: Split) {
    this.#split = split;
    this.#stream = split.stream;
  }

  /** Writes `length` bytes of the buffer from `from`, or the first of them; `WouldBlock` where none fit. */
  tryWrite(buffer: NativeBuffer, from = 0, length: number = buffer.bytes.byteLength - from): number {
    return this.#opened().send(buffer, from, length);
  }

  /** Waits until a write is worth its call. Any number may. */
  whenWritable(): Future<void> {
    return new Ready(this.#opened().io, "write");
  }

  /** Writes the first of the bytes, as many as the kernel takes: at least one, where there is one. */
  write(bytes: Uint8Array): Future<number> {
    requireBytes("cannot write", "bytes", bytes);
    return new Write(this.#opened(), bytes);
  }

  /** Writes all of the bytes, which must not change meanwhile. Where it is dropped, an unknown part was written. */
  writeAll(bytes: Uint8Array): Future<void> {
    requireBytes("cannot write", "bytes", bytes);
    return new WriteAll(this.#opened(), bytes);
  }

  /** Writes the parts in their order, as one `write`: sendmsg(2). */
  writeVectored(parts: readonly Uint8Array[]): Future<number> {
    return new WriteVectored(this.#opened(), requireParts("write", parts));
  }

  /** Writes all of what `readBuffer` gave, which is not to be released meanwhile. */
  writeBuffer(buffer: PooledBuffer): Future<void> {
    return new WriteBuffer(this.#opened(), buffer);
  }

  /** Sends a part of a file without a copy: sendfile(2). Gives how many bytes. */
  sendFile(source: Fd | FileBacked, options: SendFileOptions = {}): Future<number> {
    return new SendFile(this.#opened(), source, options);
  }

  /** Ends what is written: the peer reads its end. */
  shutdown(): Future<void> {
    return new Shutdown(this.#opened(), "write");
  }

  /** Writes no more: where the halves own the stream, its end is sent, and it is closed with the second of them. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#split.owns && !this.#stream.isClosed) this.#stream.shutdown("write");
    closed(this.#split);
  }

  /** The stream, where this half was not closed: it may be open still for the other one. */
  #opened(): StreamIo {
    if (this.#isClosed && !this.#stream.isClosed) {
      throw new Error("cannot write: this half of the stream was closed");
    }
    return this.#stream;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Which stream it is half of. */
  static splitOf(half: WriteHalf): Split {
    return half.#split;
  }
}
